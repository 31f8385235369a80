"""What the rows in Keras 3 on JAX and on PyTorch share: a fresh start in a precision, and the DenseNet."""

from functools import partial
from typing import Any, Callable, List

import keras

from runners.contract import Implementation, OptionUnavailable
from runners.keras_nets.densenet import Kit, implementation

PARTLY_FLOAT32 = {"outputs": 1e-5, "loss": 1e-6, "gradients": 1e-5, "parameters": 1e-3}
"""Tolerances in float64: on these backends Keras computes parts of it in float32, the state's tanh on JAX for one."""


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

    def in_precision(precision: str) -> None:
        if precision == "float64":  # Keras casts what a batch norm gets to float32 on these backends
            option, title = "batch norm in float64", "Keras on {}".format(keras.backend.backend())
            raise OptionUnavailable("option-missing", framework=title, version=keras.__version__, option=option)
        start(precision, set_precision)

    loss = partial(keras.losses.SparseCategoricalCrossentropy, from_logits=True)
    return implementation(Kit(keras, loss, in_precision, first_moments))
