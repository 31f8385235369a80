"""The DenseNets described without a framework: stages, names of the weights, initial weights, a batch.

The first convolution is ``first.kernel``. Stages are numbered through all blocks: a dense layer has ``stage0.norm1``
(``.scale`` and ``.offset``), ``stage0.conv1`` (``.kernel`` and ``.bias``), ``stage0.norm2``, ``stage0.conv2``; a
transition ``stage24.norm`` and ``stage24.conv.kernel``. At the end there are ``norm`` and ``linear``. Kernels have the
shape (height, width, inputs, outputs); the linear layer's inputs are in the order channel, row, column.

Batch norm adds 1e-5 to the variance and keeps nine tenths of its running values; a running variance is unbiased.
"""

from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

import numpy as np

from runners.contract import Context
from runners.nets import adam
from runners.nets.lstm import GRID
from runners.nets.sameness import Description

EPSILON, MOMENTUM = 1e-5, 0.1
CLASSES = 10
BOTTLENECK = 4  # width of the 1 x 1 convolution, in growth rates
MEAN = STD = 0.5  # of each channel on the scale 0..1, as the published nets had it
IMAGES = 2  # of the proof: NumPy takes a second per step
TOLERANCES = {
    "float64": {"outputs": 1e-9, "gradients": 1e-8, "later-outputs": 2e-2},
    "float32": {
        "outputs": 1e-3,
        "loss": 1e-4,
        "gradients": 1e-1,
        "parameters": 2.5,
        "losses": 1e-3,
        "later-outputs": 5e-2,
    },
}
"""Keras and Flax keep the biased running variance, which shows in the outputs after training. In float32 a value near
zero may fall on the other side of a ReLU, and Adam makes a full step of the smallest gradient, whatever its sign."""

Weights = Dict[str, Any]


class Shape(NamedTuple):
    """All stages of a net, and what its linear layer gets."""

    first: int  # channels of the first convolution
    stages: List[Tuple[str, str, int, int]]  # (kind, name, channels in, channels out or added)
    channels: int  # at the end
    size: int  # rows and columns at the end, after the pool


