"""Plain Flax NNX: the DenseNet's training step and prediction. python densenet_jax.py"""

import json
import timeit

import jax
import numpy as np
import optax
from flax import nnx

rngs = nnx.Rngs(0)
parts = [nnx.Conv(3, 48, (3, 3), use_bias=False, rngs=rngs)]


def unit(inputs, outputs, size, bias=True):
    norm = nnx.BatchNorm(inputs, momentum=0.9, epsilon=1e-5, rngs=rngs)
    return norm, nnx.relu, nnx.Conv(inputs, outputs, (size, size), use_bias=bias, rngs=rngs)


class Layer(nnx.Sequential):
    def __call__(self, maps):
        return jax.numpy.concatenate([maps, super().__call__(maps)], -1)


for number, channels in enumerate((48, 312, 444)):
    if number:
        norm, _, conv = unit(2 * channels, channels, 1, bias=False)
        parts += [norm, conv, lambda maps: nnx.avg_pool(maps, (2, 2), (2, 2), ((1, 1), (1, 1)))]
    parts += [Layer(*unit(channels + 24 * place, 96, 1), *unit(96, 24, 3)) for place in range(24)]
parts += [*unit(1020, 1, 1)[:2], lambda maps: nnx.max_pool(maps, (2, 2), (2, 2)).reshape(len(maps), -1)]
net = nnx.Sequential(*parts, nnx.Linear(16320, 10, rngs=rngs))
optimizer = nnx.Optimizer(net, optax.adam(1e-4), wrt=nnx.Param)
entropy, predict = optax.softmax_cross_entropy_with_integer_labels, nnx.jit(lambda net, images: net(images).argmax(1))
grad = nnx.grad(lambda net, images, labels: entropy(net(images), labels).mean())
train = nnx.jit(lambda net, optimizer, *batch: optimizer.update(net, grad(net, *batch)))
batch = np.random.uniform(-1, 1, (32, 32, 32, 3)).astype(np.float32), np.random.randint(10, size=32)
step = "train(net, optimizer, *batch); net.layers[-1].bias[...].block_until_ready()"
answer = "net.eval(); np.asarray(predict(net, batch[0]))"
medians = [np.median(timeit.repeat(code, globals=globals(), repeat=5, number=1)[2:]) for code in (step, answer)]
print(json.dumps(dict(zip(("train_s", "predict_s"), medians, strict=True))))
