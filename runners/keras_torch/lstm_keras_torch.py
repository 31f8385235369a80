"""The net of the row LSTM in Keras on PyTorch."""

from runners.nets.rows import lstm_row

_ROW = lstm_row("lstm-keras-torch", "Keras on PyTorch", "runners.keras_torch.airline", order=51, twin_of="lstm")
# Keras runs the loop over the window in Python here: a step takes many times as long as in PyTorch itself.
MODEL = _ROW._replace(time_limit_s={profile: 6 * seconds for profile, seconds in _ROW.time_limit_s.items()})
