"""The net of the row Bi-LSTM in Keras on PyTorch."""

from runners.nets.rows import bilstm_row

_ROW = bilstm_row("bilstm-keras-torch", "Keras on PyTorch", "runners.keras_torch.household", order=52, twin_of="bilstm")
# Keras runs the loop over the window in Python here: a step takes many times as long as in PyTorch itself.
MODEL = _ROW._replace(time_limit_s={profile: 6 * seconds for profile, seconds in _ROW.time_limit_s.items()})
