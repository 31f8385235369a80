"""The only timing loop of the project.

Synchronization is passed in, so a step on a GPU is timed by the same lines as one on a CPU. Nothing but the
step and its synchronization lies between the two readings of the clock.
"""

import math
import time
from typing import Any, Callable, List, NamedTuple, Optional, Sequence, Tuple

from runners.contract import Rule

Interval = Tuple[float, float]

_PROGRESS_EVERY_S = 0.25  # how often the display hears of new samples; never between two clock readings


class Samples(NamedTuple):
    """What was measured: seconds per step, in the order of measurement, none left out."""

    warmup_s: List[float]
    samples_s: List[float]
    inner_loops: int  # steps per sample; the seconds above are already divided by it
    stopped_by: str  # "precision", "budget" or "count"


def measure(
    step: Callable[[Any], Any],
    synchronize: Callable[[], None],
    rule: Rule,
    clock: Callable[[], float] = time.perf_counter,
    next_batch: Callable[[], Any] = lambda: None,
    observe: Callable[[Any], None] = lambda answer: None,
    progress: Callable[[List[float], float], None] = lambda samples, elapsed_s: None,
    on_warm: Callable[[], None] = lambda: None,
) -> Samples:
    """Time ``step`` until ``rule`` is met.

    ``on_warm`` is called once, between the warm-up and the first sample. ``next_batch`` is called before the clock
    starts and ``observe`` (with the step's answer) after it has stopped: loading a batch and reading a loss are not
    part of a step. Exceptions of the step propagate.
    """

    def timed(loops: int) -> float:
        batch = next_batch()
        synchronize()
        if loops == 1:
            start = clock()
            answer = step(batch)
            synchronize()
            seconds = clock() - start
        else:
            start = clock()
            for _ in range(loops):
                answer = step(batch)
            synchronize()
            seconds = (clock() - start) / loops
        observe(answer)
        return seconds

    warmup_s: List[float] = []
    warm_until = clock() + rule.warmup_s
    loops = 1
    while len(warmup_s) < rule.min_warmup or clock() < warm_until:
        warmup_s.append(timed(loops))
        if len(warmup_s) >= rule.min_warmup:  # the first steps, which build and allocate, are timed separately
            loops = _inner_loops(min(warmup_s), rule.shortest_sample_s)
    on_warm()
    samples_s: List[float] = []
    began = last_progress = clock()
    next_look = rule.min_samples
    while True:
        samples_s.append(timed(loops))
        count, now = len(samples_s), clock()
        if now - last_progress >= _PROGRESS_EVERY_S:
            last_progress = now
            progress(samples_s, now - began)
        if count < rule.min_samples:
            continue
        if count >= next_look:  # checked less often as samples grow: sorting stays a small, constant share
            next_look = count + max(1, count // 10)
            if now - began >= rule.min_time_s and is_precise(samples_s, rule.half_width):
                return Samples(warmup_s, samples_s, loops, "precision")
        if now - began >= rule.budget_s:
            return Samples(warmup_s, samples_s, loops, "budget")
        if count >= rule.max_samples:
            return Samples(warmup_s, samples_s, loops, "count")


def _inner_loops(step_s: float, shortest_sample_s: float) -> int:
    if step_s >= shortest_sample_s:
        return 1
    return math.ceil(shortest_sample_s / max(step_s, 1e-9))


def is_precise(samples_s: Sequence[float], half_width: float) -> bool:
    """Whether the median's 95 % confidence interval reaches at most ``half_width`` of it to either side."""
    ordered = sorted(samples_s)
    interval = median_interval(ordered)
    if interval is None:
        return False
    middle = quantile(ordered, 0.5)
    return max(interval[1] - middle, middle - interval[0]) <= half_width * middle


def median_interval(ordered: Sequence[float]) -> Optional[Interval]:
    """The 95 % confidence interval of the median from sorted values; ``None`` with fewer than six.

    Distribution-free: the k-th smallest and k-th largest value, where k is the largest number with
    P(Binomial(n, 1/2) < k) <= 2.5 % (Conover, Practical Nonparametric Statistics, section 3.2). Six values are
    the fewest with which even the whole range covers 95 %.
    """
    count = len(ordered)
    rank = 0  # how many values lie outside on each side
    if count <= 100:
        term = tail = 0.5**count
        while tail <= 0.025:
            rank += 1
            term *= (count - rank + 1) / float(rank)
            tail += term
    else:  # the normal approximation is within one rank of the exact value from here on
        rank = math.floor((count - 1.959964 * math.sqrt(count)) / 2)
    if rank == 0:
        return None
    return ordered[rank - 1], ordered[count - rank]


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which ``share`` of the sorted values lie, interpolated (Hyndman and Fan, type 7)."""
    position = share * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def interquartile_range(ordered: Sequence[float]) -> float:
    """The width of the middle half of the sorted values."""
    return quantile(ordered, 0.75) - quantile(ordered, 0.25)
