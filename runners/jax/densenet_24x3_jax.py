"""The net of the row DenseNet, 3 x 24 dense, in JAX: only timed."""

from runners.nets.rows import DENSENET_24X3, densenet_row

MODEL = densenet_row(
    key="densenet-24x3-jax",
    order=33,
    library="JAX",
    implementation="runners.jax.densenet",
    twin_of="densenet-24x3",
    **DENSENET_24X3,
)