def shape_of(settings: Dict[str, Any]) -> Shape:
    """The shape that a row's settings name."""
    growth, channels, size = settings["growth"], 2 * settings["growth"], 32
    first, stages = channels, []
    for number, layers in enumerate(settings["blocks"]):
        if number > 0:
            kept = int(settings["compression"] * channels)
            stages.append(("transition", "stage{}".format(len(stages)), channels, kept))
            channels, size = kept, size // 2 + 1
        for _ in range(layers):
            stages.append(("dense", "stage{}".format(len(stages)), channels, growth))
            channels += growth
    return Shape(first, stages, channels, size // 2)


def shapes(settings: Dict[str, Any]) -> Iterator[Tuple[str, Tuple[int, ...]]]:
    """(name, shape) of every trained weight, in the order in which initial weights are drawn."""

    def norm(name: str, channels: int) -> Iterator[Tuple[str, Tuple[int, ...]]]:
        yield name + ".scale", (channels,)
        yield name + ".offset", (channels,)

    shape = shape_of(settings)
    yield "first.kernel", (3, 3, 3, shape.first)
    for kind, name, inputs, outputs in shape.stages:
        if kind == "transition":
            yield from norm(name + ".norm", inputs)
            yield name + ".conv.kernel", (1, 1, inputs, outputs)
            continue
        wide = BOTTLENECK * outputs
        yield from norm(name + ".norm1", inputs)
        yield name + ".conv1.kernel", (1, 1, inputs, wide)
        yield name + ".conv1.bias", (wide,)
        yield from norm(name + ".norm2", wide)
        yield name + ".conv2.kernel", (3, 3, wide, outputs)
        yield name + ".conv2.bias", (outputs,)
    yield from norm("norm", shape.channels)
    yield "linear.kernel", (shape.channels * shape.size**2, CLASSES)
    yield "linear.bias", (CLASSES,)


def parameters(net: Any, settings: Dict[str, Any], own: Dict[str, str]) -> Dict[str, Any]:
    """A description's name of a weight -> the parameter of a net whose modules are named as here.

    The net's ``stages`` are a list. ``own`` is what the framework calls a module's scale, offset, kernel and bias.
    """
    found = {}
    for name, _ in shapes(settings):
        *path, part = name.split(".")
        module = net
        for step in path:
            module = net.stages[int(step[len("stage") :])] if step.startswith("stage") else getattr(module, step)
        found[name] = getattr(module, own[part])
    return found


def count_parameters(settings: Dict[str, Any]) -> int:
    """How many numbers the optimizer trains."""
    return sum(int(np.prod(shape)) for _, shape in shapes(settings))


def initial_weights(settings: Dict[str, Any], seed: int) -> Weights:
    """Initial weights as PyTorch draws them, float64: uniform within one over the root of a kernel's inputs."""
    random, weights, limit = np.random.RandomState(seed), {}, 0.0
    for name, shape in shapes(settings):
        if name.endswith("scale"):
            weights[name] = np.ones(shape)
        elif name.endswith("offset"):
            weights[name] = np.zeros(shape)
        else:
            if name.endswith("kernel"):
                limit = 1.0 / np.prod(shape[:-1]) ** 0.5
            weights[name] = np.round(random.uniform(-limit, limit, shape) / GRID) * GRID
    return weights


def channels_last_kernel(kernel: Any, settings: Dict[str, Any]) -> Any:
    """The linear layer's kernel for features in the order row, column, channel."""
    shape = shape_of(settings)
    by_channel = kernel.reshape(shape.channels, shape.size, shape.size, CLASSES)
    return by_channel.transpose(1, 2, 0, 3).reshape(-1, CLASSES)


def channels_first_kernel(kernel: Any, settings: Dict[str, Any]) -> Any:
    """The inverse of ``channels_last_kernel``."""
    shape = shape_of(settings)
    by_place = kernel.reshape(shape.size, shape.size, shape.channels, CLASSES)
    return by_place.transpose(2, 0, 1, 3).reshape(-1, CLASSES)


def scaled(images: Any) -> Any:
    """Float32 images (n, 32, 32, 3) in -1..1 from uint8."""
    return (np.asarray(images).astype(np.float32) / 255 - MEAN) / STD


class Batches(NamedTuple):
    """Real images drawn by the seed, in host memory: float32 (n, 32, 32, 3) and int64 labels (n,)."""

    images: Any
    labels: Any
    predict: Any  # images of the test part


def batches(context: Context, count: Optional[int] = None) -> Batches:
    """One batch to train on and one to predict; of ``count`` images instead of the row's."""
    data, wanted = context.data, count or context.settings["batch_size"]
    train, test = (
        np.random.RandomState(context.seed).permutation(len(labels))[:wanted]
        for labels in (data.train_labels, data.test_labels)
    )
    labels = np.array(data.train_labels[train], np.int64)
    return Batches(scaled(data.train_images[train]), labels, scaled(data.test_images[test]))


def describe(context: Context) -> Description:
    """The net of a row as it is proven: initial weights from the seed, a few real images."""
    settings, batch = context.settings, batches(context, IMAGES)
    weights = initial_weights(settings, context.seed)
    sizes = {name: settings[name] for name in ("blocks", "compression", "growth")}
    return Description(
        net=context.model.twin_of or context.model.key,
        weights=weights,
        inputs=batch.images,
        targets=batch.labels,
        learning_rate=settings["timing_learning_rate"],
        constants=dict(
            adam.CONSTANTS,
            epsilon=adam.EPSILON_OF_DENSENET,
            learning_rate=settings["timing_learning_rate"],
            norm={"epsilon": EPSILON, "momentum": MOMENTUM},
            loss="cross-entropy, mean over the batch",
            **sizes,
        ),
        # A batch norm follows every one of these convolutions and takes their bias away again.
        idle=tuple(name for name in weights if ".conv" in name and name.endswith("bias")),
        jumps=True,
        tolerances=TOLERANCES,
    )
