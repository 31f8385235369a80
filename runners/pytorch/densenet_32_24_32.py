"""DenseNet, 32 x 24 x 32: transitions that keep a two-hundredth of the channels, 4 and 2 of them."""

from runners.pytorch.rows import densenet_row

MODEL = densenet_row(
    key="densenet-32-24-32",
    params="32 x 24 x 32",
    position=8,
    blocks=(32, 24, 32),
    compression=0.005,
    batch_size=16,
    target_accuracy=0.826,
    note=(
        "DenseNet 32 x 24 x 32 takes batches of 16, as the run behind its published figures did, though the published "
        "legend says 32 throughout."
    ),
)
