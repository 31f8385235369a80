"""What the two DenseNet rows share, so that a row's own file holds only what is particular to it."""

from typing import Any, Dict, Sequence, Tuple

from runners.contract import Model, Reason, Rule


def densenet_row(
    key: str,
    params: str,
    order: int,
    blocks: Sequence[int],
    compression: float,
    batch_size: int,
    target_accuracy: float,
    notes: Tuple[Reason, ...] = (),
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
        library="PyTorch",
        dataset="cifar10",
        implementation="runners.pytorch.cifar10_densenet",
        settings={"smoke": dict(timed, batch_size=4), "quick": timed, "full": trained},
        rules={
            "smoke": Rule(min_warmup=1, warmup_s=0.0, min_samples=3, max_samples=3, budget_s=0.0),
            "quick": Rule(min_warmup=1, warmup_s=0.5, min_samples=3, max_samples=50, budget_s=8.0),
            "full": Rule(min_warmup=2, warmup_s=1.0, min_samples=6, budget_s=30.0),
        },
        processes={"smoke": 1, "quick": 3, "full": 10},
        time_limit_s={"smoke": 300.0, "quick": 1200.0, "full": 172800.0},
        order=order,
        notes=notes,
    )
