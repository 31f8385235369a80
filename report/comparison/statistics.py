"""The ratio of two times, each measured by several fresh processes, and its verdict.

The unit of evidence is the process: its samples do not show how much the next process will differ. Decision 0010 has
the sources, what was rejected and the error rates.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from report.records.spread import DRIFT, Spread, Uncertainty, combined

Verdict = Literal["faster", "slower", "indistinguishable"]

FEWEST_PROCESSES = 3
"""With two, chance makes them equal so often that 12 % of verdicts are false where processes gather at two values."""

_LARGEST = 700.0  # a logarithm whose exponential is still a float


@dataclass(frozen=True, slots=True)
class Ratio:
    """Median of b over median of a, with its 95 % interval; None where a side has too few processes."""

    value: float
    low: float | None
    high: float | None
    detectable: float | None
    """The smallest slowdown (1.1: by a tenth) that data with this spread would show nine times in ten."""
    paired: bool = False

    @property
    def verdict(self) -> Verdict:
        """The verdict on b compared with a: a difference only if the interval excludes 1."""
        if self.low is None or self.high is None:
            return "indistinguishable"
        if self.high < 1:
            return "faster"
        return "slower" if self.low > 1 else "indistinguishable"


def ratio(a_s: Sequence[float], b_s: Sequence[float]) -> Ratio:
    """Compare the processes' medians of two separate benches: positive seconds, at least one on each side.

    The interval is Welch's of the mean logarithms (Welch, Biometrika 34, 1947), with the variance of the drift between
    two benches added, and widened if needed to contain the ratio of the medians, which is what a reader sees.
    """
    value = statistics.median(b_s) / statistics.median(a_s)
    if min(len(a_s), len(b_s)) < FEWEST_PROCESSES:
        return Ratio(value, None, None, None)
    a, b = Spread.of(a_s), Spread.of(b_s)
    found = combined([(a.of_mean, a.processes - 1), (b.of_mean, b.processes - 1)], DRIFT**2)
    return _interval(value, b.mean - a.mean, found, paired=False)


def paired_ratio(a_s: Sequence[float], b_s: Sequence[float]) -> Ratio:
    """Compare processes that ran side by side: the n-th of each side make a pair, so drift falls out.

    The interval is Student's of the logarithms of the pairs' ratios, widened to contain their median. Raises ValueError
    where the sides have different lengths or are empty.
    """
    ratios = [after / before for before, after in zip(a_s, b_s, strict=True)]
    value = statistics.median(ratios)
    if len(ratios) < FEWEST_PROCESSES:
        return Ratio(value, None, None, None, paired=True)
    spread = Spread.of(ratios)
    return _interval(value, spread.mean, combined([(spread.of_mean, spread.processes - 1)]), paired=True)


def _interval(value: float, centre: float, found: Uncertainty, *, paired: bool) -> Ratio:
    low, high = _exponential(centre - found.half), _exponential(centre + found.half)
    return Ratio(value, min(low, value), max(high, value), _exponential(found.detectable), paired)


def _exponential(logarithm: float) -> float:
    return math.exp(min(max(logarithm, -_LARGEST), _LARGEST))
