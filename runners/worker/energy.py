"""Joules per batch, over a window of its own that is long enough for the counters."""

import time
from typing import Any, Callable, Optional

from runners.machine import nvml, rapl

WINDOW_S = 5.0
"""NVML's counter is updated some ten times a second (arXiv:2312.02741 saw 20 to 100 ms): 2 % of this at most."""

SOURCES = {"cpu": "RAPL package counters", "gpu": "NVML total energy consumption"}


def per_batch(
    device: str,
    step: Callable[[Any], Any],
    next_batch: Callable[[], Any],
    synchronize: Callable[[], None],
    clock: Callable[[], float] = time.monotonic,
) -> Optional[float]:
    """Return the joules that the GPU or the processor packages used per step, everything between steps included.

    Runs after the timing, for ``WINDOW_S`` and at least one step; does nothing where there is no counter.
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
    gpu = nvml.read()
    return None if gpu is None or gpu.energy_mj is None else gpu
