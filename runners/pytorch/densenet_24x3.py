"""DenseNet, 3 x 24 dense: three blocks of 24 layers, transitions that keep half the channels."""

from runners.nets.rows import densenet_row

MODEL = densenet_row(
    key="densenet-24x3",
    params="3 x 24 dense",
    order=7,
    blocks=(24, 24, 24),
    compression=0.5,
    batch_size=32,
    target_accuracy=0.886,
)
