"""LSTM(AUG): the LSTM trained on five times the data. Why this augmentation: docs/lstm.md."""

from runners.contract import Reason
from runners.keras.lstm import MODEL as LSTM

_AMPLITUDES = [1.0, 0.8, 0.9, 1.1, 1.2]
_CHOSEN = dict(LSTM.settings["full"], epochs=60, learning_rate=1e-2, amplitudes=_AMPLITUDES)

MODEL = LSTM._replace(
    key="lstm-aug",
    title="LSTM(AUG)",
    settings={"smoke": dict(_CHOSEN, epochs=2, seeds=1), "quick": _CHOSEN, "full": _CHOSEN},
    order=2,
    notes=(Reason("lstm-aug-published"), Reason("lstm-aug-here", {"powers": _AMPLITUDES})),
)
