"""What a framework gives to the training loops and to the timing of the LSTM nets."""

import math
from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple

from runners.contract import Steps


class Learner(NamedTuple):
    """A net with its optimizer, in one framework.

    ``train(inputs, targets)`` makes one update from float32 arrays (n, window, 1) and (n, 1), and returns the loss
    before it; ``predict(inputs)`` returns (n, 1) in host memory.
    """

    net: Any  # the framework's own
    train: Callable[[Any, Any], float]
    predict: Callable[[Any], Any]


OpenLearner = Callable[[Dict[str, Any], int, int], Learner]
"""``open_learner(settings, seed, updates)``: a fresh net whose rate falls to zero over so many updates."""


class Timed(NamedTuple):
    """What an LSTM row times: the net's shape, and one batch of real windows."""

    window: int
    units: int  # of one direction
    bidirectional: bool
    learning_rate: float
    batch: Tuple[Any, Any]  # see batches.representative_batch
    train_batches: Optional[int] = None
    test_batches: Optional[int] = None


def timed_steps(
    timed: Timed,
    train: Callable[[Any], Any],
    predict: Callable[[Any], Any],
    state: Callable[[], bytes],
    parameters: int,
) -> Steps:
    """The net as the timing loop takes it, from the framework's own step and prediction.

    Every step copies the same batch to the device: its work does not depend on the values, and a loss that falls over
    the timed steps is the result of training and not of an easier batch.
    """
    inputs, _ = timed.batch
    kind = "bidirectional LSTM 2 x {}" if timed.bidirectional else "LSTM {}"
    return Steps(
        train=train,
        train_batch=lambda: timed.batch,
        read_loss=float,
        predict=predict,
        predict_batch=lambda: inputs,
        state=state,
        parameters=parameters,
        train_batches=timed.train_batches,
        test_batches=timed.test_batches,
        details={"layers": [kind.format(timed.units)] * 2 + ["linear 1"], "window": timed.window},
    )


def cosine_share(step: int, updates: int) -> float:
    """The share of the first rate that update ``step`` (from 0) of ``updates`` uses: half a cosine from 1 to 0."""
    return 0.5 * (1.0 + math.cos(math.pi * min(step, updates) / updates))
