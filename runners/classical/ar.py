"""AR: an autoregression of order 12 with constant, fitted by statsmodels."""

from runners.contract import Model, Rule


def prepare(context):
    from runners.classical import autoregression, compat

    return autoregression.steps(
        context.data,
        lambda train: compat.fit_autoregression(train, autoregression.LAGS),
        lambda coefficients: autoregression.linear_forecaster(coefficients[0], coefficients[1:]),
        autoregression.lagged_fit,
    )


def train_to_quality(context):
    from runners.classical import autoregression, compat

    coefficients = compat.fit_autoregression(context.data.train, autoregression.LAGS)
    return autoregression.quality(context.data, autoregression.linear_forecaster(coefficients[0], coefficients[1:]))


MODEL = Model(
    key="ar",
    title="AR",
    params="12 lags",
    library="statsmodels",
    dataset="airline",
    order=3,
    settings={"smoke": {}, "quick": {}, "full": {}},
    rules={
        "smoke": Rule(warmup_s=0.05, min_time_s=0.1, budget_s=1),
        "quick": Rule(budget_s=5),
        "full": Rule(budget_s=20, max_samples=10000),
    },
    time_limit_s={"smoke": 60, "quick": 120, "full": 300},
    implementation="runners.classical.ar",
    processes={"smoke": 1, "quick": 5, "full": 10},
)
