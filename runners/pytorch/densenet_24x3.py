"""DenseNet, 3 x 24 dense: three blocks of 24 layers, transitions that keep half the channels."""

from runners.nets.rows import DENSENET_24X3, densenet_row

MODEL = densenet_row(key="densenet-24x3", order=7, **DENSENET_24X3)
