"""LSTM: two stacked LSTM layers on twelve months of Airline Passenger. Why these settings: docs/lstm.md."""

from runners.contract import Context, Model, Quality, Rule, Steps

_CHOSEN = {
    "units": 64,
    "epochs": 300,
    "learning_rate": 5e-3,
    "amplitudes": [1.0],
    "seeds": 5,
    "timing_learning_rate": 1e-4,
}
_NOTE = (
    "The LSTM net sees a window as logarithms less their mean, so nothing is fitted outside the window; "
    "its settings were chosen on the last train year."
)


def prepare(context: Context) -> Steps:
    from runners.keras import airline_lstm

    return airline_lstm.prepare(context)


def train_to_quality(context: Context) -> Quality:
    from runners.keras import airline_lstm

    return airline_lstm.train_to_quality(context, [_NOTE])


MODEL = Model(
    key="lstm",
    title="LSTM",
    params="2 stacked LSTM",
    library="Keras",
    dataset="airline",
    settings={"smoke": dict(_CHOSEN, epochs=10, seeds=1), "quick": _CHOSEN, "full": _CHOSEN},
    rules={"smoke": Rule(budget_s=2.0), "quick": Rule(budget_s=10.0), "full": Rule(budget_s=30.0)},
    time_limit_s={"smoke": 60.0, "quick": 300.0, "full": 900.0},
    implementation="runners.keras.lstm",
    processes={"smoke": 1, "quick": 5, "full": 10},
    order=1,
)
