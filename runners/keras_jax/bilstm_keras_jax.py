"""The net of the row Bi-LSTM in Keras on JAX."""

from runners.nets.rows import bilstm_row

MODEL = bilstm_row("bilstm-keras-jax", "Keras on JAX", "runners.keras_jax.lstm_net", order=42, twin_of="bilstm")
