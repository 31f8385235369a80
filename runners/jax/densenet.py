"""The DenseNet in Flax NNX, from the weights of a description."""

from typing import Any, Dict, List, Tuple

import jax
import numpy as np
import optax
from flax import nnx
from jax import numpy as jnp

from runners.contract import Context, Steps, digest
from runners.jax import device
from runners.jax.lstm_net import first_moments
from runners.nets.adam import EPSILON_OF_DENSENET, first_gradient
from runners.nets.densenet import (
    BOTTLENECK,
    CLASSES,
    EPSILON,
    MOMENTUM,
    Batches,
    Weights,
    channels_first_kernel,
    channels_last_kernel,
    parameters,
    shape_of,
)
from runners.nets.densenet_implementation import implement, timed_steps
from runners.nets.sameness import Description, Subject

QUICKLY = {
    "xla_backend_optimization_level": 0,
    "xla_llvm_disable_expensive_passes": True,
    "xla_cpu_use_fusion_emitters": False,
}
"""XLA compiles the step for the CPU in half of the time with these options, and the step is slower."""

OWN = {"scale": "scale", "offset": "bias", "kernel": "kernel", "bias": "bias"}


def empty(key: Any, shape: Tuple[int, ...], dtype: Any) -> Any:
    """A weight that ``build`` fills. JAX compiles an initializer for every shape, random ones for 40 s in all."""
    return np.empty(shape, dtype)


class Maker:
    """Makes layers in one precision."""

    def __init__(self, precision: str) -> None:
        named = getattr(jnp, precision)
        self._named = {"param_dtype": named, "dtype": named, "bias_init": empty, "rngs": nnx.Rngs(0)}
        self._kernel = {"kernel_init": empty, **self._named}

    def norm(self, channels: int) -> Any:
        """Flax calls momentum what is kept of the running values."""
        return nnx.BatchNorm(channels, momentum=1 - MOMENTUM, epsilon=EPSILON, scale_init=empty, **self._named)

    def convolution(self, inputs: int, outputs: int, size: int, bias: bool = True) -> Any:
        """A convolution that keeps rows and columns."""
        return nnx.Conv(inputs, outputs, (size, size), use_bias=bias, **self._kernel)

    def linear(self, inputs: int) -> Any:
        """The last layer."""
        return nnx.Linear(inputs, CLASSES, **self._kernel)


class DenseLayer(nnx.Module):
    """Takes (n, h, w, channels); returns them followed by ``growth`` new ones."""

    def __init__(self, channels: int, growth: int, make: Maker) -> None:
        self.norm1, self.conv1 = make.norm(channels), make.convolution(channels, BOTTLENECK * growth, 1)
        self.norm2, self.conv2 = make.norm(BOTTLENECK * growth), make.convolution(BOTTLENECK * growth, growth, 3)

    def __call__(self, features: Any) -> Any:
        bottleneck = self.conv1(nnx.relu(self.norm1(features)))
        return jnp.concatenate([features, self.conv2(nnx.relu(self.norm2(bottleneck)))], axis=-1)


class Transition(nnx.Module):
    """Batch norm, 1 x 1 convolution to fewer maps, average pool by 2 with a border of zeros; no ReLU."""

    def __init__(self, channels: int, kept: int, make: Maker) -> None:
        self.norm, self.conv = make.norm(channels), make.convolution(channels, kept, 1, bias=False)

    def __call__(self, features: Any) -> Any:
        return nnx.avg_pool(self.conv(self.norm(features)), (2, 2), strides=(2, 2), padding=((1, 1), (1, 1)))


class DenseNet(nnx.Module):
    """Float images (n, 32, 32, 3) to logits (n, 10)."""

    def __init__(self, settings: Dict[str, Any], precision: str) -> None:
        shape, make = shape_of(settings), Maker(precision)
        self.first = make.convolution(3, shape.first, 3, bias=False)
        kinds = {"dense": DenseLayer, "transition": Transition}
        self.stages = nnx.List([kinds[kind](inputs, outputs, make) for kind, _, inputs, outputs in shape.stages])
        self.norm = make.norm(shape.channels)
        self.linear = make.linear(shape.channels * shape.size**2)

    def __call__(self, images: Any) -> Any:
        features = self.first(images)
        for stage in self.stages:
            features = stage(features)
        pooled = nnx.max_pool(nnx.relu(self.norm(features)), (2, 2), strides=(2, 2))
        return self.linear(pooled.reshape(len(images), -1))


