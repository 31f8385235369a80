"""The net of the row Bi-LSTM in JAX."""

from runners.nets.rows import bilstm_row

MODEL = bilstm_row("bilstm-jax", "JAX", "runners.jax.lstm_net", order=32, twin_of="bilstm")
