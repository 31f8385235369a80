"""Experiments with Keras: the search reads no test month, the rows use its winners, and a long training resumes."""

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("tensorflow", reason="TensorFlow is not in this environment")

from experiments import bilstm_slips as slips
from experiments import keras_search as search
from runners.data import airline
from runners.keras import bilstm
from runners.nets import airline_lstm as task

TRAIN = airline.load().train


def test_the_search_never_reads_a_test_month(monkeypatch, capsys):
    """It trains on the first 88 months, is scored on the last train year, and prints a line for each candidate."""
    seen, scored = [], []
    train = task.train

    def watched(opener, series, settings, seed):
        seen.append(series)
        return train(opener, series, dict(settings, units=2, epochs=1), seed)

    monkeypatch.setattr(task, "train", watched)
    monkeypatch.setattr(search.forecast, "r2", lambda truth, values: scored.append(truth) or 0.5)
    monkeypatch.setitem(search.GRIDS, "lstm", {"units": [2], "epochs": [1, 2]})
    assert search.main(["--seeds", "1"]) == 0
    assert [np.array_equal(series, TRAIN[:88]) for series in seen] == [True, True]
    assert [np.array_equal(truth, TRAIN[88:]) for truth in scored] == [True, True]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("| units | epochs | median MSE | median R2 |")
    assert len(lines) == 6
    assert lines[-1].startswith("best: {'units': 2, 'epochs': ")


def test_the_settings_in_use_are_among_those_searched():
    """quick and full use a candidate of the committed search."""
    for key, model in search.MODELS.items():
        for profile in ("quick", "full"):
            assert model.settings[profile] in list(search.candidates(key))


def test_a_net_with_a_slip_continues_from_its_checkpoint(monkeypatch, tmp_path, capsys):
    """Its scores on test and train minutes are lines of the document's table."""
    series = np.random.RandomState(0).rand(3000).astype(np.float32)
    monkeypatch.setitem(bilstm.MODEL.settings["full"], "units", 2)
    options = ["--data", "", "--train", "both-sides", "--epochs", "1", "--train-minutes", "200", "--threads", "1"]
    data = slips.household.Household(series, series, series, None)
    monkeypatch.setattr(slips.household, "load", lambda directory: data)
    said = []
    for _ in range(2):
        assert slips.main(options + ["--checkpoints", str(tmp_path)]) == 0
        said.append(capsys.readouterr().out.splitlines())
    assert said[0][-3:] == said[1], "the second run had nothing left to train"
    assert said[1][1].startswith("| both-sides | Bi-LSTM | 840 test minutes | 0.")
    assert said[1][2].startswith("| both-sides | Bi-LSTM | 200 train minutes | 0.")
