"""The nets in Keras 3 with PyTorch as its backend: rows measured on request."""
