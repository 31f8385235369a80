"""LSTM(AUG): the LSTM trained on five times the data. Why this augmentation: docs/lstm.md."""

from runners.contract import Context, Quality
from runners.keras.lstm import MODEL as LSTM
from runners.keras.lstm import prepare  # noqa: F401

_CHOSEN = dict(LSTM.settings["full"], epochs=60, learning_rate=1e-2, amplitudes=[1.0, 0.8, 0.9, 1.1, 1.2])
_NOTES = [
    "Augmentation as published: the training pairs (x, y) together with (x\u00b2, y\u00b2), (x+0.2, y+0.2), "
    "(x-0.3, y-0.3) and (1-x, 1-y) on the scale 0..1.",
    "Augmentation here: the passengers of each training window and its target raised to the powers {}, the "
    "window's geometric mean kept; a shift or a factor would drop out of the scale that this net sees.".format(
        ", ".join(str(power) for power in _CHOSEN["amplitudes"])
    ),
]


def train_to_quality(context: Context) -> Quality:
    from runners.keras import airline_lstm

    return airline_lstm.train_to_quality(context, _NOTES)


MODEL = LSTM._replace(
    key="lstm-aug",
    title="LSTM(AUG)",
    settings={"smoke": dict(_CHOSEN, epochs=2, seeds=1), "quick": _CHOSEN, "full": _CHOSEN},
    implementation="runners.keras.lstm_aug",
    order=2,
)
