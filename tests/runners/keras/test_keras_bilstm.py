"""Bi-LSTM: parts, views, baselines, training and resumption. Tiny nets; runs on TensorFlow 1 and 2."""

import os
import re
import tracemalloc

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is not in this environment")

from keras_helpers import make_context
from twins import made_up

from runners.contract import DataUnavailable
from runners.data import forecast, household
from runners.keras import bilstm, compat, lstm_net, lstm_rows
from runners.keras.checkpoint import Checkpoint
from runners.nets import household_bilstm as task

TINY = dict(bilstm.MODEL.settings["smoke"], units=2, epochs=3, train_minutes=300, test_minutes=100)


DATA = made_up()


def context(settings=TINY, data=DATA, **named):
    return make_context(bilstm.MODEL, settings, data, **named)


def test_the_parts_meet_at_the_split_and_are_views():
    """The train part ends where the test part begins; no window is a copy of the series."""
    train, test = task.parts(DATA, TINY)
    assert np.array_equal(train.next_values, DATA.train[-240:])
    assert np.array_equal(test.next_values, DATA.test[:100])
    assert np.array_equal(test.windows[0], DATA.train[-60:])
    assert (train.windows.shape, test.windows.shape) == ((240, 60), (100, 60))
    for part in (train, test):
        assert np.shares_memory(part.windows, DATA.scaled)
        assert np.shares_memory(part.next_values, DATA.scaled)


def test_in_full_the_parts_are_the_whole_series_and_take_no_memory():
    """Every train minute with an hour before it, and every test minute: 240 MB if their windows were copies."""
    scaled = np.zeros(1000000, np.float32)
    data = DATA._replace(scaled=scaled, train=scaled[:700000], test=scaled[700000:])
    tracemalloc.start()
    train, test = task.parts(data, dict(TINY, train_minutes=None, test_minutes=None))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (len(train.next_values), len(test.next_values)) == (700000 - 60, 300000)
    assert peak < 1000000


def build(units, zero_output=False):
    return lstm_net.build(task.WINDOW, units, bidirectional=True, zero_output=zero_output)


def test_the_untrained_net_is_persistence():
    """An output layer of zeros forecasts no change, whatever the windows."""
    compat.reset_session()
    _, test = task.parts(DATA, TINY)
    net = build(TINY["units"], zero_output=True)
    scale = task.Scale(0.3, 0.1, 0.02)
    values = task.forecasts(net.predict_on_batch, test, scale, 32)
    assert np.array_equal(values, task.persistence(test))


def test_a_last_batch_that_is_short_changes_no_forecast():
    """100 minutes in batches of 32 are forecast as in one batch of 100."""
    compat.reset_session()
    train, test = task.parts(DATA, TINY)
    scale = task.fit_scale(train)
    net = build(TINY["units"])
    in_batches = task.forecasts(net.predict_on_batch, test, scale, 32)
    assert np.allclose(in_batches, task.forecasts(net.predict_on_batch, test, scale, 100), atol=1e-6)


def test_the_linear_baseline_is_least_squares(monkeypatch):
    """Summed up in blocks of 50 windows it is NumPy's own solution over all windows."""
    monkeypatch.setattr(task, "BLOCK", 50)
    train, test = task.parts(DATA, TINY)
    design = np.column_stack([train.windows.astype(float), np.ones(240)])
    wanted = np.linalg.lstsq(design, train.next_values.astype(float), -1)[0]
    found = task.fit_autoregression(train)
    assert np.allclose(found, wanted, atol=1e-5)
    wanted_forecasts = np.column_stack([test.windows.astype(float), np.ones(100)]).dot(wanted)
    assert np.allclose(task.autoregression(test, found), wanted_forecasts, atol=1e-5)


def test_an_epoch_and_a_test_set_are_counted_over_the_whole_series():
    """The page quotes seconds an epoch, so they are those of all minutes, whatever part it trains on."""
    steps = lstm_rows.prepare(context())
    assert (steps.train_batches, steps.test_batches) == (20, 10)  # 640 and 300 windows in batches of 32


def test_the_scores_stand_beside_both_baselines_on_the_same_minutes():
    """One protocol, the net's own score first, then persistence and AR(60); a part is named as what it is."""
    quality = lstm_rows.train_to_quality(context())
    note = ("test-minutes", {"minutes": 100})
    assert [(score.protocol, score.name, score.baseline, score.note) for score in quality.scores] == [
        ("one-step", "", False, note),
        ("one-step", "persistence", True, note),
        ("one-step", "linear AR(60)", True, note),
    ]
    truth = quality.forecasts["truth"]
    assert quality.scores[0].loss == forecast.mean_squared_error(truth, quality.forecasts["one-step"])
    assert (quality.epoch_seconds, quality.test_seconds) == (None, None), "a part is no epoch"
    assert quality.notes == [("bilstm-part", {"windows": 240, "minutes": 100})]


