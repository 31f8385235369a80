"""The DenseNet rows are the described net, and a net with a slip is not."""

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not in this environment")

from pytorch_helpers import NET, make_context
from twins import quantity

from runners.nets import densenet
from runners.pytorch import cifar10_densenet
from runners.pytorch.twins import densenet as twins


@pytest.fixture
def context():
    """A small net on small data."""
    return make_context(NET)


def test_it_is_the_described_net(context):
    """In both precisions."""
    found = cifar10_densenet.prove(context)
    assert found["same"], found
    assert [one["precision"] for one in found["precisions"]] == ["float64", "float32"]
    assert found["precisions"][0]["differences"]["later-outputs"] < 1e-6, "PyTorch's running variance is the described"


def planted(context, monkeypatch, change):
    """The proof of a net that ``change(net)`` altered."""
    build = twins.build

    def altered(settings, device):
        net = build(settings, device)
        change(net)
        return net

    monkeypatch.setattr(twins, "build", altered)
    return quantity(cifar10_densenet.prove(context))


def each_norm(net):
    return [module for module in net.modules() if isinstance(module, torch.nn.BatchNorm2d)]


@pytest.mark.usefixtures("in_float64")
def test_another_epsilon_of_batch_norm_is_refused(context, monkeypatch):
    """Keras' default is 1e-3."""

    def change(net):
        for module in each_norm(net):
            module.eps = 1e-3

    assert planted(context, monkeypatch, change) == "outputs"


@pytest.mark.usefixtures("in_float64")
def test_another_momentum_of_batch_norm_is_refused(context, monkeypatch):
    """Keras' 0.99 is PyTorch's 0.01: only what is predicted after training shows it."""

    def change(net):
        for module in each_norm(net):
            module.momentum = 0.01

    assert planted(context, monkeypatch, change) == "later-outputs"


@pytest.mark.usefixtures("in_float64")
def test_a_pool_that_does_not_count_its_border_is_refused(context, monkeypatch):
    """As "same" padding in Keras and TensorFlow."""

    def change(net):
        for module in net.modules():
            if isinstance(module, torch.nn.AvgPool2d):
                module.count_include_pad = False

    assert planted(context, monkeypatch, change) == "outputs"


@pytest.mark.usefixtures("in_float64")
def test_features_flattened_in_another_order_are_refused(context, monkeypatch):
    """Channels last, with the weights of channels first."""
    to_torch = twins.to_torch

    def turned(values):
        rows = densenet.shape_of(NET).channels * densenet.shape_of(NET).size ** 2
        return to_torch(densenet.channels_last_kernel(values, NET) if values.shape == (rows, 10) else values)

    monkeypatch.setattr(twins, "to_torch", turned)
    assert quantity(cifar10_densenet.prove(context)) == "outputs"
