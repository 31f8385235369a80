"""Plain Flax NNX: an LSTM net's training step and prediction. python lstm_jax.py UNITS WINDOW [bidirectional]."""

import json
import sys
import timeit

import jax
import numpy as np
import optax
from flax import nnx

units, window, both_ways = int(sys.argv[1]), int(sys.argv[2]), "bidirectional" in sys.argv


class Net(nnx.Module):
    def __init__(self):
        self.first, self.second = self.layer(1), self.layer(units * (1 + both_ways))
        self.linear = nnx.Linear(units * (1 + both_ways), 1, rngs=nnx.Rngs(0))

    def layer(self, inputs):
        rnns = [nnx.RNN(nnx.OptimizedLSTMCell(inputs, units, rngs=nnx.Rngs(0))) for _ in range(1 + both_ways)]
        return nnx.Bidirectional(*rnns) if both_ways else rnns[0]

    def __call__(self, windows):
        carry, _ = self.second(self.first(windows), return_carry=True)
        return self.linear(jax.numpy.concatenate([c[1] for c in carry], 1) if both_ways else carry[1])


grad = nnx.grad(lambda net, windows, wanted: optax.squared_error(net(windows), wanted).mean())
train = nnx.jit(lambda net, optimizer, *batch: optimizer.update(net, grad(net, *batch)))
net, predict = Net(), nnx.jit(lambda net, windows: net(windows))
optimizer = nnx.Optimizer(net, optax.adam(1e-4), wrt=nnx.Param)
series = np.random.randn(2_000_000 if both_ways else 144).astype(np.float32)  # as long as the data set
batch = [np.stack([series[at : at + window, None] for at in range(32)]), series[window : window + 32, None].copy()]
step = "train(net, optimizer, *batch); net.linear.bias[...].block_until_ready()"
codes = step, "np.asarray(predict(net, batch[0]))"
times = [[timeit.repeat(code, globals=globals(), repeat=49, number=10) for _ in "ab"][1] for code in codes]
print(json.dumps({name: np.median(once) / 10 for name, once in zip(("train_s", "predict_s"), times, strict=True)}))
