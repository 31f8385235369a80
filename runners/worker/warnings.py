"""Warnings about a timed phase: shown beside the figure with their reason, never hidden and never a verdict.

Each mark is a key, a sentence, and the figures in it, so that a reader can put the sentence into another language.
"""

import math
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from runners import nvml
from runners.contract import Rule
from runners.worker.measure import is_precise, quantile

UNSTABLE = 0.10  # interquartile range as a share of the median; torch.utils.benchmark warns at the same
DRIFT = 0.05  # change from the first to the last third, as a share of the median
DRIFT_Z = 3.29  # two-sided 0.1 %, since a bench asks this of dozens of rows
MODES_D = 5.0  # Ashman's D: halves of a normal distribution have 2.7, of a uniform one 3.5
MODES_APART = 0.05  # of the median
MODES_LEAST = 0.10  # of the samples in the smaller mode
BUSY = 0.10  # processors
FALL = 0.10  # of a clock, from before a phase to after it; one that idled low before hides a fall
HELD_S = 0.01  # that the card's own counters say it was held back
HOT = 90.0  # degrees; processors hold themselves back from some 95 to 105 on
PAGING = 10.0  # major page faults a second; one waits for the disk 0.1 to 1 ms, so that this is up to 1 % of the time
PREEMPTED = 100.0  # involuntary context switches a second and processor: a thread is pushed off it every 10 ms
STEADY_GOVERNORS = ("performance", "userspace")  # those that do not change the clock with the load
FEW = 20  # samples below which a trend or a second mode cannot be told from chance


class Mark(NamedTuple):
    """One warning."""

    key: str
    reason: str
    figures: Dict[str, Any]


def of_samples(samples_s: Sequence[float], iqr_s: float, median_s: float, stopped_by: str, rule: Rule) -> List[Mark]:
    """What the samples themselves say, in the order they were taken."""
    marks = []
    if iqr_s >= UNSTABLE * median_s:
        share = 100 * iqr_s / median_s
        marks.append(
            Mark(
                "unstable",
                "the middle half of the samples spans {:.0f} % of the median".format(share),
                {"percent": share},
            )
        )
    change = drift(samples_s)
    if change is not None:
        reason = "the samples drifted by {:+.0f} % from the first third to the last".format(100 * change)
        marks.append(Mark("drifting", reason, {"percent": 100 * change}))
    modes = two_modes(samples_s)
    if modes is not None:
        reason = "the samples gather at two values, {:.4g} s and {:.4g} s".format(*modes)
        marks.append(Mark("bimodal", reason, {"low_s": modes[0], "high_s": modes[1]}))
    if stopped_by != "precision" and not is_precise(samples_s, rule.half_width):
        why = {"budget": "its time budget", "count": "its largest number of samples"}[stopped_by]
        wanted = 100 * rule.half_width
        reason = "stopped by {} after {} samples, before the median's 95 % interval within {:g} % of it".format(
            why, len(samples_s), wanted
        )
        marks.append(Mark("imprecise", reason, {"by": stopped_by, "samples": len(samples_s), "percent": wanted}))
    return marks


def drift(samples_s: Sequence[float]) -> Optional[float]:
    """The change from the first third's median to the last third's, as a share; ``None`` where there is no trend.

    A trend is a rank correlation of value and order beyond chance (Spearman's rho, which under independence has
    variance 1 / (n - 1); Kendall and Gibbons, Rank Correlation Methods, section 4.14) that also matters in size.
    """
    count = len(samples_s)
    if count < FEW:
        return None
    ranks = [0] * count
    for rank, index in enumerate(sorted(range(count), key=lambda index: samples_s[index])):
        ranks[index] = rank
    squares = sum((rank - order) ** 2 for order, rank in enumerate(ranks))
    rho = 1 - 6.0 * squares / (count * (count**2 - 1.0))
    third = count // 3
    first, last = (quantile(sorted(part), 0.5) for part in (samples_s[:third], samples_s[-third:]))
    change = (last - first) / quantile(sorted(samples_s), 0.5)
    return change if abs(rho) * math.sqrt(count - 1) > DRIFT_Z and abs(change) >= DRIFT else None


