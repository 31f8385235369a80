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


@nnx.jit
def train(net, optimizer, windows, wanted):
    optimizer.update(net, nnx.grad(lambda net: optax.squared_error(net(windows), wanted).mean())(net))


net, predict = Net(), nnx.jit(lambda net, windows: net(windows))
optimizer = nnx.Optimizer(net, optax.adam(1e-4), wrt=nnx.Param)
batch = [np.random.randn(*shape).astype(np.float32) for shape in ((32, window, 1), (32, 1))]
step = "train(net, optimizer, *batch); net.linear.bias[...].block_until_ready()"
timers = [timeit.Timer(code, globals=globals()) for code in (step, "np.asarray(predict(net, batch[0]))")]
medians = [np.median([one.repeat(99, 20) for _ in "ab"][1]) / 20 for one in timers]  # the first one warms up
print(json.dumps(dict(zip(("train_s", "predict_s"), medians, strict=True))))
