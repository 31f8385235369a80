"""Where statsmodels 0.8 and today's differ."""
import numpy as np
from statsmodels.tsa import ar_model


def fit_autoregression(series, lags):
    """Coefficients of an autoregression with constant, by conditional least squares on the complete rows.

    Takes a series of shape (n,); returns shape (1 + lags,): the constant, then the weights of lag 1, 2, ...
    ``tsa.ar_model.AR`` left statsmodels with 0.13; ``AutoReg`` came with 0.11 and fits the same rows.
    """
    series = np.asarray(series, float)
    if hasattr(ar_model, "AutoReg"):
        return np.asarray(ar_model.AutoReg(series, lags=lags, trend="c").fit().params)
    return np.asarray(ar_model.AR(series).fit(maxlag=lags, trend="c", method="cmle").params)
