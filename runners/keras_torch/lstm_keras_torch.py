"""The net of the row LSTM in Keras on PyTorch."""

from runners.nets.rows import lstm_row

_ROW = lstm_row("lstm-keras-torch", "Keras on PyTorch", "runners.keras_torch.lstm_net", order=51, twin_of="lstm")
# Keras runs the loop over the window in Python here, so a step takes several times as long as in PyTorch itself.
MODEL = _ROW._replace(time_limit_s={profile: 4 * seconds for profile, seconds in _ROW.time_limit_s.items()})
