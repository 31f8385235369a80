"""The DenseNet of ``runners.keras_nets.densenet`` in Keras on PyTorch."""

from runners.keras_nets.keras3 import densenet
from runners.keras_torch.lstm_net import set_precision, with_operators

_prepare, train_to_quality, prove = densenet(set_precision)
prepare = with_operators(_prepare)
