"""Plain statsmodels: the airline model's fit, and with its parameters the next month after 32 histories."""

import json
import statistics
import timeit

import numpy as np
from statsmodels.tsa.statespace.sarimax import SARIMAX

from runners.data.airline import PASSENGERS

passengers = np.array(PASSENGERS[:100], float)
histories = np.array([passengers[start : start + 60] for start in range(40)])[-32:]


def model(series):
    return SARIMAX(series, order=(0, 1, 1), seasonal_order=(0, 1, 1, 12))


def fit():
    return model(np.log(passengers)).fit(disp=0).params


def predict():
    logarithms = np.column_stack([np.log(histories), np.full(32, np.nan)])
    filtered = [model(row).filter(parameters, return_ssm=True) for row in logarithms]
    return np.exp([results.forecasts[0][-1] for results in filtered])


def seconds(call):
    timer = timeit.Timer(call, setup="import gc; gc.enable()")
    timer.timeit(1)
    return statistics.median(timer.repeat(20, 1))


parameters = fit()
print(json.dumps({"train_s": seconds(fit), "predict_s": seconds(predict)}))
