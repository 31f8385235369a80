"""The Keras rows are the described nets, and a net with a slip is not. Runs on TensorFlow 1 and 2."""

import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is not in this environment")

from twins import BOTH, AllNets

from runners.keras import compat, lstm_net, proof
from runners.keras.backend import open_backend
from runners.keras_nets import densenet


@pytest.fixture
def backend():
    """The CPU with one thread; single precision again after a proof."""
    yield open_backend("cpu", 1)
    proof.set_precision("float32")


class TestNets(AllNets):
    """With what may go wrong in Keras and TensorFlow."""

    framework = "keras"
    densenet_precisions = ("float32",) if compat.GRAPH else BOTH  # TensorFlow 1's batch norm has no other

    @pytest.mark.usefixtures("in_float64")
    def test_a_hard_sigmoid_is_refused(self, backend, monkeypatch):
        """TensorFlow 1's default."""

        def layer(units, sequences):
            return compat.keras.layers.LSTM(units, return_sequences=sequences, recurrent_activation="hard_sigmoid")

        build = lstm_net.build
        monkeypatch.setattr(lstm_net, "build", lambda *sizes: build(*sizes, layer=layer))
        assert self.refused_by(backend, "lstm") == "outputs"

    @pytest.mark.usefixtures("in_float32")
    @pytest.mark.parametrize(
        ("name", "value", "seen"), [("EPSILON", 1e-3, "loss"), ("MOMENTUM", 0.01, "later-outputs")]
    )
    def test_keras_own_batch_norm_is_refused(self, backend, monkeypatch, name, value, seen):
        """Its epsilon is 1e-3 by default, and it keeps 0.99 of its running values."""
        monkeypatch.setattr(densenet, name, value)
        assert self.refused_by(backend, "densenet-24x3") == seen

    @pytest.mark.usefixtures("in_float32")
    def test_features_flattened_in_another_order_are_refused(self, backend, monkeypatch):
        """Channels last, with the weights of channels first."""
        monkeypatch.setattr(densenet, "channels_last_kernel", lambda kernel, settings: kernel)
        assert self.refused_by(backend, "densenet-24x3") == "outputs"
