"""The net of the row Bi-LSTM in Keras on PyTorch."""

from runners.nets.rows import bilstm_row

MODEL = bilstm_row(
    "bilstm-keras-torch", "Keras on PyTorch", "runners.keras_torch.household", order=52, twin_of="bilstm"
)
