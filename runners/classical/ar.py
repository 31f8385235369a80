"""AR: an autoregression of order 12 with constant, fitted by statsmodels."""

from runners.contract import Model, Rule

MODEL = Model(
    key="ar",
    title="AR",
    params="12 lags",
    library="statsmodels",
    dataset="airline",
    implementation="runners.classical.airline_fit",
    settings={"smoke": {}, "quick": {}, "full": {}},
    rules={
        "smoke": Rule(warmup_s=0.05, min_time_s=0.1, budget_s=1.0),
        "quick": Rule(warmup_s=0.2, min_time_s=2.0, budget_s=2.0),
        "full": Rule(min_time_s=2.0, budget_s=5.0, max_samples=10000),
    },
    processes={"smoke": 1, "quick": 5, "full": 10},
    time_limit_s={"smoke": 60, "quick": 120, "full": 300},
    order=3,
)
