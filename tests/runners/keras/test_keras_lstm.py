"""LSTM and LSTM(AUG): scale, augmentation, training, scores. Tiny nets; runs on TensorFlow 1 and 2."""

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is not in this environment")

import untouched
from keras_helpers import make_context
from twins import check_training

from runners.data import airline, forecast
from runners.keras import lstm, lstm_aug, lstm_rows
from runners.nets import airline_lstm as task
from runners.nets.learner import shuffled_batches

DATA = airline.load()
TINY = dict(lstm.MODEL.settings["smoke"], units=4, epochs=3)


def context(settings, data=DATA):
    return make_context(lstm.MODEL, settings, data)


def trained(seed):
    """A tiny net trained on the train months."""
    return task.train(lstm_rows.opener(task), DATA.train, TINY, seed).learner.net


def test_a_window_s_scale_comes_from_the_window_alone():
    """Ten times the passengers are the same question, and the answer comes back at ten times the passengers."""
    histories = airline.to_scale([[112.0] * 6 + [224.0] * 6, [1120.0] * 6 + [2240.0] * 6])
    windows, level = task.to_net_scale(histories)
    assert np.allclose(windows[0], windows[1])
    answers = airline.from_scale(task.from_net_scale(windows[:, -1:], level))
    assert np.allclose(answers, [[224.0], [2240.0]])


def test_the_augmentation_is_five_fold_and_a_power_of_the_passengers():
    """LSTM(AUG) has each pair five times; amplitude a is the window of passengers ** a."""
    amplitudes = lstm_aug.MODEL.settings["full"]["amplitudes"]
    plain = task.training_pairs(DATA.train, [1.0])
    windows, targets = task.training_pairs(DATA.train, amplitudes)
    assert (plain[0].shape, windows.shape, targets.shape) == ((88, 12), (440, 12), (440,))
    for fold, power in enumerate(amplitudes):
        powered = airline.to_scale(np.asarray(airline.PASSENGERS[:100], float) ** power)
        wanted = task.training_pairs(powered, [1.0])
        assert np.allclose(windows[88 * fold : 88 * fold + 88], wanted[0])
        assert np.allclose(targets[88 * fold : 88 * fold + 88], wanted[1])
    assert amplitudes[0] == 1.0
    assert len(set(amplitudes)) == 5


def test_every_window_is_seen_once_in_a_pass():
    """Shuffled batches run through all windows before any comes again, and all have one size."""
    batches = shuffled_batches(88, 32, 0)
    seen = np.concatenate([next(batches) for _ in range(11)])
    assert sorted(seen[:88]) == sorted(seen[88:176]) == list(range(88))


@pytest.mark.parametrize("model", [lstm.MODEL, lstm_aug.MODEL], ids=["lstm", "lstm-aug"])
def test_the_timed_steps_really_train(model):
    """After however many warm-ups and over however many samples."""
    steps = lstm_rows.prepare(context(model.settings["smoke"]))
    check_training(steps, (3, 6), (3, 10), (4, 11), (20, 60), (80, 10), (3, 97))


def test_a_long_forecast_feeds_its_own_answers_back():
    """Two months ahead is one month ahead, twice."""
    net = trained(0)
    forecaster = task.forecaster(net.predict_on_batch)
    history = DATA.train[np.newaxis, :]
    both = forecaster(history, 2)
    first = forecaster(history, 1)
    second = forecaster(np.concatenate([history, first], axis=1), 1)
    assert both.shape == (1, 2)
    assert np.array_equal(both, np.concatenate([first, second], axis=1))


def test_no_test_month_touches_training():
    """With other test months the nets and their training losses are the same, bit for bit."""
    other = DATA._replace(scaled=np.concatenate([DATA.train, DATA.test[::-1]]), test=DATA.test[::-1])
    ours, theirs = (lstm_rows.train_to_quality(context(TINY, data)) for data in (DATA, other))
    assert ours.history == theirs.history
    assert ours.forecasts["one-step"][0] == theirs.forecasts["one-step"][0], "the first one sees train months only"


def test_the_figures_are_medians_over_the_seeds():
    """Both protocols beside the baseline; history, forecasts and rolling-origin errors of the seed in the middle."""
    settings = dict(TINY, seeds=3)
    quality = lstm_rows.train_to_quality(context(settings))
    assert [(score.protocol, score.baseline, score.name) for score in quality.scores] == [
        ("recursive", False, ""),
        ("one-step", False, ""),
        ("recursive", True, "seasonal naive"),
        ("one-step", True, "seasonal naive"),
    ]
    assert quality.protocol == "one-step"
    losses = [run["loss"] for run in quality.by_seed]
    assert [run["seed"] for run in quality.by_seed] == [0, 1, 2]
    assert quality.scores[1].loss == sorted(losses)[1]
    assert quality.scores[1].note == ("median-of-seeds", {"seeds": 3})
    assert forecast.mean_squared_error(DATA.test, quality.forecasts["one-step"]) == sorted(losses)[1]
    assert quality.forecasts["truth"] == list(DATA.test)
    assert len(quality.history["loss"]) == quality.epochs == 3
    assert [errors["name"] for errors in quality.rolling_origin] == ["", "seasonal naive"]
    assert [errors["origins"] for errors in quality.rolling_origin] == [33, 33]


def test_training_lowers_the_loss_and_beats_the_mean():
    """The last loss of a small net is far below its first, and R2 is above that of a constant."""
    quality = lstm_rows.train_to_quality(context(dict(TINY, units=16, epochs=60, seeds=1)))
    assert quality.history["loss"][-1] < 0.2 * quality.history["loss"][0]
    assert quality.scores[1].accuracy > 0.5


SAME_AGAIN = """
from runners.data import airline
from runners.keras import lstm_rows
from runners.keras.backend import open_backend
from runners.nets import airline_lstm as task
open_backend("cpu", 1)
settings = {}
net = task.train(lstm_rows.opener(task), airline.load().train, settings, 7).learner.net
print(json.dumps(b"".join(values.tobytes() for values in net.get_weights()).hex()))
"""


def test_the_same_seed_gives_the_same_net_bit_for_bit_and_another_seed_another():
    """Twice in this process and once in another, on the CPU."""
    one, again, other = (
        b"".join(values.tobytes() for values in trained(seed).get_weights()).hex() for seed in (7, 7, 8)
    )
    assert one == again == untouched.run(SAME_AGAIN.format(TINY))
    assert one != other
