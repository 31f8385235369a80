"""The Keras rows: LSTM nets, and a DenseNet on request. The same code runs with TensorFlow 1.12 and with Keras 3."""
