"""The net of ``runners.nets.airline_lstm`` in Keras on PyTorch."""

from runners.keras_torch.net import LIBRARY
from runners.nets import airline_lstm
from runners.nets.implementation import Implementation

_ROW = Implementation(airline_lstm, LIBRARY)
prepare, train_to_quality, prove = _ROW.prepare, _ROW.train_to_quality, _ROW.prove
