"""The DenseNet of ``runners.keras_nets.densenet`` in Keras on JAX."""

from runners.jax.device import set_precision
from runners.keras_nets.keras3 import densenet

prepare, train_to_quality, prove = densenet(set_precision)
