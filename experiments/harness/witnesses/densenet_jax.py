"""Plain Flax NNX: a DenseNet's training step and prediction. python densenet_jax.py [24,24,24] 0.5 32"""

import json
import sys
import timeit

import jax
import numpy as np
import optax
from flax import nnx

blocks, compression, batch = json.loads(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
rngs = nnx.Rngs(0)


def norm(channels):
    return nnx.BatchNorm(channels, momentum=0.9, epsilon=1e-5, rngs=rngs)


def conv(inputs, outputs, size, **named):
    return nnx.Conv(inputs, outputs, (size, size), rngs=rngs, **named)


class Layer(nnx.Module):
    def __init__(self, channels):
        self.first = nnx.Sequential(norm(channels), nnx.relu, conv(channels, 96, 1))
        self.second = nnx.Sequential(norm(96), nnx.relu, conv(96, 24, 3))

    def __call__(self, maps):
        return jax.numpy.concatenate([maps, self.second(self.first(maps))], -1)


def average(maps):
    return nnx.avg_pool(maps, (2, 2), (2, 2), ((1, 1), (1, 1)))


channels, size, parts = 48, 32, [conv(3, 48, 3, use_bias=False)]
for number, count in enumerate(blocks):
    if number:
        kept = int(compression * channels)
        parts += [norm(channels), conv(channels, kept, 1, use_bias=False), average]
        channels, size = kept, size // 2 + 1
    for _ in range(count):
        parts.append(Layer(channels))
        channels += 24
parts += [norm(channels), nnx.relu, lambda maps: nnx.max_pool(maps, (2, 2), (2, 2)).reshape(len(maps), -1)]
net = nnx.Sequential(*parts, nnx.Linear(channels * (size // 2) ** 2, 10, rngs=rngs))
optimizer = nnx.Optimizer(net, optax.adam(1e-4), wrt=nnx.Param)


@nnx.jit
def train(net, optimizer, images, labels):
    def loss(net):
        return optax.softmax_cross_entropy_with_integer_labels(net(images), labels).mean()

    optimizer.update(net, nnx.grad(loss)(net))


predict = nnx.jit(lambda net, images: net(images).argmax(1))
images = np.random.uniform(-1, 1, (batch, 32, 32, 3)).astype(np.float32)
labels = np.random.randint(10, size=batch)
bias = net.layers[-1].bias


def median(code):
    timer = timeit.Timer(code, globals=globals())
    timer.timeit(2)
    return np.median(timer.repeat(10, 1))


steps = {"train_s": median("train(net, optimizer, images, labels); bias[...].block_until_ready()")}
net.eval()
print(json.dumps({**steps, "predict_s": median("np.asarray(predict(net, images))")}))
