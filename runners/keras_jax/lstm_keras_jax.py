"""The net of the row LSTM in Keras on JAX."""

from runners.nets.rows import lstm_row

MODEL = lstm_row("lstm-keras-jax", "Keras on JAX", "runners.keras_jax.lstm_net", order=41, twin_of="lstm")
