"""The ratio of two times, each measured by several fresh processes, and its verdict.

The unit of evidence is the process: its samples do not show how much the next process will differ. What stands for a
process is its fastest sample, since other programs and the host only ever add to a time. Now and then all samples of
one are disturbed, so the slowest of every five counts as the next slower one. Decisions 0010, 0013, 0015 and 0016 have
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

SMALLEST_VARIANCE = 1e-8
"""Of a control's shift: one whose processes all took exactly as long would count alone."""

FALSE = 0.05
"""The share of false ones among the verdicts of a table that is looked at as a whole."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """Time of b over time of a, with its 95 % interval; None where a side has too few processes."""

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
    """The logarithm of a time's ratio between two benches, and its variance."""

    size: float
    variance: float

    @classmethod
    def of(cls, a_s: Sequence[float], b_s: Sequence[float]) -> Shift:
        """Return the shift of the mean logarithms of the processes' times, and its variance by their spread."""
        a, b = Spread.undisturbed(a_s), Spread.undisturbed(b_s)
        return cls(b.mean - a.mean, a.of_mean + b.of_mean)


def drift(controls: Sequence[Shift]) -> Shift:
    """Return how far the machine drifted between two benches, and the variance of a row's own drift around that.

    ``controls`` are the shifts of the times of rows that nothing changed for. They are averaged with the inverses of
    their variances as weights, after what they differ by beyond those was added to each (DerSimonian and Laird,
    Controlled Clinical Trials 7, 1986: studies of known precision, their random effect by moments). With fewer than
    FEWEST_CONTROLS the drift is unknown and taken as none.
    """
    if len(controls) < FEWEST_CONTROLS:
        return Shift(0.0, 0.0)

    def mean(between: float) -> tuple[float, list[float]]:
        weights = [1 / (max(control.variance, SMALLEST_VARIANCE) + between) for control in controls]
        of_sizes = (weight * control.size for weight, control in zip(weights, controls, strict=True))
        return math.fsum(of_sizes) / math.fsum(weights), weights

    centre, weights = mean(0.0)
    whole, freedom = math.fsum(weights), len(controls) - 1
    apart = math.fsum(weight * (one.size - centre) ** 2 for weight, one in zip(weights, controls, strict=True))
    between = max(0.0, (apart - freedom) / (whole - math.fsum(weight**2 for weight in weights) / whole))
    centre, weights = mean(between)
    return Shift(centre, between + 1 / math.fsum(weights))


def ratio(a_s: Sequence[float], b_s: Sequence[float], controls: Sequence[Shift] = ()) -> Ratio:
    """Compare two separate benches by one time per process: positive seconds, at least one on each side.

    The machine's ``drift`` by ``controls`` is taken out and its variance added, with DRIFT for what they cannot show.
    The interval is Welch's of the mean logarithms (Welch, Biometrika 34, 1947) of the undisturbed processes, widened if
    needed to contain the ratio of the medians over the processes.
    """
    machine = drift(controls)
    factor = exponential(machine.size)
    value = statistics.median(b_s) / statistics.median(a_s) / factor
    if min(len(a_s), len(b_s)) < FEWEST_PROCESSES:
        return Ratio(value, None, None, None, drift=factor)
    a, b = Spread.undisturbed(a_s), Spread.undisturbed(b_s)
    parts = [(a.of_mean, a.processes - 1), (b.of_mean, b.processes - 1)]
    if machine.variance:
        parts.append((machine.variance, len(controls) - 1))
    found = combined(parts, DRIFT**2)
    return replace(_interval(value, b.mean - a.mean - machine.size, found, paired=False), drift=factor)


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
