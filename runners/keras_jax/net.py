"""What Keras leaves to JAX: gradients without an update, and float64."""

from typing import Any, List, Tuple

import jax
import numpy as np

from runners.keras_nets.lstm import library
from runners.nets.implementation import Implementation


def gradients(net: Any, inputs: Any, targets: Any, loss: Any) -> Tuple[float, List[Any]]:
    """The loss over the batch, and its gradients in the order of the net's trained weights."""
    others = [variable.value for variable in net.non_trainable_variables]

    def loss_of(trained: List[Any]) -> Any:
        return loss(targets, net.stateless_call(trained, others, inputs, training=True)[0])

    value, found = jax.jit(jax.value_and_grad(loss_of))([variable.value for variable in net.trainable_variables])
    return float(value), [np.asarray(one) for one in found]


def set_precision(precision: str) -> None:
    """Compute in float64, or not; on a GPU without TF32. Only a process that times nothing calls it."""
    jax.config.update("jax_enable_x64", precision == "float64")
    jax.config.update("jax_default_matmul_precision", "highest")


_ROW = Implementation(library(gradients, set_precision))
prepare, train_to_quality, prove = _ROW.prepare, _ROW.train_to_quality, _ROW.prove
