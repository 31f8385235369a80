"""What Keras leaves to PyTorch: gradients without an update, and products without TF32."""

from contextlib import contextmanager
from typing import Any, Iterator, List, Tuple

import torch

from runners.keras_nets.lstm import library
from runners.nets.implementation import Implementation


def gradients(net: Any, inputs: Any, targets: Any, loss: Any) -> Tuple[float, List[Any]]:
    """The loss over the batch, and its gradients in the order of the net's trained weights."""
    value = loss(targets, net(inputs, training=True))
    found = torch.autograd.grad(value, [variable.value for variable in net.trainable_weights])
    return float(value.detach()), [one.cpu().numpy() for one in found]


@contextmanager
def without_tf32() -> Iterator[None]:
    """FP32 on the GPU without TF32 within the block."""
    places = torch.backends.cuda.matmul, torch.backends.cudnn
    before = [place.allow_tf32 for place in places]
    set_precision("float32")
    try:
        yield
    finally:
        for place, allowed in zip(places, before):
            place.allow_tf32 = allowed


def set_precision(precision: str) -> None:
    """On a GPU without TF32. PyTorch takes the precision of its arrays."""
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


_ROW = Implementation(library(gradients, set_precision))
prepare, train_to_quality, prove = _ROW.prepare, _ROW.train_to_quality, _ROW.prove
