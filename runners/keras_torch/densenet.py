"""The DenseNet of ``runners.keras_nets.densenet`` in Keras on PyTorch."""

from typing import Any

import keras

from runners.keras_nets.densenet import Kit, library
from runners.keras_nets.lstm import fresh
from runners.keras_torch.net import gradients, set_precision
from runners.nets.densenet_implementation import Implementation


def _loss() -> Any:
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def _set_precision(precision: str) -> None:
    fresh(precision)
    set_precision(precision)


_KIT = Kit(keras, _loss, _set_precision, lambda net, images, labels: gradients(net, images, labels, _loss()))
_ROW = Implementation(library(_KIT))
prepare, train_to_quality, prove = _ROW.prepare, _ROW.train_to_quality, _ROW.prove
