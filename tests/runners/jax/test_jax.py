"""The LSTM nets in JAX: the same nets as the Keras rows'."""

import json
import subprocess
import sys

import pytest

jax = pytest.importorskip("jax", reason="JAX is not in this environment")

import untouched
from flax import nnx
from twins import (
    check_densenet_steps,
    check_gate_order,
    check_option,
    check_proof,
    check_quality,
    check_steps,
    make_context,
    make_densenet_context,
    options_of,
    quantity,
)

from runners.jax import densenet, net, tuning
from runners.jax.backend import open_backend
from runners.nets import lstm
from runners.worker import synchronization

ROWS = ["lstm-jax", "bilstm-jax"]


@pytest.fixture
def backend():
    """The CPU, with single precision as JAX has it from the start."""
    yield open_backend("cpu", None)
    jax.config.update("jax_enable_x64", False)
    jax.config.update("jax_default_matmul_precision", None)


@pytest.mark.parametrize("key", ROWS)
def test_it_is_the_described_net(backend, key):
    """Outputs, loss, every gradient, a step of every parameter and ten losses are NumPy's."""
    check_proof(net.prove(make_context("jax", key, backend)))


@pytest.mark.parametrize("key", ROWS)
def test_the_timed_steps_really_train(backend, key):
    """On a batch of real windows in host memory."""
    check_steps(net.prepare(make_context("jax", key, backend)))


@pytest.mark.parametrize(("key", "settings"), options_of("jax"))
def test_a_speed_setting_changes_no_answer(backend, key, settings):
    """And the net still trains."""
    check_option(tuning.prepare, make_context("jax", "lstm-jax", backend), settings)


def test_a_step_is_finished_when_the_clock_stops(backend):
    """Twice the steps take twice as long: JAX returns before its work is done, on the CPU too."""
    steps = net.prepare(make_context("jax", "lstm-jax", backend, units=64))
    for _ in range(3):
        steps.train(steps.train_batch())
    backend.synchronize()
    synchronization.prove(steps, backend.synchronize)


def test_it_has_as_many_parameters_as_keras_net(backend):
    """One bias per gate: 4 (u (i + u) + u) for each layer and direction, and the output layer."""
    lstm_steps = net.prepare(make_context("jax", "lstm-jax", backend))
    assert lstm_steps.parameters == 4 * (4 * (1 + 4) + 4) + 4 * (4 * (4 + 4) + 4) + 4 + 1
    both = net.prepare(make_context("jax", "bilstm-jax", backend))
    assert both.parameters == 2 * 4 * (3 * (1 + 3) + 3) + 2 * 4 * (3 * (6 + 3) + 3) + 6 + 1


@pytest.mark.parametrize("key", ROWS)
def test_it_trains_to_quality(backend, key):
    """With the loops and scores of every framework."""
    check_quality(net, make_context("jax", key, backend))


@pytest.mark.usefixtures("in_float64")
def test_the_default_epsilon_is_refused(backend, monkeypatch):
    """1e-8 where Keras' form of Adam has 3e-6 in the first step."""
    monkeypatch.setattr(net.adam, "EPSILON_OF_CORRECTED", 1e-8)
    assert quantity(net.prove(make_context("jax", "lstm-jax", backend))) == "parameters"


@pytest.mark.usefixtures("in_float64")
def test_another_order_of_the_gates_is_refused(backend, monkeypatch):
    """By its outputs."""
    check_gate_order(monkeypatch, net, lambda: net.prove(make_context("jax", "lstm-jax", backend)))


@pytest.mark.usefixtures("in_float64")
def test_another_momentum_of_batch_norm_is_refused(backend, monkeypatch):
    """Running values that keep 0.99, as Keras' do by default: only what is predicted after training shows it."""
    monkeypatch.setattr(densenet, "MOMENTUM", 0.01)
    assert quantity(densenet.prove(make_densenet_context("jax", "densenet-24x3-jax", backend))) == "later-outputs"


@pytest.mark.usefixtures("in_float64")
def test_a_pool_that_does_not_count_its_border_is_refused(backend, monkeypatch):
    """As "same" padding in Keras and TensorFlow."""
    pool = nnx.avg_pool
    monkeypatch.setattr(nnx, "avg_pool", lambda *given, **named: pool(*given, count_include_pad=False, **named))
    assert quantity(densenet.prove(make_densenet_context("jax", "densenet-24x3-jax", backend))) == "outputs"


def test_the_weights_survive_the_way_in_and_out(backend):
    """A description's arrays come back from the net, by name and in the description's layout."""
    weights = lstm.initial_weights(3, True, 1)
    found = net.places(net.build(weights))
    assert set(found) == set(weights)
    for name, parameter in found.items():
        assert (parameter[...] == weights[name].astype("float32")).all()


THREADS = """
import json
from runners.jax.backend import open_backend
backend = open_backend("cpu", {})
import jax
jax.numpy.ones((64, 64)).dot(jax.numpy.ones((64, 64))).block_until_ready()
print(json.dumps(backend.execution()["threads"]))
"""


@pytest.mark.parametrize("threads", [1, 3])
def test_the_number_of_threads_is_the_one_asked_for(threads):
    """XLA's pool on the CPU, counted in a fresh process."""
    said = subprocess.check_output([sys.executable, "-c", THREADS.format(threads)], cwd=untouched.ROOT)
    assert json.loads(said.decode().splitlines()[-1]) == threads


def test_a_row_leaves_its_process_as_it_was():
    """In the worker, with real settings: variables, processors, priority, allocator."""
    untouched.check_row("jax", "lstm-jax")


def test_the_densenet_is_the_described_net(backend):
    """A small one on made-up images, in both precisions; and its steps train."""
    context = make_densenet_context("jax", "densenet-24x3-jax", backend)
    check_densenet_steps(densenet.prepare(context))
    check_proof(densenet.prove(context))
    assert densenet.train_to_quality(context).reason == ("only-timed", {"row": "densenet-24x3"})
