"""The LSTM nets in PyTorch: rows measured on request, beside the Keras rows whose nets they are."""
