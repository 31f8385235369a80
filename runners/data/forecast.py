"""Scores of forecasts, and the windows they are made from. NumPy only, so that every framework shares it."""

import numpy as np


def windows(series, length):
    """Every run of ``length`` values that has a successor, as a view.

    Takes a series of shape (n,); returns inputs of shape (n - length, length) and targets of shape
    (n - length,). Nothing is copied: row i shows ``series[i:i + length]``.
    """
    series = np.ascontiguousarray(series)
    count = len(series) - length
    if count < 1:
        raise ValueError("a series of {} values has no window of {} with a successor".format(len(series), length))
    stride = series.strides[0]
    inputs = np.lib.stride_tricks.as_strided(series, (count, length), (stride, stride), writeable=False)
    return inputs, series[length:]


def mean_squared_error(truth, forecast):
    """The mean of the squared differences of two arrays of one shape."""
    return float(np.mean((np.asarray(truth, float) - np.asarray(forecast, float)) ** 2))


def r2(truth, forecast):
    """Coefficient of determination: 1 - residual sum of squares / total sum of squares about the truth's mean."""
    truth, forecast = np.asarray(truth, float), np.asarray(forecast, float)
    return float(1 - np.sum((truth - forecast) ** 2) / np.sum((truth - truth.mean()) ** 2))
