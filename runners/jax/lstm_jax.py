"""The net of the row LSTM in JAX."""

from runners.nets.rows import lstm_row

MODEL = lstm_row("lstm-jax", "JAX", "runners.jax.lstm_net", order=31, twin_of="lstm")
