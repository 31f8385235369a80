"""A described DenseNet in PyTorch, for the proof that it is the same net."""

from typing import Any, Dict

import numpy as np
import torch
from torch.nn import functional

from runners.contract import Context
from runners.nets.densenet import shape_of
from runners.nets.sameness import Description, Twin
from runners.pytorch import compat
from runners.pytorch.densenet import DenseNet, build, torch_device

NORM = (("scale", "weight"), ("offset", "bias"))
CONVOLUTION = (("kernel", "weight"), ("bias", "bias"))


def places(net: DenseNet, settings: Dict[str, Any]) -> Dict[str, Any]:
    """A description's name of a weight -> PyTorch's parameter."""
    found = {"first.kernel": net.first.weight}
    modules = [("norm", net.norm, NORM), ("linear", net.linear, CONVOLUTION)]
    for (kind, name, _, _), stage in zip(shape_of(settings).stages, net.stages):
        parts = ("norm", "conv") if kind == "transition" else ("norm1", "conv1", "norm2", "conv2")
        modules += [
            ("{}.{}".format(name, part), getattr(stage, part), NORM if part.startswith("norm") else CONVOLUTION)
            for part in parts
        ]
    for name, module, names in modules:
        for part, own in names:
            if getattr(module, own) is not None:
                found["{}.{}".format(name, part)] = getattr(module, own)
    return found


def to_torch(values: Any) -> Any:
    """A described weight in PyTorch's layout: outputs first, then inputs, rows, columns."""
    order = {4: (3, 2, 0, 1), 2: (1, 0), 1: (0,)}[values.ndim]
    return np.ascontiguousarray(values.transpose(order))


def from_torch(tensor: Any) -> Any:
    """The inverse of ``to_torch``, of a parameter or its gradient."""
    values = tensor.detach().cpu().numpy()
    order = {4: (2, 3, 1, 0), 2: (1, 0), 1: (0,)}[values.ndim]
    return np.array(values.transpose(order))


def open_twin(context: Context, description: Description, precision: str) -> Twin:
    """The described net; on a GPU without TF32, whose rounding would hide small differences."""
    settings, device = context.settings, torch_device(context.device)
    net = build(settings, context.device).to(getattr(torch, precision))
    with torch.no_grad():
        for name, parameter in places(net, settings).items():
            parameter.copy_(torch.from_numpy(to_torch(description.weights[name])))
    optimizer = compat.adam(net.parameters(), description.learning_rate)

    def tensor(images: Any) -> Any:
        return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2), precision)).to(device)

    def step(images: Any, labels: Any) -> float:
        net.train()
        net.zero_grad()
        with compat.disable_tf32():
            loss = functional.cross_entropy(net(tensor(images)), torch.from_numpy(labels).to(device))
            loss.backward()
            optimizer.step()
        return float(loss.detach())

    def outputs(images: Any) -> Any:
        net.eval()
        with torch.no_grad(), compat.disable_tf32():
            return net(tensor(images)).cpu().numpy()

    return Twin(
        outputs=outputs,
        step=step,
        gradients=lambda: {name: from_torch(parameter.grad) for name, parameter in places(net, settings).items()},
        parameters=lambda: {name: from_torch(parameter) for name, parameter in places(net, settings).items()},
    )
