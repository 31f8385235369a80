"""The net of the row LSTM in PyTorch."""

from runners.nets.rows import lstm_row

MODEL = lstm_row("lstm-pytorch", "PyTorch", "runners.pytorch.lstm_net", order=21, twin_of="lstm")
