"""The net of the row DenseNet, 3 x 24 dense, in Keras on PyTorch: only timed."""

from runners.nets.rows import DENSENET_24X3, densenet_row

MODEL = densenet_row(
    key="densenet-24x3-keras-torch",
    order=53,
    library="Keras on PyTorch",
    implementation="runners.keras_torch.densenet",
    twin_of="densenet-24x3",
    **DENSENET_24X3,
)
