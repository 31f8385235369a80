"""Joules a batch, over a window of its own that is long enough for the counters. Absent is ``None``, never assumed."""

import time
from typing import Any, Callable, Optional

from runners import nvml, rapl

WINDOW_S = 5.0
"""NVML's counter moves some ten times a second (arXiv:2312.02741 saw 20 to 100 ms): 2 % of this at most."""

SOURCES = {"cpu": "RAPL package counters", "gpu": "NVML total energy consumption"}


def per_batch(
    device: str,
    step: Callable[[Any], Any],
    next_batch: Callable[[], Any],
    synchronize: Callable[[], None],
    clock: Callable[[], float] = time.monotonic,
) -> Optional[float]:
    """Joules that the card or the processor packages took a step, everything between the steps included.

    Steps on, after the timing, until ``WINDOW_S`` have gone by and one step is whole; does nothing where nobody counts.
    """
    before = _read(device)
    if before is None:
        return None
    began, steps = clock(), 0
    while steps == 0 or clock() - began < WINDOW_S:
        step(next_batch())
        synchronize()
        steps += 1
    elapsed_s = clock() - began
    after = _read(device)
    joules = nvml.joules(before, after) if device == "gpu" else rapl.joules(before, after, elapsed_s)
    return None if joules is None else joules / steps


def _read(device: str) -> Any:
    if device == "cpu":
        return rapl.read()
    card = nvml.read_card()
    return None if card is None or card.energy_mj is None else card
