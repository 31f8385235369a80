"""What Keras leaves to PyTorch: gradients without an update, and float64."""

from typing import Any, List, Tuple

import torch

from runners.keras3.net import library


def gradients(net: Any, inputs: Any, targets: Any) -> Tuple[float, List[Any]]:
    """The mean squared error, and its gradients in the order of the net's weights."""
    variables = [variable.value for variable in net.trainable_weights]
    outputs = net(inputs, training=True)
    loss = ((outputs - torch.as_tensor(targets, device=outputs.device)) ** 2).mean()
    found = torch.autograd.grad(loss, variables)
    return float(loss.detach()), [one.cpu().numpy() for one in found]


def set_precision(precision: str) -> None:
    """On a GPU without TF32. PyTorch takes the precision of its arrays."""
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


LIBRARY = library(gradients, set_precision)
