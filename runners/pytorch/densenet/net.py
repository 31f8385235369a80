"""The DenseNet for images of 32 x 32 (Huang et al., Densely Connected Convolutional Networks, arXiv:1608.06993).

As the published rows had it: bottlenecks of four times the growth rate, biases in the dense layers' convolutions,
transitions without ReLU that pad when they pool, and a max pool instead of a global average at the end.
"""

from typing import Any, Dict

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from runners.contract import Context
from runners.nets.densenet import BOTTLENECK, CLASSES, parameters, shape_of
from runners.nets.sameness import Description, Subject
from runners.pytorch import compat
from runners.pytorch.densenet.images import channels_first
from runners.pytorch.steps import predict_step, torch_device, train_step

OWN = {"scale": "weight", "offset": "bias", "kernel": "weight", "bias": "bias"}


class DenseLayer(nn.Module):
    """Batch norm, ReLU, 1 x 1 convolution, batch norm, ReLU, 3 x 3 convolution: ``growth`` new feature maps.

    Takes (n, channels, h, w); returns them followed by the new ones: (n, channels + growth, h, w).
    """

    def __init__(self, channels: int, growth: int) -> None:
        super(DenseLayer, self).__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, BOTTLENECK * growth, kernel_size=1)
        self.norm2 = nn.BatchNorm2d(BOTTLENECK * growth)
        self.conv2 = nn.Conv2d(BOTTLENECK * growth, growth, kernel_size=3, padding=1)

    def forward(self, features: Any) -> Any:
        bottleneck = self.conv1(functional.relu(self.norm1(features), inplace=True))
        return torch.cat([features, self.conv2(functional.relu(self.norm2(bottleneck), inplace=True))], 1)


class Transition(nn.Module):
    """Batch norm, 1 x 1 convolution to fewer maps, average pool by 2 with a border of zeros; no ReLU."""

    def __init__(self, channels: int, kept: int) -> None:
        super(Transition, self).__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.conv = nn.Conv2d(channels, kept, kernel_size=1, bias=False)
        self.pool = nn.AvgPool2d(kernel_size=2, stride=2, padding=1)

    def forward(self, features: Any) -> Any:
        return self.pool(self.conv(self.norm(features)))


class DenseNet(nn.Module):
    """Takes float images (n, 3, 32, 32); returns logits (n, 10). ``settings`` are a row's."""

    def __init__(self, settings: Dict[str, Any]) -> None:
        super(DenseNet, self).__init__()
        shape = shape_of(settings)
        self.first = nn.Conv2d(3, shape.first, kernel_size=3, padding=1, bias=False)
        kinds = {"dense": DenseLayer, "transition": Transition}
        self.stages = nn.Sequential(*[kinds[kind](inputs, outputs) for kind, _, inputs, outputs in shape.stages])
        self.norm = nn.BatchNorm2d(shape.channels)
        self.pool = nn.MaxPool2d(kernel_size=2)
        self.linear = nn.Linear(shape.channels * shape.size**2, CLASSES)

    def forward(self, images: Any) -> Any:
        features = self.stages(self.first(images))
        return self.linear(torch.flatten(self.pool(functional.relu(self.norm(features), inplace=True)), 1))


def build(settings: Dict[str, Any], device: str) -> DenseNet:
    """The net of a row's settings on ``device``, with PyTorch's own initial values."""
    return DenseNet(settings).to(torch_device(device))


def to_torch(values: Any) -> Any:
    """A described weight in PyTorch's layout: outputs first, then inputs, rows, columns."""
    order = {4: (3, 2, 0, 1), 2: (1, 0), 1: (0,)}[values.ndim]
    return np.ascontiguousarray(values.transpose(order))


def from_torch(tensor: Any) -> Any:
    """The inverse of ``to_torch``, of a parameter or its gradient."""
    values = tensor.detach().cpu().numpy()
    order = {4: (2, 3, 1, 0), 2: (1, 0), 1: (0,)}[values.ndim]
    return np.array(values.transpose(order))


def open_subject(context: Context, description: Description, precision: str) -> Subject:
    """The described net; on a GPU without TF32, whose rounding would hide small differences."""
    settings, device = context.settings, torch_device(context.device)
    net = build(settings, context.device).to(getattr(torch, precision))
    own = parameters(net, settings, OWN)
    with torch.no_grad():
        for name, parameter in own.items():
            parameter.copy_(torch.from_numpy(to_torch(description.weights[name])))
    optimizer = compat.adam(net.parameters(), description.learning_rate)

    def step(images: Any, labels: Any) -> float:
        net.train()
        batch = channels_first(images.astype(precision)), torch.from_numpy(labels)
        with compat.disable_tf32():
            return float(train_step(net, optimizer, functional.cross_entropy, device, batch))

    def outputs(images: Any) -> Any:
        net.eval()
        with compat.disable_tf32():
            return predict_step(net, device, channels_first(images.astype(precision))).numpy()

    def gradients() -> Dict[str, Any]:
        return {name: from_torch(parameter.grad) for name, parameter in own.items()}

    return Subject(outputs, step, gradients, lambda: {name: from_torch(parameter) for name, parameter in own.items()})
