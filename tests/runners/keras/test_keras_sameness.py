"""The Keras rows are the described nets, and a net with a slip is not. Runs on TensorFlow 1 and 2."""

import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is not in this environment")

from twins import check_densenet_steps, check_proof, check_steps, make_context, make_densenet_context, quantity

from runners.keras import airline_lstm, compat, household_bilstm, network
from runners.keras.backend import open_backend
from runners.keras.twins import compat as twins_compat
from runners.keras.twins import densenet
from runners.keras_nets import densenet as net


@pytest.fixture
def backend():
    """The CPU with one thread; single precision again after a proof."""
    yield open_backend("cpu", 1)
    twins_compat.set_precision("float32")


def images(backend):
    """A context of the DenseNet on a few made-up images."""
    return make_densenet_context("keras", "densenet-24x3-keras", backend)


@pytest.mark.parametrize(("key", "row"), [("lstm", airline_lstm), ("bilstm", household_bilstm)])
def test_an_lstm_row_is_the_described_net(backend, key, row):
    """Outputs, loss, every gradient, a step of every parameter and ten losses are NumPy's."""
    check_proof(row.prove(make_context("keras", key, backend)))


def test_the_densenet_is_the_described_net(backend):
    """In both precisions, as far as batch norm has them."""
    found = densenet.prove(images(backend))
    assert found["same"], found
    assert [one["precision"] for one in found["precisions"]][-1] == "float32"


def test_the_densenet_is_timed_and_not_trained(backend):
    """Its steps train; the published row says what the net learns."""
    context = images(backend)
    check_densenet_steps(densenet.prepare(context))
    assert densenet.train_to_quality(context).reason == ("only-timed", {"row": "densenet-24x3"})


@pytest.mark.usefixtures("in_float64")
def test_a_hard_sigmoid_is_refused(backend, monkeypatch):
    """TensorFlow 1's default."""

    def layer(units, sequences):
        return compat.keras.layers.LSTM(units, return_sequences=sequences, recurrent_activation="hard_sigmoid")

    build = network.build
    monkeypatch.setattr(network, "build", lambda *sizes: build(*sizes, layer=layer))
    assert quantity(airline_lstm.prove(make_context("keras", "lstm", backend))) == "outputs"


@pytest.mark.usefixtures("in_float32")
@pytest.mark.parametrize(("name", "value", "seen"), [("EPSILON", 1e-3, "loss"), ("MOMENTUM", 0.01, "later-outputs")])
def test_keras_own_batch_norm_is_refused(backend, monkeypatch, name, value, seen):
    """Its epsilon is 1e-3 by default, and it keeps 0.99 of its running values."""
    monkeypatch.setattr(net, name, value)
    assert quantity(densenet.prove(images(backend))) == seen


@pytest.mark.usefixtures("in_float32")
def test_features_flattened_in_another_order_are_refused(backend, monkeypatch):
    """Channels last, with the weights of channels first."""
    monkeypatch.setattr(net, "channels_last_kernel", lambda kernel, settings: kernel)
    assert quantity(densenet.prove(images(backend))) == "outputs"


def test_the_lstm_steps_take_a_batch_of_the_described_kind(backend):
    """As those of the other frameworks."""
    check_steps(airline_lstm.prepare(make_context("keras", "lstm", backend)))
