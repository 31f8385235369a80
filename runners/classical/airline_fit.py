"""The classical rows on Airline Passenger: a fit made ready for timing, and its scores."""

import numpy as np

from runners.classical import fits
from runners.contract import BATCH_SIZE, Quality, Reason, Score, Steps
from runners.data import airline, forecast


def prepare(context):
    """Training is one complete fit, a prediction is one month ahead for 32 histories."""
    row, train = fits.FITS[context.model.key], context.data.train
    histories = forecast.windows(train, row.history)[0][-BATCH_SIZE:]
    fitted = {"coefficients": row.fit(train)}
    predict = row.next_month(fitted["coefficients"])

    def fit(values):
        fitted["coefficients"] = row.fit(values)
        return fitted["coefficients"]

    return Steps(
        train=fit,
        train_batch=lambda: train,
        read_loss=lambda coefficients: forecast.mean_squared_error(*row.fitted(train, coefficients)),
        predict=predict,
        predict_batch=lambda: histories,
        state=lambda: np.asarray(fitted["coefficients"], float).tobytes(),
        parameters=len(fitted["coefficients"]),
        train_unit="fit",
        iterative=False,
        details=dict(row.details, train_months=len(train)),
    )


def train_to_quality(context):
    """Every protocol's scores and forecasts; the page shows the recursive ones, as it did in 2017."""
    row, series = fits.FITS[context.model.key], context.data
    forecaster = row.forecaster(row.fit(series.train))
    recursive, one_step = airline.forecast_test_part(series, forecaster)
    published = [ols_as_published(series)] if context.model.key == "ar-ols" else []
    return Quality(
        protocol="recursive",
        loss_metric="mse",
        accuracy_metric="r2",
        scores=airline.score_both(series, recursive, one_step) + published + airline.baselines(series),
        forecasts={"recursive": list(recursive), "one-step": list(one_step), "truth": list(series.test)},
        rolling_origin=airline.rolling_origins(series, forecaster),
    )


def ols_as_published(series):
    """AR(OLS)'s published figure with its slips, the last of them R2 with truth and forecast exchanged."""
    truth, published = fits.least_squares_as_published(series.scaled)
    note = Reason("ar-ols-slips", {"r2": forecast.r2(truth, published)})
    loss, exchanged = forecast.mean_squared_error(truth, published), forecast.r2(published, truth)
    return Score("as-published", loss, exchanged, note)
