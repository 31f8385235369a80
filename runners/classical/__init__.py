"""The autoregressive models in statsmodels and NumPy."""
