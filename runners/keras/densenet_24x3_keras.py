"""The net of the row DenseNet, 3 x 24 dense, in Keras: only timed."""

from runners.nets.rows import DENSENET_24X3, densenet_row

MODEL = densenet_row(
    key="densenet-24x3-keras",
    order=23,
    library="Keras",
    implementation="runners.keras.twins.densenet",
    twin_of="densenet-24x3",
    **DENSENET_24X3,
)
