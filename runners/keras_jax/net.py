"""What Keras leaves to JAX: gradients without an update, and float64."""

from typing import Any, List, Tuple

import jax
import numpy as np
from jax import numpy as jnp

from runners.keras3.net import library


def gradients(net: Any, inputs: Any, targets: Any) -> Tuple[float, List[Any]]:
    """The mean squared error, and its gradients in the order of the net's weights."""
    others = [variable.value for variable in net.non_trainable_variables]

    def loss_of(trained: List[Any]) -> Any:
        outputs, _ = net.stateless_call(trained, others, inputs, training=True)
        return jnp.mean((outputs - targets) ** 2)

    loss, found = jax.value_and_grad(loss_of)([variable.value for variable in net.trainable_variables])
    return float(loss), [np.asarray(one) for one in found]


def set_precision(precision: str) -> None:
    """Compute in float64, or not; on a GPU without TF32. Only a process that times nothing calls it."""
    jax.config.update("jax_enable_x64", precision == "float64")
    jax.config.update("jax_default_matmul_precision", "highest")


LIBRARY = library(gradients, set_precision)
