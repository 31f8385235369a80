"""The two nets are the published ones."""

import pytest

torch = pytest.importorskip("torch")

from runners.nets import densenet
from runners.pytorch.densenet.net import DenseNet
from runners.pytorch.steps import count_parameters
from runners.registry import load_model

PUBLISHED = [("densenet-24x3", 6112450, 16320), ("densenet-32-24-32", 5134030, 12320)]


@pytest.mark.parametrize(("key", "parameters", "linear_inputs"), PUBLISHED)
def test_the_nets_have_the_published_size(key, parameters, linear_inputs):
    """Trainable parameters and inputs of the last layer, as page and description have them."""
    settings = load_model("pytorch", key).settings["quick"]
    net = DenseNet(settings)
    assert count_parameters(net) == densenet.count_parameters(settings) == parameters
    assert net.linear.in_features == linear_inputs


def test_the_transition_has_no_relu_and_pads_when_it_pools():
    """Seventeen pixels after the first transition, nine after the second, negative values among them."""
    torch.manual_seed(0)
    net = DenseNet({"blocks": (1, 1, 1), "compression": 0.5, "growth": 4})
    features = net.stages[1](net.stages[0](net.first(torch.randn(2, 3, 32, 32))))
    assert features.shape[2:] == (17, 17)
    assert features.min() < 0
    assert net.stages[3](net.stages[2](features)).shape[2:] == (9, 9)
