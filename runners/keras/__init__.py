"""The Keras rows, all of them LSTM nets. The same code runs with TensorFlow 1.15 and with Keras 3."""
