"""DenseNet for images of 32 x 32 (Huang et al., Densely Connected Convolutional Networks, arXiv:1608.06993).

As the published rows had it: bottlenecks of four times the growth rate, biases in the dense layers' convolutions,
transitions without ReLU that pad when they pool, and a max pool instead of a global average at the end.
"""

from typing import Any, List, Sequence

import torch
from torch import nn
from torch.nn import functional

from runners.nets.densenet import BOTTLENECK, CLASSES


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
    """``blocks`` dense layers in each block, transitions that keep ``compression`` of the channels between them.

    Takes float images (n, 3, 32, 32); returns logits (n, 10).
    """

    def __init__(self, blocks: Sequence[int], compression: float, growth: int = 24) -> None:
        super(DenseNet, self).__init__()
        channels, size = 2 * growth, 32
        self.first = nn.Conv2d(3, channels, kernel_size=3, padding=1, bias=False)
        stages: List[nn.Module] = []
        for number, layers in enumerate(blocks):
            if number > 0:
                kept = int(compression * channels)
                stages.append(Transition(channels, kept))
                channels, size = kept, size // 2 + 1
            for _ in range(layers):
                stages.append(DenseLayer(channels, growth))
                channels += growth
        self.stages = nn.Sequential(*stages)
        self.norm = nn.BatchNorm2d(channels)
        self.pool = nn.MaxPool2d(kernel_size=2)
        self.linear = nn.Linear(channels * (size // 2) ** 2, CLASSES)

    def forward(self, images: Any) -> Any:
        features = self.stages(self.first(images))
        return self.linear(torch.flatten(self.pool(functional.relu(self.norm(features), inplace=True)), 1))


def count_parameters(net: nn.Module) -> int:
    """How many numbers the optimizer trains."""
    return sum(parameter.numel() for parameter in net.parameters() if parameter.requires_grad)


def torch_device(device: str) -> Any:
    """PyTorch's device for "cpu" or "gpu": the first GPU."""
    return torch.device("cuda:0" if device == "gpu" else "cpu")


def build(settings: Any, device: str) -> DenseNet:
    """The net of a row's settings on ``device``, with PyTorch's own initial values."""
    net = DenseNet(settings["blocks"], settings["compression"], settings["growth"])
    return net.to(torch_device(device))
