"""What may make a JAX row faster without changing what it computes."""

from functools import partial
from typing import Any, Dict

import flax
import jax
from flax import nnx

from runners.contract import Context, OptionUnavailable, Variant
from runners.jax.lstm_net import build, optimizer_of, predict_step, steps, update
from runners.nets.implementation import start


def prepare(context: Context, settings: Dict[str, Any]) -> Variant:
    """The row with the options' settings.

    ``donate`` lets XLA write the new weights and moments where the old ones lie; ``cached_partial`` looks through net
    and optimizer once and not on every call.
    """
    timed, weights = start(context)
    net = build(weights)
    optimizer = optimizer_of(net, timed.learning_rate)
    step = nnx.jit(update, donate_argnums=(0, 1) if settings.get("donate") else ())
    bind: Any = partial
    if settings.get("cached_partial"):
        if not hasattr(nnx, "cached_partial"):
            raise OptionUnavailable(
                "option-missing", framework="Flax", version=flax.__version__, option="cached-partial"
            )
        bind = nnx.cached_partial
    variant = steps(timed, net, bind(step, net, optimizer), bind(predict_step, net))

    def outputs() -> Any:
        with jax.default_matmul_precision("highest"):
            return variant.predict(timed.batch[0]).ravel()

    return Variant(variant, outputs)
