"""The LSTM nets in Keras on PyTorch: the same nets as the Keras rows'."""

import os

import pytest

pytest.importorskip("torch", reason="PyTorch is not in this environment")
os.environ["KERAS_BACKEND"] = "torch"  # as the backend sets it, before Keras is imported
pytest.importorskip("keras", reason="Keras is not in this environment")

import untouched
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
)

from runners.keras_torch.backend import open_backend

ROWS = ["lstm-keras-torch", "bilstm-keras-torch"]


@pytest.fixture
def backend():
    """The CPU, opened before anything imports Keras; single precision again after a proof."""
    yield open_backend("cpu", None)
    import keras

    from runners.keras_torch import net

    keras.config.set_floatx("float32")
    keras.backend.clear_session()
    net.set_precision("float32")


def implementation():
    """The rows' module, which imports Keras."""
    from runners.keras_torch import net

    return net


@pytest.mark.parametrize("key", ROWS)
def test_it_is_the_described_net(backend, key):
    """Outputs, loss, every gradient, a step of every parameter and ten losses are NumPy's."""
    check_proof(implementation().prove(make_context("keras_torch", key, backend)))


@pytest.mark.usefixtures("in_float64")
def test_another_order_of_the_gates_is_refused(backend, monkeypatch):
    """By its outputs."""
    from runners.keras_nets import lstm

    context = make_context("keras_torch", ROWS[0], backend)
    check_gate_order(monkeypatch, lstm, lambda: implementation().prove(context))


@pytest.mark.parametrize(("key", "settings"), options_of("keras_torch"))
def test_a_speed_setting_changes_no_answer(backend, key, settings):
    """And the net still trains."""
    from runners.keras_torch import tuning

    check_option(tuning.prepare, make_context("keras_torch", ROWS[0], backend), settings)


@pytest.mark.parametrize("key", ROWS)
def test_the_timed_steps_really_train(backend, key):
    """On a batch of real windows in host memory, by Keras on PyTorch."""
    import keras

    assert keras.backend.backend() == "torch"
    check_steps(implementation().prepare(make_context("keras_torch", key, backend)))


@pytest.mark.parametrize("key", ROWS[:1])  # a step of the other one takes a second
def test_it_trains_to_quality(backend, key):
    """With the loops and scores of every framework."""
    check_quality(implementation(), make_context("keras_torch", key, backend))


def test_a_row_leaves_its_process_as_it_was():
    """In the worker, with real settings: variables, processors, priority, allocator."""
    untouched.check_row("keras_torch", "lstm-keras-torch")


def test_the_densenet_is_the_described_net(backend):
    """A small one on made-up images, in both precisions; and its steps train."""
    from runners.keras_torch import densenet

    context = make_densenet_context("keras_torch", "densenet-24x3-keras-torch", backend)
    check_densenet_steps(densenet.prepare(context))
    check_proof(densenet.prove(context))
