"""What the rows in Keras 3 share, on whatever backend: a fresh start in a precision, and the DenseNet."""

from functools import partial
from typing import Any, Callable, List

import keras

from runners.contract import Implementation
from runners.keras_nets.densenet import Kit, implementation
from runners.nets.densenet import TOLERANCES

PARTLY_FLOAT32 = {"outputs": 1e-5, "loss": 1e-6, "gradients": 1e-5, "parameters": 1e-3}
"""Tolerances in float64: on these backends Keras computes parts of it in float32, the state's tanh on JAX for one."""

AS_IN_FLOAT32 = dict(TOLERANCES["float32"], outputs=PARTLY_FLOAT32["outputs"], loss=PARTLY_FLOAT32["loss"])
"""Those of the DenseNet, whose batch norms are among these parts: what float32 does to a ReLU, it does here too."""


def start(precision: str, set_precision: Callable[[str], None]) -> None:
    """Forget all nets, and build and train in "float32" or "float64" from now on; the backend has its own way to it."""
    keras.config.set_floatx(precision)
    keras.backend.clear_session()
    set_precision(precision)


def first_moments(net: Any) -> List[Any]:
    """Adam's, in the order of the net's trained weights."""
    return [keras.ops.convert_to_numpy(moment) for moment in net.optimizer._momentums]


def densenet(set_precision: Callable[[str], None]) -> Implementation:
    """The DenseNet's functions on a backend, whose way to float64 is passed in."""

    def loss() -> Any:
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    in_precision = partial(start, set_precision=set_precision)
    return implementation(Kit(keras, loss, in_precision, first_moments, AS_IN_FLOAT32))
