"""From the stored images to the tensors that a net takes, and the order of an epoch."""

from typing import Any, Optional, Tuple

import numpy as np
import torch

from runners.nets.densenet import scaled


def to_tensor(images: Any, flipped: Optional[Any] = None) -> Any:
    """Float tensor (n, 3, 32, 32) in -1..1 from uint8 (n, 32, 32, 3); those that ``flipped`` (n,) marks, mirrored."""
    images = np.array(images)
    if flipped is not None:
        images[flipped] = images[flipped, :, ::-1]
    return channels_first(scaled(images))


def channels_first(images: Any) -> Any:
    """Tensor (n, 3, 32, 32) from (n, 32, 32, 3)."""
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))


def labels_to_tensor(labels: Any) -> Any:
    """Tensor of int64 (n,), which cross-entropy asks for."""
    return torch.from_numpy(np.array(labels, np.int64))


def choose(labels: Any, count: Optional[int], seed: int) -> Any:
    """Positions of ``count`` images drawn without replacement; of all, in their order, for ``None``."""
    if count is None:
        return np.arange(len(labels))
    return np.random.RandomState(seed).permutation(len(labels))[:count]


def epoch_order(count: int, seed: int, epoch: int) -> Tuple[Any, Any]:
    """The order of an epoch's images and which are mirrored, both (count,).

    They follow from seed and epoch alone, so a training that continues in the middle of an epoch needs to know only
    where it stopped.
    """
    generator = np.random.RandomState([seed, epoch])
    return generator.permutation(count), generator.random_sample(count) < 0.5
