"""Tuned variants of the Keras rows: the same function on the same weights, or a reason. TensorFlow 1 and 2."""

import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is not in this environment")

from keras_helpers import make_context
from twins import losses_of

from runners.contract import OptionUnavailable
from runners.data import airline
from runners.keras import compat, lstm, lstm_net, lstm_rows, tuning
from runners.keras.backend import open_backend
from runners.nets import implementation
from runners.registry import framework

TINY = dict(lstm.MODEL.settings["smoke"], units=3, timing_learning_rate=1e-3)
OPTIONS = {option.key: option.settings for option in framework("keras").options}
OFFERED = {"unroll", "cudnn"} if compat.GRAPH else {"unroll", "tf-function", "xla", "no-onednn"}


def variant(settings):
    """The row LSTM, tiny, with an option's settings."""
    return tuning.prepare(make_context(lstm.MODEL, TINY, airline.load()), settings)


def test_without_an_option_it_is_the_row_as_written():
    """The same weights, losses and answers as the row's own steps."""
    own = lstm_rows.prepare(make_context(lstm.MODEL, TINY, airline.load()))
    weights, answers, losses = own.state(), own.predict(own.predict_batch()).ravel(), losses_of(own)
    plain = variant({})
    assert plain.steps.details == own.details
    assert plain.steps.state() == weights
    assert plain.outputs() == pytest.approx(answers)
    assert losses_of(plain.steps) == losses


@pytest.fixture(scope="module")
def as_written():
    """Weights, outputs and first losses of the row without an option, its layers bidirectional."""
    with pytest.MonkeyPatch.context() as patch:
        make_bidirectional(patch)
        open_backend("cpu", 1)
        plain = variant({})
        return plain.steps.state(), plain.outputs(), losses_of(plain.steps)


def make_bidirectional(patch):
    timed = implementation.timed
    patch.setattr(implementation, "timed", lambda context: timed(context)._replace(bidirectional=True))


@pytest.mark.parametrize("key", sorted(OFFERED - {"cudnn"}))
def test_a_tuned_variant_is_the_same_function(as_written, monkeypatch, key):
    """Same outputs and first losses on the same weights, which then change."""
    weights, outputs, losses = as_written
    make_bidirectional(monkeypatch)
    tuned = variant(OPTIONS[key])
    assert tuned.steps.state() == weights
    assert tuned.outputs() == pytest.approx(outputs, rel=1e-4, abs=1e-6)
    assert losses_of(tuned.steps) == pytest.approx(losses, rel=1e-3)
    assert tuned.steps.state() != weights


@pytest.mark.parametrize("key", sorted(set(OPTIONS) - OFFERED))
def test_an_option_that_a_version_lacks_has_its_reason(key):
    """With the version."""
    with pytest.raises(OptionUnavailable) as caught:
        variant(OPTIONS[key])
    assert caught.value.reason.key == ("option-automatic" if key == "cudnn" else "option-missing")
    assert caught.value.reason.values["version"] == compat.tf.__version__


@pytest.mark.skipif(not compat.GRAPH, reason="today's layer chooses cuDNN by itself")
@pytest.mark.parametrize("bidirectional", [False, True])
def test_weights_are_given_to_cudnn_s_layers_in_its_order(bidirectional, monkeypatch):
    """As many as the layers ask for; cuDNN has two biases, the second of which TensorFlow sets to zero."""
    compat.reset_session()
    weights = [layer.get_weights() for layer in lstm_net.build(4, 3, bidirectional).layers]
    compat.reset_session()
    net = lstm_net.build(4, 3, bidirectional, layer=compat.cudnn_layer)
    given = []
    for layer in net.layers:
        monkeypatch.setattr(layer, "set_weights", given.append)
    compat.copy_weights(net, weights)
    shapes = [[tuple(values.shape.as_list()) for values in layer.weights] for layer in net.layers]
    assert [[values.shape for values in layer] for layer in given] == shapes
    assert given[1][2].sum() == pytest.approx(weights[1][2].sum())
    assert "CudnnRNNV2" in compat.operations_run()
    compat.reset_session()  # a graph with cuDNN's operation runs nowhere without a GPU
