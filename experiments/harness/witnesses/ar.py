"""Plain statsmodels: the fit of an AR(12), and with its coefficients the next month after 32 histories."""

import json
import statistics
import timeit

import numpy as np
from statsmodels.tsa.ar_model import AutoReg

from runners.data.airline import PASSENGERS

train = (np.array(PASSENGERS[:100], float) - 104) / (622 - 104)
histories = np.array([train[start : start + 12] for start in range(88)])[-32:]
coefficients = AutoReg(train, lags=12, trend="c").fit().params
constant, weights = coefficients[0], coefficients[1:]


def fit():
    return AutoReg(train, lags=12, trend="c").fit().params


def predict():
    return constant + histories[:, ::-1].dot(weights)


def seconds(call, measured_s=3):
    timer = timeit.Timer(call, setup="import gc; gc.enable()")
    loops, took = timer.autorange()
    loops = max(1, loops // 50)
    timer.timeit(loops)
    return statistics.median(timer.repeat(int(measured_s / (took / 50)) or 1, loops)) / loops


print(json.dumps({"train_s": seconds(fit), "predict_s": seconds(predict)}))
