"""The two DenseNet rows: what they share, so that a row's own file says only what is particular to it."""

from typing import Any, Dict, Sequence

from runners.contract import Context, Model, Quality, Rule, Steps

def densenet_row(
    key: str,
    params: str,
    position: int,
    blocks: Sequence[int],
    compression: float,
    batch_size: int,
    target_accuracy: float,
    note: str = "",
) -> Model:
    """The row of a DenseNet of growth rate 24.

    ``target_accuracy`` is the published one, where ``full`` stops. ``note`` is what a reader of this row, whatever
    its device and profile, must know.
    """
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
        settings={"smoke": dict(timed, batch_size=4), "quick": timed, "full": trained},
        rules={
            "smoke": Rule(min_warmup=1, warmup_s=0.0, min_samples=3, max_samples=3, budget_s=0.0),
            "quick": Rule(min_warmup=1, warmup_s=0.0, min_samples=6, max_samples=50, budget_s=30.0),
            "full": Rule(min_warmup=3, warmup_s=1.0, min_samples=10, budget_s=120.0),
        },
        time_limit_s={"smoke": 300.0, "quick": 1200.0, "full": 172800.0},
        implementation="runners.pytorch.rows",
        processes={"smoke": 1, "quick": 3, "full": 10},
        order=position,
    )


def prepare(context: Context) -> Steps:
    from runners.pytorch import steps

    return steps.prepare(context)


def train_to_quality(context: Context) -> Quality:
    from runners.pytorch import training

    return training.train_to_quality(context)
