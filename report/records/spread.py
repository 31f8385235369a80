"""How far processes and benches of the same thing lie apart: Student's t, order statistics, drift between benches.

Times are compared as logarithms, so that twice as slow lies as far from equal as twice as fast. Decision 0010 has the
sources and the simulated error rates behind what is here.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

DRIFT = 0.025
"""Standard deviation, in logarithms, of the ratio of two benches of one machine beyond what their processes differ by.

Benches never tell apart what differs by less than 1.96 DRIFT, 5 %, however steady their processes are. Where too few
unchanged rows show how far the machine drifted, one that drifts by more gives false verdicts.
"""

_T = (  # Student's t by degrees of freedom: for 95 % two-sided, and what nine in ten values stay below
    (1, 12.706, 3.078),
    (2, 4.303, 1.886),
    (3, 3.182, 1.638),
    (4, 2.776, 1.533),
    (5, 2.571, 1.476),
    (6, 2.447, 1.440),
    (7, 2.365, 1.415),
    (8, 2.306, 1.397),
    (9, 2.262, 1.383),
    (10, 2.228, 1.372),
    (15, 2.131, 1.341),
    (30, 2.042, 1.310),
    (math.inf, 1.960, 1.282),
)


class Spread(NamedTuple):
    """Logarithms of the times of processes, summed up."""

    processes: int  # that count with a time of their own
    mean: float
    variance: float  # of one process; 0 for a single one, from which it is unknown

    @classmethod
    def of(cls, times_s: Sequence[float], winsorized: int = 0) -> Spread:
        """Sum up positive seconds, at least one; the ``winsorized`` slowest count as the next slower one.

        The variance of a mean of such processes is that of Dixon and Tukey (Technometrics 10, 1968), here for one side.
        """
        logs = sorted(math.log(value) for value in times_s)
        own = len(logs) - winsorized
        logs[own:] = [logs[own - 1]] * winsorized
        mean = math.fsum(logs) / len(logs)
        return cls(own, mean, math.fsum((value - mean) ** 2 for value in logs) / max(1, own - 1))

    @classmethod
    def undisturbed(cls, times_s: Sequence[float]) -> Spread:
        """Sum up the processes of one bench: of every five, the slowest one counts as the next slower one.

        One that was disturbed from start to end would otherwise hide most differences of its row (decision 0016).
        """
        return cls.of(times_s, winsorized=len(times_s) // 5)

    @property
    def of_mean(self) -> float:
        """The variance of the mean."""
        return self.variance / self.processes


class Uncertainty(NamedTuple):
    """Of an estimated logarithm."""

    error: float  # its standard error
    degrees: float  # of freedom, of that error
    half: float  # of the 95 % interval
    detectable: float  # a true difference as large as this is found nine times in ten


def combined(variances: Sequence[tuple[float, int]], fixed: float = 0.0) -> Uncertainty:
    """Return the uncertainty of a sum of independent parts: variances with their degrees of freedom, and a known one.

    Student's t with Welch and Satterthwaite's degrees of freedom (Welch, Biometrika 34, 1947).
    """
    whole = fixed + sum(variance for variance, _ in variances)
    unsure = sum(variance**2 / degrees for variance, degrees in variances)
    degrees, error = whole**2 / unsure if unsure else math.inf, math.sqrt(whole)
    confidence, power = student(degrees)
    return Uncertainty(error, degrees, confidence * error, (confidence + power) * error)


def student(degrees: float) -> tuple[float, float]:
    """Return t for a two-sided 95 % interval and for nine in ten; between the table's rows, linear in 1/degrees."""
    place = max(1, bisect_left(_T, (degrees,)))
    (few, *low), (many, *high) = _T[place - 1 : place + 1]
    share = (1 / max(degrees, few) - 1 / many) / (1 / few - 1 / many)
    return (high[0] + share * (low[0] - high[0]), high[1] + share * (low[1] - high[1]))


def chance(t: float, degrees: float) -> float:
    """Return the probability that Student's t lies as far from 0 as ``t`` or farther, on either side.

    It is the incomplete beta function of degrees / (degrees + t²) (Abramowitz and Stegun, 26.7.1 and 26.5.27),
    integrated over the angle whose sine is the root of that, by Simpson's rule.
    """
    if not t:
        return 1.0
    degrees = min(degrees, 200.0)  # the normal distribution's 5 % are 5.1 % here
    step = math.asin(math.sqrt(degrees / (degrees + t * t))) / 200
    values = [math.sin(step * place) ** (degrees - 1) for place in range(201)]
    integral = (values[0] + values[-1] + 4 * sum(values[1:-1:2]) + 2 * sum(values[2:-1:2])) * step / 3
    whole = math.sqrt(math.pi) * math.exp(math.lgamma(degrees / 2) - math.lgamma((degrees + 1) / 2)) / 2
    return min(1.0, float(integral / whole))


def exponential(logarithm: float) -> float:
    """Return e to that power, kept within what a float can hold."""
    return math.exp(min(max(logarithm, -700.0), 700.0))


def median_rank(count: int) -> int | None:
    """Return k such that the k-th smallest and largest of ``count`` values enclose the median with 95 %; None below 6.

    From the binomial distribution, whatever that of the values is (decision 0004).
    """
    outside, rank = 0.5**count, 0  # the chance that at most `rank` of the values lie below the median
    while outside <= 0.025:
        rank += 1
        outside += math.comb(count, rank) * 0.5**count
    return rank or None
