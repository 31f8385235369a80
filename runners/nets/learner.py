"""What a framework gives to the training loops and to the timing of the LSTM nets, and the batches they take."""

import math
from typing import Any, Callable, Dict, Iterator, NamedTuple, Optional, Tuple

import numpy as np

from runners.contract import BATCH_SIZE, Steps


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
    batch: Tuple[Any, Any]  # see representative_batch
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


def shuffled_batches(count: int, size: int, seed: int) -> Iterator[Any]:
    """Endless index arrays of shape (size,) that run through one shuffle of ``range(count)`` after another.

    What a shuffle leaves over opens the next batch, so every batch is complete and a framework that compiles builds one
    graph.
    """
    random = np.random.RandomState(seed)
    waiting = np.zeros(0, np.intp)
    while True:
        while len(waiting) < size:
            waiting = np.concatenate([waiting, random.permutation(count)])
        yield waiting[:size]
        waiting = waiting[size:]


def representative_batch(inputs: Any, targets: Any) -> Tuple[Any, Any]:
    """One batch of the windows whose targets lie evenly over all targets in order of size.

    Takes inputs (n, window) and targets (n,); returns float32 of shapes (BATCH_SIZE, window, 1) and (BATCH_SIZE, 1).
    """
    ordered = np.argsort(targets, kind="mergesort")
    rows = ordered[np.linspace(0, len(ordered) - 1, BATCH_SIZE).astype(np.intp)]
    return (
        np.ascontiguousarray(inputs[rows][:, :, np.newaxis], np.float32),
        np.ascontiguousarray(targets[rows][:, np.newaxis], np.float32),
    )
