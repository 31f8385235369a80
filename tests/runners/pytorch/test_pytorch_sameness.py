"""The DenseNet rows are the described net, and a net with a slip is not."""

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not in this environment")

from pytorch_helpers import NET, make_context
from twins import check_proof, quantity

from runners.nets import densenet as described
from runners.pytorch.densenet import net as densenet
from runners.pytorch.densenet import row


def test_it_is_the_described_net():
    """A small one on small data, in both precisions."""
    found = row.prove(make_context())
    check_proof(found)
    assert found["precisions"][0]["differences"]["later-outputs"] < 1e-6, "PyTorch's running variance is the described"


@pytest.mark.usefixtures("in_float64")
@pytest.mark.parametrize(
    ("kind", "name", "value", "seen"),
    [
        (torch.nn.BatchNorm2d, "eps", 1e-3, "outputs"),  # Keras' default
        (torch.nn.BatchNorm2d, "momentum", 0.01, "later-outputs"),  # Keras' 0.99: shows after training only
        (torch.nn.AvgPool2d, "count_include_pad", False, "outputs"),  # "same" padding in Keras and TensorFlow
    ],
    ids=["epsilon", "momentum", "border"],
)
def test_layers_as_other_frameworks_have_them_are_refused(monkeypatch, kind, name, value, seen):
    """By what they change."""
    build = densenet.build

    def altered(settings, device):
        net = build(settings, device)
        for module in net.modules():
            if isinstance(module, kind):
                setattr(module, name, value)
        return net

    monkeypatch.setattr(densenet, "build", altered)
    assert quantity(row.prove(make_context())) == seen


@pytest.mark.usefixtures("in_float64")
def test_features_flattened_in_another_order_are_refused(monkeypatch):
    """Channels last, with the weights of channels first."""
    to_torch, shape = densenet.to_torch, described.shape_of(NET)

    def turned(values):
        is_linear = values.shape == (shape.channels * shape.size**2, 10)
        return to_torch(described.channels_last_kernel(values, NET) if is_linear else values)

    monkeypatch.setattr(densenet, "to_torch", turned)
    assert quantity(row.prove(make_context())) == "outputs"
