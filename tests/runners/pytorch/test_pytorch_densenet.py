"""The two nets are the published ones."""

import pytest

torch = pytest.importorskip("torch")

from runners.pytorch.densenet import DenseNet, count_parameters
from runners.registry import load_model

PUBLISHED = [("densenet-24x3", 6112450, 16320), ("densenet-32-24-32", 5134030, 12320)]


@pytest.mark.parametrize(("key", "parameters", "linear_inputs"), PUBLISHED)
def test_the_nets_have_the_published_size(key, parameters, linear_inputs):
    """Trainable parameters and inputs of the last layer, as protocol and page have them."""
    settings = load_model("pytorch", key).settings["quick"]
    net = DenseNet(settings["blocks"], settings["compression"], settings["growth"])
    assert count_parameters(net) == parameters
    assert net.linear.in_features == linear_inputs


def test_the_net_gives_ten_logits_an_image():
    """The declared inputs of the last layer are what the pooling leaves."""
    net = DenseNet((2, 1, 2), 0.5, growth=4)
    assert net(torch.zeros(3, 3, 32, 32)).shape == (3, 10)


def test_the_transition_has_no_relu_and_pads_when_it_pools():
    """Seventeen pixels after the first transition, nine after the second, negative values among them."""
    torch.manual_seed(0)
    net = DenseNet((1, 1, 1), 0.5, growth=4)
    features = net.stages[1](net.stages[0](net.first(torch.randn(2, 3, 32, 32))))
    assert features.shape[2:] == (17, 17)
    assert features.min() < 0
    assert net.stages[3](net.stages[2](features)).shape[2:] == (9, 9)


def test_a_dense_layer_puts_its_features_behind_its_inputs():
    """Concatenated as published: the inputs unchanged, then ``growth`` new maps."""
    torch.manual_seed(0)
    layer = DenseNet((1,), 0.5, growth=4).stages[0]
    inputs = torch.randn(2, 8, 5, 5)
    outputs = layer(inputs)
    assert outputs.shape == (2, 12, 5, 5)
    assert torch.equal(outputs[:, :8], inputs)
