"""The DenseNets in float64 NumPy: outputs, loss, every gradient, and the running values of batch norm.

Every layer is a pair of functions: forwards, and from the gradient of its outputs back to those of inputs and weights.
Images are (n, rows, columns, channels).
"""

from typing import Any, Callable, Dict, List, Tuple

import numpy as np

from runners.nets.adam import EPSILON_OF_DENSENET, Adam
from runners.nets.densenet import EPSILON, MOMENTUM, Weights, channels_first_kernel, channels_last_kernel, shape_of
from runners.nets.sameness import Description, Subject, reference

Gradients = Dict[str, Any]
Back = Callable[[Any, Gradients], Any]
"""``back(d_outputs, gradients)``: returns d_inputs, and adds the gradients of the layer's weights by name."""


def product(images: Any, matrix: Any) -> Any:
    """The channels of every place times a matrix: (n, rows, columns, outputs). NumPy has BLAS for two axes only."""
    return images.reshape(-1, images.shape[-1]).dot(matrix).reshape(images.shape[:-1] + matrix.shape[-1:])


def patches(images: Any) -> Any:
    """The 3 x 3 surroundings of every place, with a border of zeros: (n, rows, columns, 9 channels)."""
    rows, columns = images.shape[1:3]
    wide = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="constant")
    shifted = [wide[:, row : row + rows, column : column + columns] for row in range(3) for column in range(3)]
    return np.concatenate(shifted, axis=3)


def convolution(images: Any, weights: Weights, name: str) -> Tuple[Any, Back]:
    """A convolution of 1 x 1 or 3 x 3 that keeps rows and columns; with a bias where there is one."""
    kernel, bias = weights[name + ".kernel"], weights.get(name + ".bias")
    size = kernel.shape[0]
    flat = kernel.reshape(-1, kernel.shape[-1])
    seen = images if size == 1 else patches(images)
    outputs = product(seen, flat)
    if bias is not None:
        outputs += bias

    def back(d_outputs: Any, gradients: Gradients) -> Any:
        wide = d_outputs.reshape(-1, d_outputs.shape[-1])
        around = images if size == 1 else patches(images)  # made again: kept, they would fill the memory
        gradients[name + ".kernel"] = around.reshape(-1, around.shape[-1]).T.dot(wide).reshape(kernel.shape)
        if bias is not None:
            gradients[name + ".bias"] = wide.sum(axis=0)
        if size == 1:
            return product(d_outputs, flat.T)
        turned = kernel[::-1, ::-1].transpose(0, 1, 3, 2).reshape(-1, kernel.shape[2])
        return product(patches(d_outputs), turned)

    return outputs, back


def norm(images: Any, weights: Weights, name: str, running: Weights, training: bool) -> Tuple[Any, Back]:
    """Batch norm: by the batch's mean and variance in training, which updates ``running``; by those otherwise."""
    scale, offset = weights[name + ".scale"], weights[name + ".offset"]
    axes, count = (0, 1, 2), images[..., 0].size
    if training:
        mean = images.mean(axis=axes)
        centred = images - mean
        variance = np.einsum("nrcm,nrcm->m", centred, centred) / count
        for part, value in (("mean", mean), ("variance", variance * count / (count - 1.0))):
            key = "{}.{}".format(name, part)
            running[key] = (1 - MOMENTUM) * running.get(key, float(part == "variance")) + MOMENTUM * value
    else:
        mean, variance = (running.get(name + part, start) for part, start in ((".mean", 0.0), (".variance", 1.0)))
        centred = images - mean
    inverse = 1.0 / np.sqrt(variance + EPSILON)
    standard = np.multiply(centred, inverse, out=centred)

    def back(d_outputs: Any, gradients: Gradients) -> Any:
        gradients[name + ".offset"] = d_outputs.sum(axis=axes)
        gradients[name + ".scale"] = np.einsum("nrcm,nrcm->m", d_outputs, standard)
        d_inputs = standard * (gradients[name + ".scale"] / -count)
        d_inputs += d_outputs
        d_inputs -= gradients[name + ".offset"] / count
        d_inputs *= scale * inverse
        return d_inputs

    return standard * scale + offset, back


def relu(values: Any) -> Tuple[Any, Back]:
    """What is positive."""
    return np.maximum(values, 0.0), lambda d_outputs, gradients: d_outputs * (values > 0)


