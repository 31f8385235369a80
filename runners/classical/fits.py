"""How each classical row is fitted, what it forecasts, and which slips led to the published figure of AR(OLS).

Every series is on the published scale. Coefficients are arrays; histories are (n, months), forecasts (n, horizon).
statsmodels is imported where it is needed: NumPy's rows start without it, two seconds sooner.
"""

from typing import Any, Callable, Dict, NamedTuple, Tuple

import numpy as np

from runners.data import airline, forecast

LAGS = airline.WINDOW
ORDER, SEASONAL_ORDER = (0, 1, 1), (0, 1, 1, 12)


class Fit(NamedTuple):
    """One way to fit the train part."""

    fit: Callable[[Any], Any]  # train part -> coefficients
    forecaster: Callable[[Any], airline.Forecaster]  # of coefficients
    next_month: Callable[[Any], Callable[[Any], Any]]  # of coefficients: histories (n, months) -> (n,), as it is timed
    fitted: Callable[[Any, Any], Tuple[Any, Any]]  # (train part, coefficients) -> (truth, fitted values)
    history: int = LAGS  # months that a timed forecast looks back on
    details: Dict[str, Any] = {"lags": LAGS}


def linear_forecaster(coefficients):
    """Continue x[t] = c[0] + c[1] x[t-1] + ... + c[k] x[t-k], the outputs fed back in beyond the first month."""
    constant, weights = coefficients[0], np.asarray(coefficients[1:], float)

    def forecaster(histories, horizon):
        recent = np.array(np.asarray(histories, float)[:, -len(weights) :])
        months = []
        for _ in range(horizon):
            months.append(constant + recent[:, ::-1].dot(weights))
            recent = np.column_stack([recent[:, 1:], months[-1]])
        return np.column_stack(months)

    return forecaster


def linear_next_month(coefficients):
    """The month after each history, and nothing besides: what a user's script would compute."""
    constant, weights = coefficients[0], np.array(coefficients[1:], float)
    return lambda histories: constant + histories[:, ::-1].dot(weights)


def linear_fitted(train, coefficients):
    """Truth and fitted values of the complete rows of the train part."""
    histories, targets = forecast.windows(train, LAGS)
    return targets, linear_forecaster(coefficients)(histories, 1)[:, 0]


def fit_autoregression(train):
    """[constant, lag 1, ..., lag 12] by statsmodels."""
    from runners.classical import compat

    return compat.fit_autoregression(train, LAGS)


def fit_least_squares(train):
    """[constant, lag 1, ..., lag 12] by least squares in NumPy on the complete rows of the train part."""
    histories, targets = forecast.windows(train, LAGS)
    rows = np.column_stack([np.ones(len(targets)), histories[:, ::-1]])
    return np.linalg.lstsq(rows, targets, rcond=-1)[0]


def least_squares_as_published(scaled):
    """(truth, forecast) of the 50 months that AR(OLS)'s published figure was computed on, slips included.

    Takes the whole scaled series (144,). The slips: the whole series' mean is subtracted and the last 50 months are the
    test part, where the other rows test on 44; and the window that ends in month i has month i+2 as its target. The
    third one, R2 with truth and forecast exchanged, is the caller's.
    """
    test_months = 50
    centred = scaled - scaled.mean()
    train, test = centred[:-test_months], centred[-test_months:]
    histories = np.array([centred[i : i + LAGS] for i in range(len(centred) - LAGS)])[:-test_months]
    targets = train[LAGS + 1 :]  # one month too late
    rows = np.column_stack([np.ones(len(targets)), histories[: len(targets)]])
    coefficients = np.linalg.lstsq(rows, targets, rcond=-1)[0]
    in_order = np.concatenate([coefficients[:1], coefficients[:0:-1]])
    return test, linear_forecaster(in_order)(histories[-1:], test_months)[0]


def fit_line(train):
    """[slope, intercept] of x[t] = slope x[t-12] + intercept by NumPy's polynomial fit."""
    return np.polyfit(train[:-LAGS], train[LAGS:], 1)


def line_forecaster(coefficients):
    """Apply the line to the last twelve months, then to the result, and so on."""
    slope, intercept = coefficients
    return linear_forecaster([intercept] + [0.0] * (LAGS - 1) + [slope])


def line_next_month(coefficients):
    """The line at the same month one year before."""
    return lambda histories: np.polyval(coefficients, histories[:, 0])


def line_fitted(train, coefficients):
    """Truth and fitted values of the train part."""
    return train[LAGS:], np.polyval(coefficients, train[:-LAGS])


def fit_seasonal(train):
    """Two weights and a variance of ARIMA (0,1,1)(0,1,1) of period 12 on the logarithms.

    The airline model of Box and Jenkins (Time Series Analysis, 1970, section 9.2), made for this series.
    """
    from runners.classical import compat

    return compat.fit_seasonal(np.log(airline.from_scale(train)), ORDER, SEASONAL_ORDER)


def seasonal_forecaster(parameters):
    """Filter each history and continue from its last state."""
    from runners.classical import compat

    def forecaster(histories, horizon):
        known = np.log(airline.from_scale(histories))
        asked = np.column_stack([known, np.full((len(known), horizon), np.nan)])
        ahead = [compat.filter_seasonal(row, ORDER, SEASONAL_ORDER, parameters)[-horizon:] for row in asked]
        return airline.to_scale(np.exp(np.stack(ahead)))

    return forecaster


def seasonal_next_month(parameters):
    """The month after each history."""
    forecaster = seasonal_forecaster(parameters)
    return lambda histories: forecaster(histories, 1)[:, 0]


def seasonal_fitted(train, parameters):
    """Truth and one-step forecasts of the train part, from where differencing leaves complete rows."""
    from runners.classical import compat

    fitted = compat.filter_seasonal(np.log(airline.from_scale(train)), ORDER, SEASONAL_ORDER, parameters)
    complete = SEASONAL_ORDER[3] + 1
    return train[complete:], airline.to_scale(np.exp(fitted))[complete:]


FITS = {
    "ar": Fit(fit_autoregression, linear_forecaster, linear_next_month, linear_fitted),
    "ar-ols": Fit(fit_least_squares, linear_forecaster, linear_next_month, linear_fitted),
    "ar-polyfit": Fit(fit_line, line_forecaster, line_next_month, line_fitted),
    "sarimax": Fit(
        fit_seasonal,
        seasonal_forecaster,
        seasonal_next_month,
        seasonal_fitted,
        history=60,  # differencing alone takes 13
        details={"order": list(ORDER), "seasonal_order": list(SEASONAL_ORDER), "scale": "logarithm"},
    ),
}
"""Key of a row -> its fit."""
