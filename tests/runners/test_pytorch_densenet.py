"""The two nets are the published ones, and normalizing first is the same function."""

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
    """The declared inputs of the last layer are what the pooling really leaves."""
    net = DenseNet((2, 1, 2), 0.5, growth=4)
    assert net(torch.zeros(3, 3, 32, 32)).shape == (3, 10)


def test_the_transition_has_no_relu_and_pads_when_it_pools():
    """Seventeen pixels after the first transition, nine after the second, negative values among them."""
    torch.manual_seed(0)
    net = DenseNet((1, 1, 1), 0.5, growth=4)
    features = net.stages[1](net.stages[0]([net.first(torch.randn(2, 3, 32, 32))]))
    assert [maps.shape[2:] for maps in features] == [(17, 17)]
    assert features[0].min() < 0
    assert net.stages[3](net.stages[2](features))[0].shape[2:] == (9, 9)


def test_normalizing_before_concatenating_is_the_same_function():
    """Logits, gradients and running statistics agree to rounding, in training and in evaluation."""
    torch.manual_seed(0)
    after, before = DenseNet((3, 3), 0.5, 4, False).double(), DenseNet((3, 3), 0.5, 4, True).double()
    before.load_state_dict(after.state_dict())
    images = torch.randn(4, 3, 32, 32).double()
    for net in (after, before):
        net(images).pow(2).sum().backward()
    for name, parameter in after.named_parameters():
        other = dict(before.named_parameters())[name]
        assert torch.allclose(parameter.grad, other.grad, rtol=1e-8, atol=1e-8), name
    for name, values in after.named_buffers():
        other = dict(before.named_buffers())[name]
        assert torch.allclose(values.double(), other.double(), rtol=1e-10, atol=1e-12), name
    with torch.no_grad():
        assert torch.allclose(after.eval()(images), before.eval()(images), rtol=1e-8, atol=1e-10)