def padded_average(images: Any) -> Tuple[Any, Back]:
    """The mean of 2 x 2 places, every second row and column, with a border of zeros that counts."""
    rows = images.shape[1]
    wide = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="constant")[:, : rows + 2 & ~1, : rows + 2 & ~1]
    quarters = [wide[:, row::2, column::2] for row in (0, 1) for column in (0, 1)]

    def back(d_outputs: Any, gradients: Gradients) -> Any:
        d_wide = np.zeros_like(wide)
        for row in (0, 1):
            for column in (0, 1):
                d_wide[:, row::2, column::2] = d_outputs / 4.0
        return d_wide[:, 1 : rows + 1, 1 : rows + 1]

    return sum(quarters) / 4.0, back


def largest(images: Any) -> Tuple[Any, Back]:
    """The largest of 2 x 2 places; a last odd row and column is left out."""
    size = images.shape[1] // 2
    inside = images[:, : 2 * size, : 2 * size]
    quarters = np.stack([inside[:, row::2, column::2] for row in (0, 1) for column in (0, 1)])
    chosen = quarters.argmax(axis=0)

    def back(d_outputs: Any, gradients: Gradients) -> Any:
        found = np.zeros_like(images)
        for place in range(4):
            part = found[:, place // 2 : 2 * size : 2, place % 2 : 2 * size : 2]
            part += d_outputs * (chosen == place)
        return found

    return quarters.max(axis=0), back


def run(
    weights: Weights, running: Weights, images: Any, settings: Dict[str, Any], training: bool
) -> Tuple[Any, Callable[[Any], Gradients]]:
    """Logits (n, 10), and the function from their gradient to those of all weights."""
    backs: List[Tuple[int, List[Back]]] = []  # channels of a dense layer's inputs (0: no dense layer), its steps
    features, first = convolution(np.asarray(images, np.float64), weights, "first")
    backs.append((0, [first]))
    for kind, name, inputs, _ in shape_of(settings).stages:
        if kind == "transition":
            values, one = norm(features, weights, name + ".norm", running, training)
            values, two = convolution(values, weights, name + ".conv")
            features, three = padded_average(values)
            backs.append((0, [one, two, three]))
            continue
        steps: List[Back] = []
        values = features
        for number in ("1", "2"):
            values, one = norm(values, weights, name + ".norm" + number, running, training)
            values, two = relu(values)
            values, three = convolution(values, weights, name + ".conv" + number)
            steps += [one, two, three]
        features = np.concatenate([features, values], axis=3)
        backs.append((inputs, steps))
    values, one = norm(features, weights, "norm", running, training)
    values, two = relu(values)
    pooled, three = largest(values)
    backs.append((0, [one, two, three]))
    kernel = channels_last_kernel(weights["linear.kernel"], settings)
    flat = pooled.reshape(len(pooled), -1)

    def back(d_logits: Any) -> Gradients:
        gradients: Gradients = {"linear.bias": d_logits.sum(axis=0)}
        gradients["linear.kernel"] = channels_first_kernel(flat.T.dot(d_logits), settings)
        d_values = d_logits.dot(kernel.T).reshape(pooled.shape)
        for inputs, steps in reversed(backs):
            d_inputs = d_values[..., inputs:] if inputs else d_values
            for step in reversed(steps):
                d_inputs = step(d_inputs, gradients)
            d_values = d_values[..., :inputs] + d_inputs if inputs else d_inputs
        return gradients

    return flat.dot(kernel) + weights["linear.bias"], back


def loss_and_gradients(
    weights: Weights, running: Weights, images: Any, labels: Any, settings: Dict[str, Any]
) -> Tuple[float, Gradients]:
    """The mean cross-entropy over the batch and its gradient for every weight; updates ``running``."""
    logits, back = run(weights, running, images, settings, training=True)
    shifted = logits - logits.max(axis=1, keepdims=True)
    logarithms = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(labels))
    d_logits = np.exp(logarithms)
    d_logits[rows, labels] -= 1.0
    return -float(logarithms[rows, labels].mean()), back(d_logits / len(labels))


def open_reference(description: Description, settings: Dict[str, Any]) -> Subject:
    """The described DenseNet in float64 NumPy."""
    running = {}  # type: Weights
    return reference(
        description.weights,
        Adam(description.learning_rate, EPSILON_OF_DENSENET, corrected=True),
        lambda weights, images: run(weights, running, images, settings, training=False)[0],
        lambda weights, images, labels: loss_and_gradients(weights, running, images, labels, settings),
    )
