"""The ratio of two times, each measured by several fresh processes, and its verdict.

The unit of evidence is the process: its samples do not show how much the next process will differ. Decision 0010 has
the sources, what was rejected and the error rates.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from report.records.spread import DRIFT, Spread, Uncertainty, chance, combined, exponential

Verdict = Literal["faster", "slower", "indistinguishable"]

FEWEST_PROCESSES = 3
"""With two, chance makes them equal so often that 12 % of verdicts are false where processes gather at two values."""

FEWEST_CONTROLS = 6
"""Times of unchanged rows that it takes to measure the drift between two benches: training and prediction of three."""

FALSE = 0.05
"""The share of false ones among the verdicts of a table that is looked at as a whole."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """Median of b over median of a, with its 95 % interval; None where a side has too few processes."""

    value: float
    low: float | None
    high: float | None
    detectable: float | None
    """The smallest slowdown (1.1: by a tenth) that data with this spread would show nine times in ten."""
    paired: bool = False
    drift: float = 1.0
    """How many times as long rows that nothing changed for took in b; ``value`` and its interval are without it."""
    t: float = 0.0
    """The mean logarithm in standard errors; infinite where all processes agree on a difference."""
    degrees: float = math.inf
    """Of freedom, of that error."""

    @property
    def chance(self) -> float:
        """The probability of a ratio as far from 1 as this one where nothing differs; 1 with too few processes."""
        return chance(self.t, self.degrees)

    @property
    def verdict(self) -> Verdict:
        """The verdict on b compared with a: a difference only if the interval excludes 1."""
        if self.low is None or self.high is None:
            return "indistinguishable"
        if self.high < 1:
            return "faster"
        return "slower" if self.low > 1 else "indistinguishable"


class Shift(NamedTuple):
    """The logarithm of a time's ratio between two benches, and how much of its variance is that of the processes."""

    size: float
    variance: float

    @classmethod
    def of(cls, a_s: Sequence[float], b_s: Sequence[float]) -> Shift:
        """Return the shift of the mean logarithms of the processes' medians."""
        a, b = Spread.of(a_s), Spread.of(b_s)
        return cls(b.mean - a.mean, a.of_mean + b.of_mean)


def ratio(a_s: Sequence[float], b_s: Sequence[float], controls: Sequence[Shift] = ()) -> Ratio:
    """Compare the processes' medians of two separate benches: positive seconds, at least one on each side.

    ``controls`` are the shifts of the times of other rows in the same benches, which nothing changed for. Their mean is
    the drift of the machine between the benches and is taken out. How far they lie apart beyond what their processes
    explain is how far a time without any change may lie from it (Hedges, Psychological Bulletin 93, 1983: the variance
    between studies of known precision); that variance and the mean's are added. With fewer than FEWEST_CONTROLS, the
    drift is unknown, and a fixed variance stands for it.

    The interval is Welch's of the mean logarithms (Welch, Biometrika 34, 1947), widened if needed to contain the ratio
    of the medians, which is what a reader sees.
    """
    sizes = [control.size for control in controls] if len(controls) >= FEWEST_CONTROLS else []
    drift = statistics.fmean(sizes) if sizes else 0.0
    value = statistics.median(b_s) / statistics.median(a_s) / math.exp(drift)
    if min(len(a_s), len(b_s)) < FEWEST_PROCESSES:
        return Ratio(value, None, None, None, drift=math.exp(drift))
    a, b = Spread.of(a_s), Spread.of(b_s)
    parts = [(a.of_mean, a.processes - 1), (b.of_mean, b.processes - 1)]
    if sizes:
        seen = statistics.variance(sizes)
        between = max(0.0, seen - statistics.fmean(control.variance for control in controls))
        parts.append((between + seen / len(sizes), len(sizes) - 1))
        found = combined(parts)
    else:
        found = combined(parts, DRIFT**2)
    return replace(_interval(value, b.mean - a.mean - drift, found, paired=False), drift=math.exp(drift))


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
    low, high = exponential(centre - found.half), exponential(centre + found.half)
    t = centre / found.error if found.error else math.copysign(math.inf, centre) if centre else 0.0
    detectable = exponential(found.detectable)
    return Ratio(value, min(low, value), max(high, value), detectable, paired, t=t, degrees=found.degrees)


def largest_chance(ratios: Iterable[Ratio]) -> float:
    """Return the largest ``chance`` of a verdict that stands where many ratios are looked at together; 0 for none.

    Of the verdicts that stand, the share FALSE at most is expected to be false (Benjamini and Hochberg, Journal of the
    Royal Statistical Society B 57, 1995); intervals of 95 % would call one in twenty equal times different.
    """
    found = sorted(one.chance for one in ratios if one.low is not None)
    return max((each for place, each in enumerate(found, 1) if each <= FALSE * place / len(found)), default=0.0)
