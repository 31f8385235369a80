"""The nets in Keras on PyTorch: the same nets as the Keras rows'."""

import os

import pytest

pytest.importorskip("torch", reason="PyTorch is not in this environment")
os.environ["KERAS_BACKEND"] = "torch"  # as the backend sets it, before Keras is imported
pytest.importorskip("keras", reason="Keras is not in this environment")

from twins import KerasNets, check_option, make_context, options_of


class TestNets(KerasNets):
    """But for the training of the Bi-LSTM, a step of which takes a second."""

    framework = "keras_torch"

    @pytest.mark.parametrize("net", ["lstm"])
    def test_it_trains_to_quality(self, backend, net):
        """With the loops and scores of every framework."""
        super().test_it_trains_to_quality(backend, net)

    @pytest.mark.parametrize(
        ("net", "operators"),
        [("lstm", {"mm"}), ("bilstm", {"mm"}), ("densenet-24x3", {"mm", "mkldnn_convolution"})],
    )
    def test_the_operators_that_ran_are_recorded(self, backend, net, operators):
        """Keras multiplies matrices in a loop where PyTorch's own LSTM is one operator."""
        row, context = self.row(backend, net)
        assert operators <= set(row.prepare(context).execution()["operators"])

    @pytest.mark.parametrize("settings", options_of("keras_torch"))
    def test_a_speed_setting_changes_no_answer(self, backend, settings):
        """And the net still trains."""
        from runners.keras_torch import tuning

        check_option(tuning.prepare, make_context("keras_torch", "lstm-keras-torch", backend), settings)
