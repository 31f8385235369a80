"""The LSTM nets in PyTorch: the same nets as the Keras rows'. Runs with PyTorch 1.0 and with today's."""

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not in this environment")

import untouched
from twins import (
    check_gate_order,
    check_option,
    check_proof,
    check_quality,
    check_steps,
    make_context,
    options_of,
    quantity,
)

from runners.nets import lstm
from runners.pytorch import tuning
from runners.pytorch.backend import open_backend
from runners.pytorch.twins import lstm as net

ROWS = ["lstm-pytorch", "bilstm-pytorch"]


@pytest.fixture
def backend():
    """The CPU with one thread."""
    return open_backend("cpu", 1)


@pytest.mark.parametrize("key", ROWS)
def test_it_is_the_described_net(backend, key):
    """Outputs, loss, every gradient, a step of every parameter and ten losses are NumPy's."""
    check_proof(net.prove(make_context("pytorch", key, backend)))


@pytest.mark.parametrize("key", ROWS)
def test_the_timed_steps_really_train(backend, key):
    """On a batch of real windows in host memory."""
    steps = net.prepare(make_context("pytorch", key, backend))
    check_steps(steps)
    assert any("addmm" in name or "mkldnn" in name for name in steps.execution()["operators"])


@pytest.mark.parametrize(("key", "settings"), options_of("pytorch"))
def test_a_speed_setting_changes_no_answer(backend, key, settings):
    """And the net still trains."""
    check_option(tuning.prepare, make_context("pytorch", "lstm-pytorch", backend), settings)


def test_it_has_as_many_parameters_as_keras_net(backend):
    """One bias per gate: 4 (u (i + u) + u) for each layer and direction, and the output layer."""
    lstm_steps = net.prepare(make_context("pytorch", "lstm-pytorch", backend))
    assert lstm_steps.parameters == 4 * (4 * (1 + 4) + 4) + 4 * (4 * (4 + 4) + 4) + 4 + 1
    both = net.prepare(make_context("pytorch", "bilstm-pytorch", backend))
    assert both.parameters == 2 * 4 * (3 * (1 + 3) + 3) + 2 * 4 * (3 * (6 + 3) + 3) + 6 + 1


@pytest.mark.parametrize("key", ROWS)
def test_it_trains_to_quality(backend, key):
    """With the loops and scores of every framework."""
    check_quality(net, make_context("pytorch", key, backend))


@pytest.mark.usefixtures("in_float64")
def test_another_order_of_the_gates_is_refused(backend, monkeypatch):
    """By its outputs."""
    check_gate_order(monkeypatch, net, lambda: net.prove(make_context("pytorch", "lstm-pytorch", backend)))


@pytest.mark.usefixtures("in_float64")
def test_a_second_bias_that_is_trained_is_refused(backend, monkeypatch):
    """PyTorch's own layer, as it comes: its proof fails at the first step."""

    class AsItComes(net.ForecastNet):
        def __init__(self, *sizes):
            super(AsItComes, self).__init__(*sizes)
            for parameter in self.lstm.parameters():
                parameter.requires_grad_(True)

    monkeypatch.setattr(net, "ForecastNet", AsItComes)
    assert quantity(net.prove(make_context("pytorch", "lstm-pytorch", backend))) == "parameters"


@pytest.mark.usefixtures("in_float64")
def test_the_default_epsilon_is_refused(backend, monkeypatch):
    """1e-8 where Keras' form of Adam has 3e-6 in the first step."""
    monkeypatch.setattr(net.adam, "EPSILON_OF_CORRECTED", 1e-8)
    assert quantity(net.prove(make_context("pytorch", "lstm-pytorch", backend))) == "parameters"


def test_the_weights_survive_the_way_in_and_out():
    """A description's arrays come back from the net, by name and in the description's layout."""
    weights = lstm.initial_weights(3, True, 1)
    found = net.places(net.build(weights, torch.device("cpu"), "float64"))
    assert set(found) == set(weights)
    for name, parameter in found.items():
        assert (weights[name] == parameter.detach().numpy().T).all()


def test_a_row_leaves_its_process_as_it_was():
    """In the worker, with real settings: variables, processors, priority, allocator."""
    untouched.check_row("pytorch", "lstm-pytorch")
