"""Plain Keras: an LSTM net's training step and prediction. python lstm.py UNITS WINDOW [bidirectional]."""

import json
import statistics
import sys
import time
import timeit

import keras
import numpy as np
from keras import layers

units, window, both_ways = int(sys.argv[1]), int(sys.argv[2]), "bidirectional" in sys.argv
WARM_UP_S, MEASURED_S, SHORTEST_S = 0.5, 5, 0.001

net = keras.Sequential([keras.Input((window, 1))])
for sequences in (True, False):
    lstm = layers.LSTM(units, return_sequences=sequences)
    net.add(layers.Bidirectional(lstm) if both_ways else lstm)
net.add(layers.Dense(1))
net.compile(optimizer=keras.optimizers.Adam(1e-4), loss="mse")
series = np.random.standard_normal(2_000_000 if both_ways else 144).astype(np.float32)  # as long as the data set
inputs = np.stack([series[at : at + window, None] for at in range(32)])
targets = series[window : window + 32, None].copy()


def seconds(call):
    timer, once = timeit.Timer(call, setup="import gc; gc.enable()"), []
    until = time.perf_counter() + WARM_UP_S
    while len(once) < 3 or time.perf_counter() < until:
        once.append(timer.timeit(1))
    loops = int(SHORTEST_S / min(once)) + 1
    return statistics.median(timer.repeat(int(MEASURED_S / loops / min(once)), loops)) / loops


steps = {"train_s": seconds(lambda: net.train_on_batch(inputs, targets))}
steps["predict_s"] = seconds(lambda: net.predict_on_batch(inputs))
many, wanted = np.tile(inputs, (100, 1, 1)), np.tile(targets, (100, 1))
epochs = timeit.repeat(lambda: net.fit(many, wanted, batch_size=32, verbose=0), number=1, repeat=3)
print(json.dumps({**steps, "fit_s": statistics.median(epochs) / 100}))
