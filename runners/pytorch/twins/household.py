"""The net of ``runners.nets.household_bilstm`` in PyTorch."""

from runners.nets import household_bilstm
from runners.nets.implementation import Implementation
from runners.pytorch.twins.lstm import LIBRARY

_ROW = Implementation(household_bilstm, LIBRARY)
prepare, train_to_quality, prove = _ROW.prepare, _ROW.train_to_quality, _ROW.prove
