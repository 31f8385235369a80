"""Plain Keras: the DenseNet's training step and prediction. python densenet_keras.py"""

import json
import timeit

import keras
import numpy as np
from keras import layers


def norm(maps):
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(maps)


def conv(maps, channels, size, bias=True):
    return layers.Conv2D(channels, size, padding="same", use_bias=bias)(maps)


inputs = keras.Input((32, 32, 3))
maps = conv(inputs, 48, 3, bias=False)
for number in range(3):
    if number:
        kept = conv(norm(maps), maps.shape[-1] // 2, 1, bias=False)
        maps = layers.AveragePooling2D(2)(layers.ZeroPadding2D(1)(kept))
    for _ in range(24):
        new = conv(layers.ReLU()(norm(conv(layers.ReLU()(norm(maps)), 96, 1))), 24, 3)
        maps = layers.Concatenate()([maps, new])
pooled = layers.MaxPooling2D(2)(layers.ReLU()(norm(maps)))
net = keras.Model(inputs, layers.Dense(10)(layers.Flatten()(pooled)))
net.compile(keras.optimizers.Adam(1e-4), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
images, labels = np.random.uniform(-1, 1, (32, 32, 32, 3)).astype("float32"), np.random.randint(10, size=32)
train, predict = (lambda: net.train_on_batch(images, labels)), (lambda: net.predict_on_batch(images).argmax(1))
times = [timeit.repeat(call, "import gc; gc.enable()", repeat=5, number=1)[2:] for call in (train, predict)]
print(json.dumps(dict(zip(("train_s", "predict_s"), map(np.median, times), strict=True))))
