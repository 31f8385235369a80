"""The figure of a row: the median over its processes, and how far a second bench may lie from it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from report.records.common import PhaseName
from report.records.result import Result

T_95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131)
"""Student's t for 95 %, two-sided, by degrees of freedom from 1."""


@dataclass(frozen=True, slots=True)
class Figure:
    """Seconds: the median over ``processes``, with its 95 % interval; None with a single process."""

    median_s: float
    low_s: float | None
    high_s: float | None
    processes: int
    detectable: float | None
    """The smallest slowdown (1.1: by a tenth) that two benches with as many processes and this spread would show."""

    @property
    def relative(self) -> float | None:
        """The larger half of the interval as a share of the median: 0.04 is printed as ±4 %. None without interval."""
        if self.low_s is None or self.high_s is None:
            return None
        return max(self.high_s - self.median_s, self.median_s - self.low_s) / self.median_s

    def times(self, factor: float) -> Figure:
        """Return the figure of ``factor`` times the work."""
        low, high = (value and value * factor for value in (self.low_s, self.high_s))
        return Figure(self.median_s * factor, low, high, self.processes, self.detectable)


def figure(result: Result, phase: PhaseName) -> Figure | None:
    """Return the seconds per unit of the valid phases of the processes that are ok; None where there are none."""
    medians = [found.median_s for found in result.phases(phase)]
    return of_medians(medians) if medians else None


def total(result: Result, which: Literal["epoch", "test_set"]) -> Figure | None:
    """Return the seconds of an epoch or a test set: measured once, or extrapolated from the figure of its phase."""
    found = result.epoch if which == "epoch" else result.test_set
    if found is None:
        return None
    if found.how == "measured":
        return Figure(found.seconds, None, None, 1, None)
    step = figure(result, "train" if which == "epoch" else "predict")
    return step and step.times(found.batches)


def of_medians(medians_s: Sequence[float]) -> Figure:
    """Return the figure of processes with these medians (seconds, at least one)."""
    median = statistics.median(medians_s)
    count = len(medians_s)
    if count < 2:
        return Figure(median, None, None, count, None)
    logs = [math.log(value) for value in medians_s]
    centre = math.fsum(logs) / count
    variance = math.fsum((value - centre) ** 2 for value in logs) / (count - 1)
    half = T_95[min(count - 1, len(T_95)) - 1] * math.sqrt(variance / count)
    low, high = math.exp(centre - half), math.exp(centre + half)
    return Figure(median, min(low, median), max(high, median), count, math.exp(2 * half))