def test_in_full_the_epoch_and_the_test_set_are_measured():
    """Seconds of a real epoch and a real pass over the test part are in the record."""
    settings = dict(TINY, epochs=1, train_minutes=None, test_minutes=None)
    quality = lstm_rows.train_to_quality(context(settings, profile="full"))
    assert quality.epoch_seconds > 0
    assert quality.test_seconds > 0
    assert quality.notes == []


class Killed(Exception):
    pass


def test_a_killed_training_goes_on_as_if_it_had_not_been(tmp_path):
    """Stopped in the second of three epochs and started again: the same losses and forecasts, bit for bit."""
    calls = []

    def killing(phase, done, total):
        calls.append(done)
        if done >= total / 3.0:
            raise Killed

    whole = lstm_rows.train_to_quality(context())
    with pytest.raises(Killed):
        lstm_rows.train_to_quality(context(checkpoints=str(tmp_path), progress=killing))
    resumed = lstm_rows.train_to_quality(
        context(checkpoints=str(tmp_path), progress=lambda phase, done, total: calls.append((phase, done)))
    )
    assert ("quality", 0) not in calls, "the first epoch was not done again"
    assert resumed.history["loss"] == whole.history["loss"]
    assert resumed.forecasts == whole.forecasts


def trained_net():
    """A net of two units after one step, so that its optimizer has moments."""
    compat.reset_session()
    net = lstm_net.compile_with_adam(lstm_net.build(4, 2), 1e-3)
    net.train_on_batch(np.ones((32, 4, 1), np.float32), np.ones((32, 1), np.float32))
    return net


def moments_of(net):
    return compat.read_variables(compat.optimizer_variables(net))


def test_a_checkpoint_gives_back_what_it_was_given(tmp_path):
    """Weights, moments, losses and seconds come back bit for bit, in one file."""
    net = trained_net()
    weights, moments = net.get_weights(), moments_of(net)
    assert len(moments) >= 2 * len(weights)
    Checkpoint(str(tmp_path), "net", {"units": 2}).save(net, [0.1, 0.2], [1.5, 2.5])
    other = trained_net()
    assert Checkpoint(str(tmp_path), "net", {"units": 2}).restore(other) == ([0.1, 0.2], [1.5, 2.5])
    for ours, theirs in ((weights, other.get_weights()), (moments, moments_of(other))):
        assert [values.tobytes() for values in ours] == [values.tobytes() for values in theirs]
    (path,) = tmp_path.iterdir()
    assert re.fullmatch(r"net-[0-9a-f]{16}\.npz", path.name)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"no archive"], ids=["empty", "broken", "foreign"])
def test_a_broken_checkpoint_is_no_checkpoint(tmp_path, content):
    """The training starts again, with the net as it was."""
    kept = Checkpoint(str(tmp_path), "net", {})
    kept.save(trained_net(), [0.1], [1.5])
    (path,) = tmp_path.iterdir()
    path.write_bytes(content)
    assert kept.restore(None) == ([], [])


def test_a_checkpoint_of_other_settings_is_no_checkpoint(tmp_path):
    """Changed settings, seed or device: nothing of the old training is used or lost."""
    net = trained_net()
    Checkpoint(str(tmp_path), "net", {"units": 2}).save(net, [0.1], [1.5])
    Checkpoint(None, "net", {"units": 2}).save(net, [0.1], [1.5])
    assert Checkpoint(str(tmp_path), "net", {"units": 3}).restore(net) == ([], [])
    Checkpoint(str(tmp_path), "net", {"units": 3}).save(net, [0.3], [3.5])
    assert Checkpoint(str(tmp_path), "net", {"units": 2}).restore(net) == ([0.1], [1.5])
    assert Checkpoint(None, "net", {"units": 2}).restore(net) == ([], [])


def test_training_beats_persistence_where_there_is_something_to_learn():
    """On a series that returns to its mean the small net learns to say so."""
    data = made_up(3000)
    settings = dict(TINY, units=4, epochs=3, learning_rate=1e-2, train_minutes=None, test_minutes=None)
    quality = lstm_rows.train_to_quality(context(settings, data))
    own, persistence, _ = quality.scores
    assert own.loss < persistence.loss
    assert quality.history["loss"][-1] < quality.history["loss"][0]


def test_the_baselines_on_the_real_series_are_the_known_ones():
    """Persistence 0.9403, and AR(60) with a constant 0.9414, on the last 30 % of the minutes."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    try:
        data = household.load(os.environ.get("DATA_DIR") or os.path.join(cache, "erabench", "data"))
    except DataUnavailable as reason:
        pytest.skip(str(reason))
    train, test = task.parts(data, bilstm.MODEL.settings["full"])
    linear = task.autoregression(test, task.fit_autoregression(train))
    assert round(forecast.r2(test.next_values, task.persistence(test)), 4) == 0.9403
    assert round(forecast.r2(test.next_values, linear), 4) == 0.9414
