"""Plain NumPy: an AR(12) by least squares, and with its coefficients the next month after 32 histories."""

import json
import statistics
import timeit

import numpy as np

from runners.data.airline import PASSENGERS

train = (np.array(PASSENGERS[:100], float) - 104) / (622 - 104)
histories = np.array([train[start : start + 12] for start in range(88)])[-32:]


def fit():
    windows = np.lib.stride_tricks.sliding_window_view(train, 12)[:88]
    rows = np.column_stack([np.ones(88), windows[:, ::-1]])
    return np.linalg.lstsq(rows, train[12:], rcond=-1)[0]


coefficients = fit()
constant, weights = coefficients[0], coefficients[1:]


def predict():
    return constant + histories[:, ::-1].dot(weights)


def seconds(call, measured_s=3):
    timer = timeit.Timer(call, setup="import gc; gc.enable()")
    loops, took = timer.autorange()
    loops = max(1, loops // 50)
    timer.timeit(loops)
    return statistics.median(timer.repeat(int(measured_s / (took / 50)) or 1, loops)) / loops


print(json.dumps({"train_s": seconds(fit), "predict_s": seconds(predict)}))
