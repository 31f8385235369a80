"""Nets from their descriptions: the LSTM rows, which are measured on request, and the proof of a DenseNet."""
