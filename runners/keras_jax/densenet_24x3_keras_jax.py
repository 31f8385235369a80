"""The net of the row DenseNet, 3 x 24 dense, in Keras on JAX: only timed."""

from runners.nets.rows import DENSENET_24X3, densenet_row

MODEL = densenet_row(
    key="densenet-24x3-keras-jax",
    order=43,
    library="Keras on JAX",
    implementation="runners.keras_jax.densenet",
    twin_of="densenet-24x3",
    **DENSENET_24X3,
)
