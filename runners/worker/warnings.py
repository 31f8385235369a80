"""Warnings about a timed phase, as keys and values: shown beside the figure, never hidden and never a verdict."""

import math
import os
from typing import Any, Dict, List, Optional, Sequence, Tuple

from runners.contract import Reason, Rule
from runners.machine import nvml
from runners.worker.measure import is_precise, quantile

UNSTABLE = 0.10  # interquartile range as a share of the median; torch.utils.benchmark warns at the same
DRIFT = 0.05  # change from the first to the last third, as a share of the median
DRIFT_Z = 3.29  # two-sided 0.1 %, since a bench asks this of dozens of rows
MODES_D = 5.0  # Ashman's D: halves of a normal distribution have 2.7, of a uniform one 3.5
MODES_APART = 0.05  # of the median
MODES_LEAST = 0.10  # of the samples in the smaller mode
BUSY = 0.10  # processors
FALL = 0.10  # of a clock, from before a phase to after it; one that was idle before hides a fall
THROTTLED_S = 0.01  # by the GPU's own counters
HOT = 90.0  # degrees; processors throttle from some 95 to 105 on
PAGING = 10.0  # major page faults per second; one waits for the disk 0.1 to 1 ms, so this is up to 1 % of the time
PREEMPTED = 100.0  # involuntary context switches per second and processor: a thread loses it every 10 ms
STEADY_GOVERNORS = ("performance", "userspace")  # those that do not change the clock with the load
FEW = 20  # samples below which a trend or a second mode cannot be told from chance


def of_phase(phase: Dict[str, Any], rule: Rule, before: Optional[nvml.Gpu], after: Optional[nvml.Gpu]) -> List[Reason]:
    """All warnings of a phase as the record holds it, with the GPU before and after."""
    return of_samples(phase, rule) + of_conditions(phase["conditions"]) + of_gpu(before, after, os.getpid())


def of_samples(phase: Dict[str, Any], rule: Rule) -> List[Reason]:
    """Warnings from the samples, in the order they were taken."""
    found, samples_s, median_s = [], phase["samples_s"], phase["median_s"]
    if phase["iqr_s"] >= UNSTABLE * median_s:
        found.append(Reason("unstable", {"percent": 100 * phase["iqr_s"] / median_s}))
    change = drift(samples_s)
    if change is not None:
        found.append(Reason("drifting", {"percent": 100 * change}))
    modes = two_modes(samples_s)
    if modes is not None:
        found.append(Reason("bimodal", {"low_s": modes[0], "high_s": modes[1]}))
    stopped_by = phase["stopped_by"]
    if stopped_by != "precision" and not is_precise(samples_s, rule.half_width):
        wanted = 100 * rule.half_width
        found.append(Reason("imprecise", {"by": stopped_by, "samples": len(samples_s), "percent": wanted}))
    return found


def drift(samples_s: Sequence[float]) -> Optional[float]:
    """Return the change from the first third's median to the last third's, as a share; ``None`` without a trend.

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
    """Return the two values around which the samples cluster, smaller first; ``None`` where there is one.

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

    def part(start: int, end: int) -> Tuple[float, float]:
        size = float(end - start)
        mean = (sums[end] - sums[start]) / size
        return mean, max(0.0, (squares[end] - squares[start]) / size - mean**2)

    def within(cut: int) -> float:
        return cut * part(0, cut)[1] + (count - cut) * part(cut, count)[1]

    cut = min(range(least, count - least + 1), key=within)
    (low, low_variance), (high, high_variance) = part(0, cut), part(cut, count)
    spread = math.sqrt(low_variance + high_variance)
    apart = high - low
    if apart < MODES_APART * quantile(ordered, 0.5) or math.sqrt(2) * apart < MODES_D * spread:
        return None
    return low + shift, high + shift


def of_conditions(conditions: Dict[str, Any]) -> List[Reason]:
    """Warnings from what else happened on the machine: ``load.conditions`` and ``nvml.conditions``."""
    found = []
    for key, name in (("other-load", "other_load_cpus"), ("stolen-time", "steal_cpus")):
        if conditions[name] is not None and conditions[name] >= BUSY:
            found.append(Reason(key, {"processors": conditions[name]}))
    if conditions["cgroup_throttled"]:
        found.append(Reason("cgroup-throttled", {"times": conditions["cgroup_throttled"]}))
    wall_s, preempted = conditions["wall_s"], PREEMPTED * conditions["cpus"]
    for key, name, least in (("paging", "major_faults", PAGING), ("preempted", "involuntary_switches", preempted)):
        rate = conditions[name] / wall_s if wall_s > 0 else 0.0
        if rate >= least:
            found.append(Reason(key, {"rate": rate}))
    return found + _of_clocks(conditions) + _of_heat(conditions)


def _of_clocks(conditions: Dict[str, Any]) -> List[Reason]:
    found = []
    both = filter(None, (conditions["governor_before"], conditions["governor_after"]))
    governors = sorted({name for names in both for name in names.split(", ")})
    if not set(governors) <= set(STEADY_GOVERNORS):
        found.append(Reason("governor", {"governor": ", ".join(governors)}))
    for key, clock in (("falling-clock", "cpu_mhz"), ("falling-gpu-clock", "gpu_clock_mhz")):
        before, after = conditions[clock + "_before"], conditions[clock + "_after"]
        if before and after is not None and before - after >= FALL * before:
            found.append(Reason(key, {"percent": 100.0 * (before - after) / before}))
    return found


def _of_heat(conditions: Dict[str, Any]) -> List[Reason]:
    readings = [conditions["cpu_temperature_c_before"], conditions["cpu_temperature_c_after"]]
    hottest = max((reading for reading in readings if reading is not None), default=0.0)
    found = [Reason("hot", {"degrees": hottest})] if hottest >= HOT else []
    if conditions["cpu_throttled"]:
        found.append(Reason("throttled-processor", {"times": conditions["cpu_throttled"]}))
    return found


def of_gpu(before: Optional[nvml.Gpu], after: Optional[nvml.Gpu], own_pid: int) -> List[Reason]:
    """Warnings from two readings of the GPU."""
    if before is None or after is None:
        return []
    found = []
    counted = [reason for reason, seconds in nvml.throttled_s(before, after).items() if seconds >= THROTTLED_S]
    reasons = sorted(set((before.throttle or []) + (after.throttle or []) + counted))
    if reasons:
        found.append(Reason("throttled", {"reasons": ", ".join(reasons)}))
    processes = after.processes or []
    foreign = [pid for pid in processes if pid != own_pid]
    if foreign and own_pid in processes:  # in a container the driver's pids are not ours
        found.append(Reason("foreign-process", {"processes": ", ".join(map(str, foreign))}))
    return found
