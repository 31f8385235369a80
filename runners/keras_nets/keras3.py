"""What the rows in Keras 3 share, on whatever backend: a fresh start in a precision, and the DenseNet."""

from typing import Any, Callable, List

import keras

from runners.keras_nets.densenet import Kit, library
from runners.nets.densenet import TOLERANCES
from runners.nets.densenet_implementation import Library

PARTLY_FLOAT32 = {"outputs": 1e-5, "loss": 1e-6, "gradients": 1e-5, "parameters": 1e-3}
"""Tolerances in float64: on these backends Keras computes parts of it in float32, the state's tanh on JAX for one."""

AS_IN_FLOAT32 = dict(TOLERANCES["float32"], outputs=PARTLY_FLOAT32["outputs"], loss=PARTLY_FLOAT32["loss"])
"""Those of the DenseNet, whose batch norms are among these parts: what float32 does to a ReLU, it does here too."""


def fresh(precision: str) -> None:
    """Forget all nets, and build and train in "float32" or "float64" from now on."""
    keras.config.set_floatx(precision)
    keras.backend.clear_session()


def first_moments(net: Any) -> List[Any]:
    """Adam's, in the order of the net's trained weights."""
    return [keras.ops.convert_to_numpy(moment) for moment in net.optimizer._momentums]


def densenet_library(set_precision: Callable[[str], None]) -> Library:
    """The DenseNet on a backend, whose way to float64 is passed in."""

    def loss() -> Any:
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def start(precision: str) -> None:
        fresh(precision)
        set_precision(precision)

    return library(Kit(keras, loss, start, first_moments, AS_IN_FLOAT32))
