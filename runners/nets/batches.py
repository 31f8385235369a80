"""Batches of windows: shuffled for training, and the one that is timed."""

from typing import Any, Iterator, Tuple

import numpy as np

from runners.contract import BATCH_SIZE


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
