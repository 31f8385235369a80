"""The classical rows: autoregressive models in statsmodels and NumPy."""
