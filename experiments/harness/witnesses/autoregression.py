"""Plain statsmodels or NumPy: a fit, and the next month after 32 histories. python autoregression.py ar|ols|polyfit."""

import json
import statistics
import sys
import timeit

import numpy as np

from runners.data.airline import PASSENGERS

kind = sys.argv[1]
train = (np.array(PASSENGERS[:100], float) - 104) / (622 - 104)
histories = np.array([train[start : start + 12] for start in range(88)])[-32:]
if kind == "ar":
    from statsmodels.tsa.ar_model import AutoReg


def ols():
    windows = np.lib.stride_tricks.sliding_window_view(train, 12)[:88]
    return np.linalg.lstsq(np.column_stack([np.ones(88), windows[:, ::-1]]), train[12:], rcond=-1)[0]


fits = {"ar": lambda: AutoReg(train, lags=12, trend="c").fit().params, "ols": ols}
fit = fits.get(kind, lambda: np.polyfit(train[:-12], train[12:], 1))
found = fit()
constant, weights = found[0], found[1:]
line = {"polyfit": lambda: np.polyval(found, histories[:, 0])}
predict = line.get(kind, lambda: constant + histories[:, ::-1].dot(weights))


def seconds(call):
    timer = timeit.Timer(call, setup="import gc; gc.enable()")
    loops, took = timer.autorange()
    loops = max(1, loops // 50)
    timer.timeit(loops)
    return statistics.median(timer.repeat(int(3 / (took / 50)) or 1, loops)) / loops


print(json.dumps({"train_s": seconds(fit), "predict_s": seconds(predict)}))
