"""What the PyTorch tests share: a small net, a small data set and contexts on it."""

import numpy as np

from runners.contract import Context
from runners.data.cifar10 import Cifar10
from runners.data.source import Source
from runners.registry import load_model

NET = {"blocks": [2, 2], "compression": 0.5, "growth": 4, "timing_learning_rate": 1e-4, "batch_size": 8}
TRAINING = dict(
    NET,
    learning_rate=1e-3,
    epochs=3,
    target_accuracy=None,
    checkpoint_every=2,
    train_images=None,
    test_images=None,
    on_cpu=True,
)


def small_data(train=40, test=20):
    """Images whose brightness shows their class, with noise."""
    generator = np.random.RandomState(3)

    def part(count):
        labels = np.arange(count) % 10
        noise = generator.randint(0, 40, (count, 32, 32, 3))
        return (noise + 20 * labels[:, None, None, None]).astype(np.uint8), labels.astype(np.uint8)

    return Cifar10(*(part(train) + part(test)), source=Source("cifar10", "made for a test", "0" * 64))


def make_context(settings=NET, folder=None, seed=1, data=None, progress=lambda phase, done, total: None):
    """A context on the CPU with one thread."""
    from runners.pytorch.backend import open_backend

    backend = open_backend("cpu", 1)
    backend.seed(seed)
    checkpoints = None if folder is None else str(folder)
    model = load_model("pytorch", "densenet-24x3")
    return Context(backend, model, "cpu", "full", settings, seed, data or small_data(), progress, checkpoints)
