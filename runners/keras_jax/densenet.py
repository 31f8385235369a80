"""The DenseNet of ``runners.keras_nets.densenet`` in Keras on JAX."""

from runners.keras_jax.lstm_net import set_precision
from runners.keras_nets.keras3 import densenet_library
from runners.nets.densenet_implementation import Implementation

_ROW = Implementation(densenet_library(set_precision))
prepare, train_to_quality, prove = _ROW.prepare, _ROW.train_to_quality, _ROW.prove
