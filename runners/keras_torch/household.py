"""The net of ``runners.nets.household_bilstm`` in Keras on PyTorch."""

from runners.keras_torch.net import LIBRARY
from runners.nets import household_bilstm
from runners.nets.implementation import Implementation

_ROW = Implementation(household_bilstm, LIBRARY)
prepare, train_to_quality, prove = _ROW.prepare, _ROW.train_to_quality, _ROW.prove
