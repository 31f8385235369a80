"""The net of the row DenseNet, 3 x 24 dense, in JAX: only timed."""

from runners.nets.rows import densenet_24x3_row

MODEL = densenet_24x3_row("densenet-24x3-jax", "JAX", "runners.jax.densenet", order=33)
