"""The net of the row Bi-LSTM in PyTorch."""

from runners.nets.rows import bilstm_row

MODEL = bilstm_row("bilstm-pytorch", "PyTorch", "runners.pytorch.lstm_net", order=22, twin_of="bilstm")
