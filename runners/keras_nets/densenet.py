"""The DenseNet in Keras, from the weights of a description. The module ``keras`` is passed in, of whatever backend."""

from typing import Any, Callable, Dict, List, NamedTuple, Tuple

import numpy as np

from runners.contract import Context, Implementation, Steps, digest
from runners.nets.adam import CONVERSION, EPSILON_OF_DENSENET, first_gradient
from runners.nets.densenet import (
    BOTTLENECK,
    CLASSES,
    EPSILON,
    MOMENTUM,
    Batches,
    Weights,
    channels_first_kernel,
    channels_last_kernel,
    shape_of,
)
from runners.nets.densenet_implementation import implement, timed_steps
from runners.nets.sameness import Description, Subject

NORM = ("scale", "offset")


class Kit(NamedTuple):
    """What differs between one Keras and another: module, loss, precision, the way to Adam's moments."""

    keras: Any
    loss: Callable[[], Any]  # makes the cross-entropy of logits and integer labels, in the precision of that moment
    set_precision: Callable[[str], None]
    first_moments: Callable[[Any], List[Any]]  # Adam's, in the order of the trained weights
    tolerances: Dict[str, float] = {}  # of float64, where a part of it is computed in float32


def own(name: str) -> str:
    """What Keras calls a layer: its backend PyTorch takes no dots."""
    return name.replace(".", "_")


def described_name(layer: Any) -> str:
    """What the description calls a layer."""
    return layer.name.replace("_", ".")


def build(keras: Any, settings: Dict[str, Any]) -> Any:
    """An uncompiled net: float images (n, 32, 32, 3) to logits (n, 10). Its kernels are zero, since others follow."""
    layers, shape = keras.layers, shape_of(settings)
    zero = {"kernel_initializer": "zeros"}  # on JAX, drawing random ones takes 20 s

    def norm(values: Any, name: str) -> Any:
        """Keras calls momentum what is kept of the running values."""
        return layers.BatchNormalization(momentum=1 - MOMENTUM, epsilon=EPSILON, name=own(name))(values)

    def convolution(values: Any, name: str, outputs: int, size: int, bias: bool = True) -> Any:
        return layers.Conv2D(outputs, size, padding="same", use_bias=bias, name=own(name), **zero)(values)

    def relu(values: Any) -> Any:
        return layers.Activation("relu")(values)

    inputs = layers.Input(shape=(32, 32, 3))
    features = convolution(inputs, "first", shape.first, 3, bias=False)
    for kind, name, _, outputs in shape.stages:
        if kind == "transition":
            features = convolution(norm(features, name + ".norm"), name + ".conv", outputs, 1, bias=False)
            # Padding "same" would leave the border out of the mean.
            features = layers.AveragePooling2D(2)(layers.ZeroPadding2D(1)(features))
            continue
        values = convolution(relu(norm(features, name + ".norm1")), name + ".conv1", BOTTLENECK * outputs, 1)
        values = convolution(relu(norm(values, name + ".norm2")), name + ".conv2", outputs, 3)
        features = layers.Concatenate()([features, values])
    pooled = layers.MaxPooling2D(2)(relu(norm(features, "norm")))
    return keras.models.Model(inputs, layers.Dense(CLASSES, name="linear", **zero)(layers.Flatten()(pooled)))


def parts(layer: Any) -> Tuple[str, ...]:
    """The description's names of a layer's weights, in Keras' order, as far as they are trained."""
    if not layer.weights:
        return ()
    if "norm" in layer.name:
        return NORM
    return ("kernel", "bias") if layer.use_bias else ("kernel",)


def set_weights(net: Any, weights: Weights, settings: Dict[str, Any]) -> None:
    """Give the net described weights; its running values stay as they are."""
    for layer in net.layers:
        values = layer.get_weights()
        for place, part in enumerate(parts(layer)):
            name = "{}.{}".format(described_name(layer), part)
            new = channels_last_kernel(weights[name], settings) if name == "linear.kernel" else weights[name]
            values[place] = new.astype(values[place].dtype)
        layer.set_weights(values)


def trained_names(net: Any) -> List[str]:
    """The description's names in the order of the net's trained weights."""
    return ["{}.{}".format(described_name(layer), part) for layer in net.layers for part in parts(layer)]


def described(values: List[Any], net: Any, settings: Dict[str, Any]) -> Weights:
    """Arrays in the order of the net's trained weights, by name in the description's layout."""
    found = dict(zip(trained_names(net), values))
    return dict(found, **{"linear.kernel": channels_first_kernel(found["linear.kernel"], settings)})


def compiled(kit: Kit, weights: Weights, settings: Dict[str, Any], learning_rate: float) -> Any:
    """The net with described weights and Adam, whose epsilon makes its first step that of PyTorch."""
    net = build(kit.keras, settings)
    set_weights(net, weights, settings)
    epsilon = EPSILON_OF_DENSENET * CONVERSION
    net.compile(optimizer=kit.keras.optimizers.Adam(learning_rate, epsilon=epsilon), loss=kit.loss())
    return net


def implementation(kit: Kit) -> Implementation:
    """The row's functions in this Keras."""

    def ready(context: Context, batch: Batches, weights: Weights) -> Steps:
        net = compiled(kit, weights, context.settings, context.settings["timing_learning_rate"])
        return timed_steps(
            context,
            batch,
            train=lambda pair: net.train_on_batch(*pair),
            predict=lambda images: np.asarray(net.predict_on_batch(images)).argmax(axis=1),
            state=lambda: digest(net.get_weights()),
        )

    def open_subject(context: Context, description: Description, precision: str) -> Subject:
        kit.set_precision(precision)
        settings = context.settings
        net = compiled(kit, description.weights, settings, description.learning_rate)
        if hasattr(net.optimizer, "build"):  # Keras 2.11 and later; without it TensorFlow traces the first step twice
            net.optimizer.build(net.trainable_weights)

        def parameters() -> Weights:
            values = [value for layer in net.layers for value in layer.get_weights()[: len(parts(layer))]]
            return described(values, net, settings)

        return Subject(
            outputs=lambda images: np.asarray(net.predict_on_batch(images.astype(precision))),
            step=lambda images, labels: float(net.train_on_batch(images.astype(precision), labels)),
            gradients=lambda: described(list(map(first_gradient, kit.first_moments(net))), net, settings),
            parameters=parameters,
            tolerances=kit.tolerances,
        )

    return implement(ready, open_subject)
