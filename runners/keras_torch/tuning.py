"""What may make a row in Keras on PyTorch faster without changing what it computes."""

from typing import Any, Dict

import numpy as np

from runners.contract import Context, Variant
from runners.keras_nets.compiled import steps
from runners.keras_nets.lstm import build
from runners.nets.implementation import start
from runners.pytorch.compat import disable_tf32


def prepare(context: Context, settings: Dict[str, Any]) -> Variant:
    """The row with the options' settings: ``compile`` hands Keras' steps to torch.compile."""
    timed, weights = start(context)
    net = build(timed.window, weights, timed.learning_rate, True if settings.get("compile") else "auto")

    def outputs() -> Any:
        with disable_tf32():
            return np.asarray(net.predict_on_batch(timed.batch[0])).ravel()

    return Variant(steps(timed, net), outputs)
