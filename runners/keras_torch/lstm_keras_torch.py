"""The net of the row LSTM in Keras on PyTorch."""

from runners.nets.rows import lstm_row

MODEL = lstm_row("lstm-keras-torch", "Keras on PyTorch", "runners.keras_torch.airline", order=51, twin_of="lstm")
