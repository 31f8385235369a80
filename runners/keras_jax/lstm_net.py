"""The LSTM nets of ``runners.keras_nets.lstm`` in Keras on JAX."""

from runners.jax.device import set_precision
from runners.keras_nets.lstm import implementation

prepare, train_to_quality, prove = implementation(set_precision)
