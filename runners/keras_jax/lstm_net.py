"""What Keras leaves to JAX: float64."""

import jax

from runners.keras_nets.lstm import library
from runners.nets.implementation import Implementation


def set_precision(precision: str) -> None:
    """Compute in float64, or not; on a GPU without TF32. Only a process that times nothing calls it."""
    jax.config.update("jax_enable_x64", precision == "float64")
    jax.config.update("jax_default_matmul_precision", "highest")


_ROW = Implementation(library(set_precision))
prepare, train_to_quality, prove = _ROW.prepare, _ROW.train_to_quality, _ROW.prove
