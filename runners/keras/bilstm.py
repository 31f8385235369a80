"""Bi-LSTM: two stacked bidirectional LSTM layers on an hour of household electricity. Details: docs/bilstm.md."""

from runners.contract import Model, Reason, Rule

_FULL = {
    "units": 32,
    "epochs": 3,
    "learning_rate": 2e-3,
    "train_minutes": None,  # None: all of the first 70 %
    "test_minutes": None,  # None: all of the last 30 %
    "timing_learning_rate": 1e-4,
}
_QUICK = dict(_FULL, epochs=1, train_minutes=60000, test_minutes=40000)
_SMOKE = dict(_FULL, epochs=1, train_minutes=1920, test_minutes=1440)

MODEL = Model(
    key="bilstm",
    title="Bi-LSTM",
    params="2 stacked Bi-LSTM",
    library="Keras",
    dataset="household",
    implementation="runners.keras.household_bilstm",
    settings={"smoke": _SMOKE, "quick": _QUICK, "full": _FULL},
    rules={"smoke": Rule(budget_s=3.0), "quick": Rule(budget_s=3.0), "full": Rule(budget_s=15.0)},
    processes={"smoke": 1, "quick": 5, "full": 10},
    time_limit_s={"smoke": 120.0, "quick": 600.0, "full": 24 * 3600.0},
    order=6,
    notes=(Reason("bilstm-change"),),
)
