"""Where statsmodels 0.8 and today's differ."""

import numpy as np
from statsmodels.tsa import ar_model
from statsmodels.tsa.statespace import sarimax


def fit_autoregression(series, lags):
    """Coefficients of an autoregression with constant, by conditional least squares on the complete rows.

    Takes a series of shape (n,); returns shape (1 + lags,): the constant, then the weights of lag 1, 2, ...
    ``tsa.ar_model.AR`` left statsmodels with 0.13; ``AutoReg`` came with 0.11 and fits the same rows.
    """
    series = np.asarray(series, float)
    if hasattr(ar_model, "AutoReg"):
        return np.asarray(ar_model.AutoReg(series, lags=lags, trend="c").fit().params)
    return np.asarray(ar_model.AR(series).fit(maxlag=lags, trend="c", method="cmle").params)


def fit_seasonal(series, order, seasonal_order):
    """Parameters (k,) of a SARIMA by exact maximum likelihood through the Kalman filter, from its default start."""
    return np.asarray(_seasonal(series, order, seasonal_order).fit(disp=0).params)


def filter_seasonal(series, order, seasonal_order, parameters):
    """Forecasts of every value from those before it, with parameters fitted elsewhere; (n,) -> (n,).

    A value that is not a number is filled in by its forecast, so NaN at the end asks for what comes next. The
    filter's own results are taken, since statsmodels' wrapper around them computes covariances that nobody reads.
    """
    results = _seasonal(series, order, seasonal_order).filter(parameters, return_ssm=True)
    return np.asarray(results.forecasts[0])


def _seasonal(series, order, seasonal_order):
    return sarimax.SARIMAX(np.asarray(series, float), order=order, seasonal_order=seasonal_order)
