"""The described DenseNet and its NumPy reference: gradients, shapes, batch norm, padding, the order of a flatten."""

import numpy as np
import pytest
from twins import check_gradients

from runners.nets import densenet, densenet_reference

SMALL = {"blocks": [2, 2], "compression": 0.5, "growth": 3}


def batch():
    """Three images and their labels."""
    random = np.random.RandomState(2)
    return random.normal(size=(3, 32, 32, 3)), np.array([1, 0, 7])


def test_the_gradients_are_those_of_finite_differences():
    """For an entry of every weight that is not idle; an idle one has none."""
    weights, (images, labels) = densenet.initial_weights(SMALL, 3), batch()

    def run(weights):
        return densenet_reference.loss_and_gradients(weights, {}, images, labels, SMALL)

    gradients = run(weights)[1]
    assert sorted(gradients) == sorted(weights)
    idle = [name for name in weights if ".conv" in name and name.endswith("bias")]
    assert max(np.abs(gradients.pop(name)).max() for name in idle) < 1e-12
    check_gradients(weights, gradients, lambda weights: run(weights)[0], rel=1e-4, abs=1e-8)


def test_a_batch_norm_keeps_nine_tenths_of_its_running_values():
    """Of the mean, and of the unbiased variance; a prediction uses them and changes nothing."""
    images, running = batch()[0], {}
    weights = {"norm.scale": np.ones(3), "norm.offset": np.zeros(3)}
    densenet_reference.norm(images, weights, "norm", running, training=True)
    assert np.allclose(running["norm.mean"], 0.1 * images.mean(axis=(0, 1, 2)))
    assert np.allclose(running["norm.variance"], 0.9 + 0.1 * images.reshape(-1, 3).var(axis=0, ddof=1))
    before = {name: values.copy() for name, values in running.items()}
    outputs, _ = densenet_reference.norm(images, weights, "norm", running, training=False)
    assert all(np.array_equal(values, before[name]) for name, values in running.items())
    assert np.allclose(outputs, (images - before["norm.mean"]) / np.sqrt(before["norm.variance"] + 1e-5))


@pytest.mark.parametrize(("size", "pooled"), [(32, 17), (17, 9)])
def test_the_average_counts_the_border_of_zeros(size, pooled):
    """Half of the windows at an edge are zeros; a last row that does not fill a window is left out."""
    outputs, _ = densenet_reference.padded_average(np.ones((1, size, size, 1)))
    assert outputs.shape == (1, pooled, pooled, 1)
    assert (outputs[0, 0, 0, 0], outputs[0, 0, 1, 0], outputs[0, 1, 1, 0]) == (0.25, 0.5, 1.0)


def test_the_kernel_of_the_linear_layer_is_turned_for_channels_last_and_back():
    """A feature's weights follow it from the order channel, row, column to row, column, channel."""
    shape = densenet.shape_of(SMALL)
    kernel = densenet.initial_weights(SMALL, 1)["linear.kernel"]
    features = np.random.RandomState(0).normal(size=(2, shape.size, shape.size, shape.channels))
    turned = densenet.channels_last_kernel(kernel, SMALL)
    first = features.transpose(0, 3, 1, 2).reshape(2, -1).dot(kernel)
    assert np.allclose(features.reshape(2, -1).dot(turned), first)
    assert not np.allclose(features.reshape(2, -1).dot(kernel), first)
    assert np.array_equal(densenet.channels_first_kernel(turned, SMALL), kernel)
