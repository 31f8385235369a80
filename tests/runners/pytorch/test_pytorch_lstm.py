"""The LSTM nets in PyTorch: the same nets as the Keras rows'. Runs with PyTorch 1.0 and with today's."""

import pytest

pytest.importorskip("torch", reason="PyTorch is not in this environment")

from twins import LSTMS, LstmNets, check_option, make_context, options_of

from runners.nets import adam
from runners.pytorch import lstm_net, tuning
from runners.pytorch.backend import open_backend


@pytest.fixture
def backend():
    """The CPU with one thread."""
    return open_backend("cpu", 1)


class TestNets(LstmNets):
    """With what may go wrong in PyTorch."""

    framework = "pytorch"

    @LSTMS
    def test_the_operators_that_ran_are_recorded(self, backend, net):
        """The LSTM's product or oneDNN's kernel."""
        row, context = self.row(backend, net)
        operators = row.prepare(context).execution()["operators"]
        assert any("addmm" in name or "mkldnn" in name for name in operators)

    @pytest.mark.parametrize("settings", options_of("pytorch"))
    def test_a_speed_setting_changes_no_answer(self, backend, settings):
        """And the net still trains."""
        check_option(tuning.prepare, make_context("pytorch", "lstm-pytorch", backend), settings)

    @pytest.mark.usefixtures("in_float64")
    def test_a_second_bias_that_is_trained_is_refused(self, backend, monkeypatch):
        """PyTorch's own layer, as it comes: its proof fails at the first step."""

        class AsItComes(lstm_net.ForecastNet):
            def __init__(self, *sizes):
                super(AsItComes, self).__init__(*sizes)
                for parameter in self.lstm.parameters():
                    parameter.requires_grad_(True)

        monkeypatch.setattr(lstm_net, "ForecastNet", AsItComes)
        assert self.refused_by(backend, "lstm") == "parameters"

    @pytest.mark.usefixtures("in_float64")
    def test_the_default_epsilon_is_refused(self, backend, monkeypatch):
        """1e-8 where Keras' form of Adam has 3e-6 in the first step."""
        monkeypatch.setattr(adam, "EPSILON_OF_CORRECTED", 1e-8)
        assert self.refused_by(backend, "lstm") == "parameters"
