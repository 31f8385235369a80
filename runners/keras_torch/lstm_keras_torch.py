"""The net of the row LSTM in Keras on PyTorch."""

from runners.nets.rows import lstm_row

_ROW = lstm_row("lstm-keras-torch", "Keras on PyTorch", "runners.keras_torch.airline", order=51, twin_of="lstm")
# Keras runs the loop over the window in Python here, and a step takes many times as long as in PyTorch itself: `quick`
# trains with one seed, `full` with all five.
MODEL = _ROW._replace(
    settings=dict(_ROW.settings, quick=dict(_ROW.settings["quick"], seeds=1)),
    time_limit_s={profile: 4 * seconds for profile, seconds in _ROW.time_limit_s.items()},
)
