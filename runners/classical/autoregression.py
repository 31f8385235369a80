"""What the three autoregressive models share: linear recursion, scoring, and a fit made ready for timing."""

import numpy as np

from runners.contract import BATCH_SIZE, Quality, Score, Steps
from runners.data import airline, forecast

LAGS = airline.WINDOW


def linear_forecaster(constant, weights):
    """A forecaster that continues x[t] = constant + weights[0] x[t-1] + ... + weights[k-1] x[t-k].

    The answer has the type ``airline.Forecaster``: its own outputs are fed back in beyond the first month.
    """
    weights = np.asarray(weights, float)

    def forecaster(histories, horizon):
        recent = np.array(np.asarray(histories, float)[:, -len(weights) :])
        months = []
        for _ in range(horizon):
            months.append(constant + recent[:, ::-1].dot(weights))
            recent = np.column_stack([recent[:, 1:], months[-1]])
        return np.column_stack(months)

    return forecaster


def quality(series, forecaster, extra_scores=(), notes=()):
    """Every protocol's scores and forecasts; the page shows the recursive ones, as it did in 2017."""
    recursive, one_step = airline.forecast_test_part(series, forecaster)
    return Quality(
        protocol="recursive",
        loss_metric="mse",
        accuracy_metric="r2",
        scores=airline.score_both(series, recursive, one_step) + list(extra_scores) + airline.baselines(series),
        forecasts={"recursive": list(recursive), "one-step": list(one_step), "truth": list(series.test)},
        rolling_origin=airline.rolling_origins(series, forecaster),
        notes=list(notes),
    )


def steps(series, fit, make_forecaster, fitted_values, history=LAGS, details=None):
    """The model for timing: training is one whole fit, a prediction is one month ahead for 32 histories.

    ``fit(train) -> coefficients``; ``fitted_values(train, coefficients) -> (truth, fitted)`` gives the loss.
    """
    histories = forecast.windows(series.train, history)[0][-BATCH_SIZE:]
    fitted = {"coefficients": fit(series.train)}
    forecaster = make_forecaster(fitted["coefficients"])

    def train(values):
        fitted["coefficients"] = fit(values)
        return fitted["coefficients"]

    return Steps(
        train=train,
        train_batch=lambda: series.train,
        read_loss=lambda coefficients: forecast.mean_squared_error(*fitted_values(series.train, coefficients)),
        predict=lambda batch: forecaster(batch, 1),
        predict_batch=lambda: histories,
        state=lambda: np.asarray(fitted["coefficients"], float).tobytes(),
        parameters=len(fitted["coefficients"]),
        train_unit="fit",
        iterative=False,
        details=dict(details or {"lags": LAGS}, train_months=len(series.train)),
    )


def lagged_fit(train, coefficients):
    """Truth and fitted values of the complete rows of the train part, for [constant, lag 1, lag 2, ...]."""
    histories, targets = forecast.windows(train, LAGS)
    return targets, linear_forecaster(coefficients[0], coefficients[1:])(histories, 1)[:, 0]


def as_published(loss, accuracy, note):
    """The published figure, made again from what led to it."""
    return Score("as-published", loss, accuracy, note)
