"""SARIMAX: the airline model of Box and Jenkins, an extra row that the published page lacked.

ARIMA (0,1,1)(0,1,1) of period 12 on the logarithms (Box and Jenkins, Time Series Analysis, 1970, section 9.2, made for
this very series): two weights and a variance, nothing chosen here.
"""

from runners.classical.ar import MODEL as AR
from runners.contract import Rule

ORDER, SEASONAL_ORDER = (0, 1, 1), (0, 1, 1, 12)
HISTORY = 60  # months that a timed forecast filters; differencing alone takes 13


def fit(train):
    """Weights and variance from the train part on the published scale."""
    import numpy as np

    from runners.classical import compat
    from runners.data import airline

    return compat.fit_seasonal(np.log(airline.from_scale(train)), ORDER, SEASONAL_ORDER)


def make_forecaster(parameters):
    """A forecaster that filters each history and goes on from its last state."""
    import numpy as np

    from runners.classical import compat
    from runners.data import airline

    def forecaster(histories, horizon):
        known = np.log(airline.from_scale(histories))
        asked = np.column_stack([known, np.full((len(known), horizon), np.nan)])
        ahead = [compat.filter_seasonal(row, ORDER, SEASONAL_ORDER, parameters)[-horizon:] for row in asked]
        return airline.to_scale(np.exp(np.stack(ahead)))

    return forecaster


def fitted_values(train, parameters):
    """Truth and one-step forecasts of the train part, from where differencing leaves complete rows."""
    import numpy as np

    from runners.classical import compat
    from runners.data import airline

    fitted = compat.filter_seasonal(np.log(airline.from_scale(train)), ORDER, SEASONAL_ORDER, parameters)
    complete = SEASONAL_ORDER[3] + 1
    return train[complete:], airline.to_scale(np.exp(fitted))[complete:]


def prepare(context):
    from runners.classical import autoregression

    details = {"order": list(ORDER), "seasonal_order": list(SEASONAL_ORDER), "scale": "logarithm"}
    return autoregression.steps(context.data, fit, make_forecaster, fitted_values, HISTORY, details)


def train_to_quality(context):
    from runners.classical import autoregression

    return autoregression.quality(
        context.data,
        make_forecaster(fit(context.data.train)),
        notes=["SARIMAX is not on the published page: the airline model of Box and Jenkins, by today's usual tool."],
    )


MODEL = AR._replace(
    key="sarimax",
    title="SARIMAX",
    params="(0,1,1)(0,1,1)12 of logarithms",
    order=9,
    rules={
        "smoke": Rule(min_warmup=1, warmup_s=0, min_samples=3, min_time_s=0, budget_s=1),
        "quick": Rule(min_warmup=1, budget_s=10),
        "full": Rule(min_warmup=2, budget_s=60),
    },
    implementation="runners.classical.sarimax",
)
