"""DenseNet for images of 32 x 32 (Huang et al., Densely Connected Convolutional Networks, arXiv:1608.06993).

As the published rows had it: bottlenecks of four times the growth rate, biases in the dense layers' convolutions,
transitions without ReLU that pad when they pool, and a max pool instead of a global average at the end.
"""

from typing import Any, List, Sequence

import torch
from torch import nn
from torch.nn import functional

CLASSES = 10
BOTTLENECK = 4  # width of the 1 x 1 convolution, in growth rates


class JoinedNorm(nn.BatchNorm2d):
    """Batch norm of a list of feature maps, each (n, c_i, h, w): gives them concatenated, (n, sum of c_i, h, w).

    Where ``normalize_first`` holds, each is normalized by its own channels' share of the batch norm before they are
    concatenated, not after. A batch norm treats every channel by itself, so the function is the same, but what is
    kept for the backward pass is the feature maps themselves, which all layers of a block share, instead of a
    concatenation of them in every layer.
    """

    def __init__(self, channels: int, normalize_first: bool) -> None:
        super(JoinedNorm, self).__init__(channels)
        self.normalize_first = normalize_first

    def forward(self, features: List[Any]) -> Any:
        if not self.normalize_first:
            return super(JoinedNorm, self).forward(torch.cat(features, 1))
        if self.training:
            self.num_batches_tracked += 1
        widths = [maps.shape[1] for maps in features]
        shares = [values.split(widths) for values in (self.running_mean, self.running_var, self.weight, self.bias)]
        normalized = [
            functional.batch_norm(maps, mean, variance, weight, bias, self.training, self.momentum, self.eps)
            for maps, mean, variance, weight, bias in zip(features, *shares)
        ]
        return torch.cat(normalized, 1)


class DenseLayer(nn.Module):
    """Batch norm, ReLU, 1 x 1 convolution, batch norm, ReLU, 3 x 3 convolution: ``growth`` new feature maps.

    Takes a list of the block's feature maps so far and gives it back one longer.
    """

    def __init__(self, channels: int, growth: int, normalize_first: bool) -> None:
        super(DenseLayer, self).__init__()
        self.norm1 = JoinedNorm(channels, normalize_first)
        self.conv1 = nn.Conv2d(channels, BOTTLENECK * growth, kernel_size=1)
        self.norm2 = nn.BatchNorm2d(BOTTLENECK * growth)
        self.conv2 = nn.Conv2d(BOTTLENECK * growth, growth, kernel_size=3, padding=1)

    def forward(self, features: List[Any]) -> List[Any]:
        bottleneck = self.conv1(functional.relu(self.norm1(features), inplace=True))
        return features + [self.conv2(functional.relu(self.norm2(bottleneck), inplace=True))]


class Transition(nn.Module):
    """Batch norm, 1 x 1 convolution to fewer maps, average pool by 2 with a border of zeros; no ReLU."""

    def __init__(self, channels: int, kept: int, normalize_first: bool) -> None:
        super(Transition, self).__init__()
        self.norm = JoinedNorm(channels, normalize_first)
        self.conv = nn.Conv2d(channels, kept, kernel_size=1, bias=False)
        self.pool = nn.AvgPool2d(kernel_size=2, stride=2, padding=1)

    def forward(self, features: List[Any]) -> List[Any]:
        return [self.pool(self.conv(self.norm(features)))]


class DenseNet(nn.Module):
    """``blocks`` dense layers a block, transitions that keep ``compression`` of the channels between them.

    Takes float images (n, 3, 32, 32); returns logits (n, 10).
    """

    def __init__(
        self, blocks: Sequence[int], compression: float, growth: int = 24, normalize_first: bool = False
    ) -> None:
        super(DenseNet, self).__init__()
        channels, size = 2 * growth, 32
        self.first = nn.Conv2d(3, channels, kernel_size=3, padding=1, bias=False)
        stages: List[nn.Module] = []
        for number, layers in enumerate(blocks):
            if number > 0:
                kept = int(compression * channels)
                stages.append(Transition(channels, kept, normalize_first))
                channels, size = kept, size // 2 + 1
            for _ in range(layers):
                stages.append(DenseLayer(channels, growth, normalize_first))
                channels += growth
        self.stages = nn.Sequential(*stages)
        self.norm = JoinedNorm(channels, normalize_first)
        self.pool = nn.MaxPool2d(kernel_size=2)
        self.linear = nn.Linear(channels * (size // 2) ** 2, CLASSES)

    def forward(self, images: Any) -> Any:
        features = self.stages([self.first(images)])
        return self.linear(torch.flatten(self.pool(functional.relu(self.norm(features), inplace=True)), 1))


def count_parameters(net: nn.Module) -> int:
    """How many numbers the optimizer trains."""
    return sum(parameter.numel() for parameter in net.parameters() if parameter.requires_grad)