def two_modes(samples_s: Sequence[float]) -> Optional[Any]:
    """The two values that the samples gather at, smaller first; ``None`` where they gather at one.

    The sorted samples are split where the variance within the two parts is least (Otsu, IEEE Trans. SMC 9, 1979);
    the parts are two modes if Ashman's D = sqrt(2) |m1 - m2| / sqrt(s1^2 + s2^2) (Ashman, Bird and Zepf, AJ 108,
    1994) is beyond what a single bell or box gives when cut in two.
    """
    ordered = sorted(samples_s)
    count = len(ordered)
    least = max(2, math.ceil(MODES_LEAST * count))
    if count < FEW:
        return None
    sums, squares = [0.0], [0.0]
    shift = ordered[count // 2]  # keeps the squares' differences exact for samples that are nearly equal
    for value in ordered:
        sums.append(sums[-1] + (value - shift))
        squares.append(squares[-1] + (value - shift) ** 2)

    def part(start, end):
        size = float(end - start)
        mean = (sums[end] - sums[start]) / size
        return mean, max(0.0, (squares[end] - squares[start]) / size - mean**2)

    def within(cut):
        return cut * part(0, cut)[1] + (count - cut) * part(cut, count)[1]

    cut = min(range(least, count - least + 1), key=within)
    (low, low_variance), (high, high_variance) = part(0, cut), part(cut, count)
    spread = math.sqrt(low_variance + high_variance)
    apart = high - low
    if apart < MODES_APART * quantile(ordered, 0.5) or math.sqrt(2) * apart < MODES_D * spread:
        return None
    return low + shift, high + shift


def of_conditions(conditions: Dict[str, Any]) -> List[Mark]:
    """What else the machine did meanwhile, from ``environment.conditions`` and ``nvml.conditions``."""
    return _of_others(conditions) + _of_the_kernel(conditions) + _of_clocks(conditions) + _of_heat(conditions)


def _of_others(conditions: Dict[str, Any]) -> List[Mark]:
    marks = []
    others, stolen = conditions["others_busy"], conditions["stolen"]
    if others is not None and others >= BUSY:
        reason = "other processes kept {:.1f} processors busy meanwhile".format(others)
        marks.append(Mark("other-load", reason, {"processors": others}))
    if stolen is not None and stolen >= BUSY:
        reason = "the host took {:.1f} processors away meanwhile".format(stolen)
        marks.append(Mark("stolen-time", reason, {"processors": stolen}))
    return marks


def _of_the_kernel(conditions: Dict[str, Any]) -> List[Mark]:
    marks = []
    if conditions["quota_stops"]:
        reason = "the process was stopped {} times for its limit of processor time".format(conditions["quota_stops"])
        marks.append(Mark("quota", reason, {"times": conditions["quota_stops"]}))
    wall_s, preempted = conditions["wall_s"], PREEMPTED * conditions["processors"]
    for key, counter, least, sentence in (
        ("paging", "major_faults", PAGING, "memory had to be read from the disk {:.0f} times a second meanwhile"),
        ("preempted", "involuntary_switches", preempted, "a thread lost its processor {:.0f} times a second meanwhile"),
    ):
        rate = conditions[counter] / wall_s if wall_s > 0 else 0.0
        if rate >= least:
            marks.append(Mark(key, sentence.format(rate), {"rate": rate}))
    return marks


def _of_clocks(conditions: Dict[str, Any]) -> List[Mark]:
    marks = []
    before, after = conditions["governor_before"], conditions["governor_after"]
    governors = sorted({name for both in (before, after) if both for name in both.split(", ")})
    if not set(governors) <= set(STEADY_GOVERNORS):
        named = ", ".join(governors)
        marks.append(
            Mark("governor", "the processor's clock follows the load (governor: {})".format(named), {"governor": named})
        )
    for key, whose, clock in (
        ("falling-clock", "processor", "frequency_mhz"),
        ("falling-card-clock", "card", "card_clock_mhz"),
    ):
        before, after = conditions[clock + "_before"], conditions[clock + "_after"]
        if before and after is not None and before - after >= FALL * before:
            share = 100.0 * (before - after) / before
            reason = "the {}'s clock fell by {:.0f} % from before to after".format(whose, share)
            marks.append(Mark(key, reason, {"percent": share}))
    return marks


def _of_heat(conditions: Dict[str, Any]) -> List[Mark]:
    marks = []
    readings = [conditions["temperature_c_before"], conditions["temperature_c_after"]]
    hottest = max((reading for reading in readings if reading is not None), default=0.0)
    if hottest >= HOT:
        marks.append(Mark("hot", "the processor was at {:.0f} degrees".format(hottest), {"degrees": hottest}))
    times = conditions["throttled"]
    if times:
        reason = "the processor held itself back for heat {} times meanwhile".format(times)
        marks.append(Mark("throttled-processor", reason, {"times": times}))
    return marks


def of_card(before: Optional[nvml.Card], after: Optional[nvml.Card], own_pid: int) -> List[Mark]:
    """What the card says of itself before and after a phase."""
    if before is None or after is None:
        return []
    marks = []
    held = [why for why, seconds in nvml.held_s(before, after).items() if seconds >= HELD_S]
    reasons = sorted(set((before.throttle or []) + (after.throttle or []) + held))
    if reasons:
        named = ", ".join(reasons)
        marks.append(Mark("throttled", "the card was held back by: {}".format(named), {"reasons": named}))
    processes = after.processes or []
    foreign = [pid for pid in processes if pid != own_pid]
    if foreign and own_pid in processes:  # in a container the driver's pids are not ours
        named = ", ".join(map(str, foreign))
        marks.append(Mark("foreign-process", "other processes used the card: {}".format(named), {"processes": named}))
    return marks
