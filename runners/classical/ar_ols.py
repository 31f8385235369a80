"""AR(OLS): the same autoregression of order 12, by least squares in NumPy."""

from runners.classical.ar import MODEL as AR
from runners.contract import Reason

MODEL = AR._replace(
    key="ar-ols",
    title="AR(OLS)",
    params="12 lags; 1 w, 1 b",
    library="NumPy",
    order=4,
    notes=(Reason("ar-ols-is-ar"),),
)