def places(net: DenseNet, settings: Dict[str, Any]) -> Dict[str, Any]:
    """A description's name of a weight -> Flax's parameter, in the same layout but for the linear layer's kernel."""
    return parameters(net, settings, OWN)


def build(weights: Weights, settings: Dict[str, Any], precision: str = "float32") -> DenseNet:
    """The net with the weights of a description."""
    net = DenseNet(settings, precision)
    for name, parameter in places(net, settings).items():
        values = weights[name]
        values = channels_last_kernel(values, settings) if name == "linear.kernel" else values
        parameter[...] = jax.device_put(values.astype(precision))
    return net


def described(net: DenseNet, settings: Dict[str, Any]) -> Weights:
    """The net's parameters in the description's layout."""
    found = {name: np.asarray(parameter[...]) for name, parameter in places(net, settings).items()}
    return dict(found, **{"linear.kernel": channels_first_kernel(found["linear.kernel"], settings)})


def optimizer_of(net: DenseNet, learning_rate: float) -> Any:
    """Adam with PyTorch's epsilon, which Optax has in the same place."""
    return nnx.Optimizer(net, optax.adam(learning_rate, eps=EPSILON_OF_DENSENET), wrt=nnx.Param)


def loss_of(net: DenseNet, images: Any, labels: Any) -> Any:
    """The mean cross-entropy over the batch."""
    return optax.softmax_cross_entropy_with_integer_labels(net(images), labels).mean()


@nnx.jit
def train_step(net: DenseNet, optimizer: Any, images: Any, labels: Any) -> Any:
    """One update on a batch; the loss before it."""
    loss, gradients = nnx.value_and_grad(loss_of)(net, images, labels)
    optimizer.update(net, gradients)
    return loss


@nnx.jit
def predict_step(net: DenseNet, images: Any) -> Any:
    """Classes (n,)."""
    return net(images).argmax(axis=1)


def ready(context: Context, batch: Batches, weights: Weights) -> Steps:
    """The net with these weights, ready for timing: batches are NumPy arrays in host memory."""
    net = build(weights, context.settings)
    optimizer = optimizer_of(net, context.settings["timing_learning_rate"])

    def train(pair: Tuple[Any, Any]) -> Any:
        net.train()
        loss = train_step(net, optimizer, *pair)
        device.started(loss, net.linear.bias[...])
        return loss

    def predict(images: Any) -> Any:
        net.eval()
        return np.asarray(predict_step(net, images))

    def state() -> bytes:
        return digest(np.asarray(parameter[...]) for parameter in places(net, context.settings).values())

    return timed_steps(context, batch, train, predict, state)


def open_subject(context: Context, description: Description, precision: str) -> Subject:
    """The described net for the proof."""
    device.set_precision(precision)
    settings = context.settings
    net = build(description.weights, settings, precision)
    optimizer = optimizer_of(net, description.learning_rate)

    @nnx.jit
    def logits(net: DenseNet, images: Any) -> Any:
        return net(images)

    is_quick = precision == "float64" and context.device == "cpu"  # float32 is what is timed
    quick: List[Any] = []  # compiled in the first step, which has the arguments

    def step(images: Any, labels: Any) -> float:
        net.train()
        arguments = net, optimizer, images.astype(precision), labels
        if is_quick and not quick:
            quick.append(train_step.lower(*arguments).compile(QUICKLY))
        return float((quick[0] if is_quick else train_step)(*arguments))

    def outputs(images: Any) -> Any:
        net.eval()
        return np.asarray(logits(net, images.astype(precision)))

    def gradients() -> Weights:
        moments = described(first_moments(net, optimizer), settings)
        return {name: first_gradient(moment) for name, moment in moments.items()}

    return Subject(outputs, step, gradients, parameters=lambda: described(net, settings))


prepare, train_to_quality, prove = implement(ready, open_subject)
