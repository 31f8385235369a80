"""Bi-LSTM: two stacked bidirectional LSTM layers on an hour of household electricity. Details: docs/bilstm.md."""

from runners.nets.rows import bilstm_row

MODEL = bilstm_row(key="bilstm", library="Keras", implementation="runners.keras.lstm_rows", order=6)
