"""The net of the row LSTM in PyTorch."""

from runners.nets.rows import lstm_row

MODEL = lstm_row("lstm-pytorch", "PyTorch", "runners.pytorch.twins.lstm", order=21, twin_of="lstm")
