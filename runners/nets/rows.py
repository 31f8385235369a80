"""What the rows of one net share in every framework: titles, settings, stopping rules. Imports nothing heavy."""

from typing import Any, Dict, Optional, Sequence, Tuple

from runners.contract import Model, Reason, Rule

_LSTM = {
    "units": 64,
    "epochs": 300,
    "learning_rate": 5e-3,
    "amplitudes": [1.0],
    "seeds": 5,
    "timing_learning_rate": 1e-4,
}
_BILSTM = {
    "units": 32,
    "epochs": 3,
    "learning_rate": 2e-3,
    "train_minutes": None,  # None: all of the first 70 %
    "test_minutes": None,  # None: all of the last 30 %
    "timing_learning_rate": 1e-4,
}


def lstm_row(key: str, library: str, implementation: str, order: int, twin_of: Optional[str] = None) -> Model:
    """Two stacked LSTM layers on twelve months of Airline Passenger. Why these settings: docs/lstm.md."""
    return Model(
        key=key,
        title="LSTM",
        params="2 stacked LSTM",
        library=library,
        dataset="airline",
        implementation=implementation,
        settings={"smoke": dict(_LSTM, epochs=10, seeds=1), "quick": _LSTM, "full": _LSTM},
        rules={"smoke": Rule(budget_s=2.0), "quick": Rule(budget_s=2.0), "full": Rule(budget_s=10.0)},
        processes={"smoke": 1, "quick": 5, "full": 10},
        time_limit_s={"smoke": 60.0, "quick": 300.0, "full": 900.0},
        twin_of=twin_of,
        order=order,
        notes=(Reason("lstm-scale"),),
    )


def bilstm_row(key: str, library: str, implementation: str, order: int, twin_of: Optional[str] = None) -> Model:
    """Two stacked bidirectional LSTM layers on an hour of household electricity. Details: docs/bilstm.md."""
    quick = dict(_BILSTM, epochs=1, train_minutes=60000, test_minutes=40000)
    return Model(
        key=key,
        title="Bi-LSTM",
        params="2 stacked Bi-LSTM",
        library=library,
        dataset="household",
        implementation=implementation,
        settings={"smoke": dict(quick, train_minutes=1920, test_minutes=1440), "quick": quick, "full": _BILSTM},
        rules={"smoke": Rule(budget_s=3.0), "quick": Rule(budget_s=3.0), "full": Rule(budget_s=15.0)},
        processes={"smoke": 1, "quick": 5, "full": 10},
        time_limit_s={"smoke": 120.0, "quick": 600.0, "full": 24 * 3600.0},
        twin_of=twin_of,
        order=order,
        notes=(Reason("bilstm-change"),),
    )


def densenet_row(
    key: str,
    params: str,
    order: int,
    blocks: Sequence[int],
    compression: float,
    batch_size: int,
    target_accuracy: float,
    notes: Tuple[Reason, ...] = (),
    library: str = "PyTorch",
    implementation: str = "runners.pytorch.densenet.row",
    twin_of: Optional[str] = None,
) -> Model:
    """The row of a DenseNet of growth rate 24. ``target_accuracy`` is the published one, where ``full`` stops."""
    net = {"blocks": list(blocks), "compression": compression, "growth": 24}
    timed: Dict[str, Any] = dict(net, batch_size=batch_size, timing_learning_rate=1e-4)
    trained = dict(
        timed,
        epochs=60,
        learning_rate=1e-3,
        target_accuracy=target_accuracy,
        checkpoint_every=500,  # batches; besides after every epoch
        train_images=None,  # all of them
        test_images=None,
    )
    return Model(
        key=key,
        title="DenseNet",
        params=params,
        library=library,
        dataset="cifar10",
        implementation=implementation,
        settings={"smoke": dict(timed, batch_size=4), "quick": timed, "full": trained},
        rules={
            "smoke": Rule(min_warmup=1, warmup_s=0.0, min_samples=3, max_samples=3, budget_s=0.0),
            "quick": Rule(min_warmup=1, warmup_s=0.5, min_samples=3, max_samples=50, budget_s=8.0),
            "full": Rule(min_warmup=2, warmup_s=1.0, min_samples=6, budget_s=30.0),
        },
        processes={"smoke": 1, "quick": 3, "full": 10},
        time_limit_s={"smoke": 300.0, "quick": 1200.0, "full": 172800.0},
        order=order,
        twin_of=twin_of,
        notes=notes,
    )


def densenet_24x3_row(
    key: str, library: str, implementation: str, order: int, twin_of: Optional[str] = "densenet-24x3"
) -> Model:
    """Three blocks of 24 layers, and transitions that keep half of the channels."""
    return densenet_row(key, "3 x 24 dense", order, (24, 24, 24), 0.5, 32, 0.886, (), library, implementation, twin_of)
