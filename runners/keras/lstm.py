"""LSTM: two stacked LSTM layers on twelve months of Airline Passenger. Why these settings: docs/lstm.md."""

from runners.contract import Model, Reason, Rule

_CHOSEN = {
    "units": 64,
    "epochs": 300,
    "learning_rate": 5e-3,
    "amplitudes": [1.0],
    "seeds": 5,
    "timing_learning_rate": 1e-4,
}

MODEL = Model(
    key="lstm",
    title="LSTM",
    params="2 stacked LSTM",
    library="Keras",
    dataset="airline",
    implementation="runners.keras.airline_lstm",
    settings={"smoke": dict(_CHOSEN, epochs=10, seeds=1), "quick": _CHOSEN, "full": _CHOSEN},
    rules={"smoke": Rule(budget_s=2.0), "quick": Rule(budget_s=2.0), "full": Rule(budget_s=10.0)},
    processes={"smoke": 1, "quick": 5, "full": 10},
    time_limit_s={"smoke": 60.0, "quick": 300.0, "full": 900.0},
    order=1,
    notes=(Reason("lstm-scale"),),
)
