"""DenseNet, 3 x 24 dense: three blocks of 24 layers, transitions that keep half the channels."""

from runners.nets.rows import densenet_24x3_row

MODEL = densenet_24x3_row("densenet-24x3", "PyTorch", "runners.pytorch.densenet.row", order=7, twin_of=None)
