"""What Keras leaves to PyTorch: gradients without an update, and products without TF32."""

from typing import Any, List, Tuple

import torch

from runners.keras_nets.lstm import library


def gradients(net: Any, inputs: Any, targets: Any, loss: Any) -> Tuple[float, List[Any]]:
    """The loss over the batch, and its gradients in the order of the net's trained weights."""
    value = loss(targets, net(inputs, training=True))
    found = torch.autograd.grad(value, [variable.value for variable in net.trainable_weights])
    return float(value.detach()), [one.cpu().numpy() for one in found]


def set_precision(precision: str) -> None:
    """On a GPU without TF32. PyTorch takes the precision of its arrays."""
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


LIBRARY = library(gradients, set_precision)
