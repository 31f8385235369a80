"""AR(Polyfit): each month as a straight line of the same month one year before, by NumPy's polynomial fit."""

from runners.classical.ar import MODEL as AR

MODEL = AR._replace(key="ar-polyfit", title="AR(Polyfit)", params="12 lags; degree 1", library="NumPy", order=5)
