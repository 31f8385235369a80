"""The autoregressive models in statsmodels and NumPy."""

TITLE = "statsmodels, NumPy"
MODELS = ("ar", "ar-ols", "ar-polyfit", "sarimax")
