"""The net of the row Bi-LSTM in PyTorch."""

from runners.nets.rows import bilstm_row

MODEL = bilstm_row("bilstm-pytorch", "PyTorch", "runners.pytorch.twins.lstm", order=22, twin_of="bilstm")
