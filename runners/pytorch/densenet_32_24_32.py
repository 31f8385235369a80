"""DenseNet, 32 x 24 x 32: transitions that keep 0.5 % of the channels, 4 and 2 of them."""

from runners.contract import Reason
from runners.nets.rows import densenet_row

MODEL = densenet_row(
    key="densenet-32-24-32",
    params="32 x 24 x 32",
    order=8,
    blocks=(32, 24, 32),
    compression=0.005,
    batch_size=16,  # as in the run behind the published figures
    target_accuracy=0.826,
    notes=(Reason("batch-of-16"),),
)
