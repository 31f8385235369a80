"""The net of the row Bi-LSTM in Keras on PyTorch."""

from runners.contract import Rule
from runners.nets.rows import bilstm_row

_ROW = bilstm_row("bilstm-keras-torch", "Keras on PyTorch", "runners.keras_torch.lstm_net", order=52, twin_of="bilstm")
# Keras runs the loop over the window in Python here, and a step takes seconds: `quick` has fewer processes, samples and
# train minutes. The step is the same.
MODEL = _ROW._replace(
    settings=dict(_ROW.settings, quick=dict(_ROW.settings["quick"], train_minutes=5000)),
    rules=dict(_ROW.rules, quick=Rule(min_warmup=1, min_samples=6, budget_s=8.0)),
    processes=dict(_ROW.processes, quick=3),
    time_limit_s={profile: 4 * seconds for profile, seconds in _ROW.time_limit_s.items()},
)
