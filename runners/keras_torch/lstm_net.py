"""The LSTM nets of ``runners.keras_nets.lstm`` in Keras on PyTorch."""

from typing import Callable

import torch

from runners.contract import Context, Steps
from runners.keras_nets.lstm import implementation
from runners.pytorch.compat import operators_run


def set_precision(precision: str) -> None:
    """On a GPU without TF32. PyTorch takes the precision of its arrays."""
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def with_operators(prepare: Callable[[Context], Steps]) -> Callable[[Context], Steps]:
    """A row's ``prepare`` whose steps tell which of PyTorch's operators a prediction ran."""

    def prepared(context: Context) -> Steps:
        steps = prepare(context)
        return steps._replace(
            execution=lambda: {"operators": operators_run(lambda: steps.predict(steps.predict_batch()))}
        )

    return prepared


_prepare, train_to_quality, prove = implementation(set_precision)
prepare = with_operators(_prepare)
