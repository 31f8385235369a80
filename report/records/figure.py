"""The figure of a row: the median over its processes, and its 95 % interval from how much they differ."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from report.records.common import PhaseName
from report.records.result import Result
from report.records.spread import DRIFT, Spread, combined, exponential, median_rank


@dataclass(frozen=True, slots=True)
class Figure:
    """Seconds: the median over ``processes``, with its 95 % interval; None with a single process."""

    median_s: float
    low_s: float | None
    high_s: float | None
    processes: int

    @property
    def relative(self) -> float | None:
        """From the median to the farther end of the interval, relative to it: 0.04 is ±4 %. None without interval."""
        if self.low_s is None or self.high_s is None:
            return None
        return max(self.high_s - self.median_s, self.median_s - self.low_s) / self.median_s

    @property
    def ends(self) -> tuple[float, float]:
        """The interval's ends, to be drawn; without an interval both are the median."""
        return self.low_s or self.median_s, self.high_s or self.median_s

    def times(self, factor: float) -> Figure:
        """Return the figure of ``factor`` times the work."""
        low, high = (value and value * factor for value in (self.low_s, self.high_s))
        return Figure(self.median_s * factor, low, high, self.processes)


def figure(result: Result, phase: PhaseName) -> Figure | None:
    """Return the seconds per unit of the valid phases of the processes that are ok; None where there are none."""
    medians = [found.median_s for found in result.phases(phase)]
    return of_medians(medians) if medians else None


def detectable(result: Result, phase: PhaseName) -> float | None:
    """Return the slowdown (1.1: by a tenth) that two such separate benches would show nine times in ten.

    None with fewer than two processes.
    """
    times = [found.fastest_s for found in result.phases(phase)]
    if len(times) < 2:
        return None
    spread = Spread.undisturbed(times)
    return exponential(combined([(spread.of_mean, spread.processes - 1)] * 2, DRIFT**2).detectable)


def total(result: Result, which: Literal["epoch", "test_set"]) -> Figure | None:
    """Return the seconds of an epoch or a test set: measured once, or extrapolated from the figure of its phase."""
    found = result.epoch if which == "epoch" else result.test_set
    if found is None:
        return None
    if found.how == "measured":
        return Figure(found.seconds, None, None, 1)
    step = figure(result, "train" if which == "epoch" else "predict")
    return step and step.times(found.batches)


def of_medians(medians_s: Sequence[float]) -> Figure:
    """Return the figure of processes with these medians (seconds, at least one).

    From six processes on, the interval is that of order statistics. With fewer it is Student's of the logarithms,
    widened to the observed range: neither alone keeps 95 % where processes cluster at two values (decision 0010).
    """
    return _of_ordered(tuple(sorted(medians_s)))


@cache  # the table for programs and the page ask for the same ones
def _of_ordered(ordered: tuple[float, ...]) -> Figure:
    count, median = len(ordered), statistics.median(ordered)
    if count < 2:
        return Figure(median, None, None, count)
    spread = Spread.of(ordered)
    rank = median_rank(count)
    if rank:
        return Figure(median, ordered[rank - 1], ordered[-rank], count)
    half = combined([(spread.of_mean, count - 1)]).half
    low, high = exponential(spread.mean - half), exponential(spread.mean + half)
    return Figure(median, min(low, ordered[0]), max(high, ordered[-1]), count)
