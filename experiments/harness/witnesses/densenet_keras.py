"""Plain Keras: a DenseNet's training step and prediction. python densenet_keras.py [24,24,24] 0.5 32"""

import json
import statistics
import sys
import timeit

import keras
import numpy as np
from keras import layers

blocks, compression, batch = json.loads(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])


def norm(maps):
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(maps)


def conv(maps, channels, size, **named):
    return layers.Conv2D(channels, size, padding="same", **named)(maps)


inputs = keras.Input((32, 32, 3))
maps = conv(inputs, 48, 3, use_bias=False)
for number, count in enumerate(blocks):
    if number:
        kept = conv(norm(maps), int(compression * maps.shape[-1]), 1, use_bias=False)
        maps = layers.AveragePooling2D(2)(layers.ZeroPadding2D(1)(kept))
    for _ in range(count):
        new = conv(layers.ReLU()(norm(maps)), 96, 1)
        maps = layers.Concatenate()([maps, conv(layers.ReLU()(norm(new)), 24, 3)])
pooled = layers.MaxPooling2D(2)(layers.ReLU()(norm(maps)))
net = keras.Model(inputs, layers.Dense(10)(layers.Flatten()(pooled)))
net.compile(keras.optimizers.Adam(1e-4), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
images = np.random.uniform(-1, 1, (batch, 32, 32, 3)).astype(np.float32)
labels = np.random.randint(10, size=batch)


def seconds(call):
    timer = timeit.Timer(call, setup="import gc; gc.enable()")
    timer.timeit(2)
    return statistics.median(timer.repeat(10, 1))


steps = {"train_s": seconds(lambda: net.train_on_batch(images, labels))}
print(json.dumps({**steps, "predict_s": seconds(lambda: net.predict_on_batch(images).argmax(1))}))
