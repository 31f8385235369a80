"""Proof that a device's synchronization waits for the work: twice the steps must take about twice as long."""

import math
import time
from typing import Callable, List, Tuple

from runners.contract import RowError, Steps
from runners.worker.measure import quantile

LEAST_RATIO, LARGEST_RATIO = 1.7, 2.3
WARMUP_S = 0.5  # the device raises its clock, the framework builds its kernels
PROBE_S = 0.02  # k steps take at least this long; a longer probe would fill a device's queue, which then waits itself
MOST_STEPS = 4096  # no training step on a device is so short that k would be larger
MOST_PAIRS = 10  # of both probes, in turns
ENOUGH_S = 3.0  # after it no pair is added
LONG_S = 1.0  # a step that took this long until ``synchronize`` returned, and then hardly longer, is proof enough
LARGEST_REST = 0.15  # of such a step, until its loss is read
ATTEMPTS = 3  # other programs may disturb one of them


def prove(steps: Steps, synchronize: Callable[[], None], clock: Callable[[], float] = time.perf_counter) -> None:
    """Raise ``RowError`` unless 2k training steps take 1.7 to 2.3 times as long as k. A first step came before.

    The time of k steps ends, as in the timing loop, with ``synchronize``; that of 2k steps with reading the last loss
    as well, which cannot return before the work is done. So a synchronization that returns early makes the first time
    too short, even where starting the work takes a time that is proportional to it. A synchronization that waits passes
    sooner or later on a busy machine, so the proof has several attempts. Of steps that take a second or more, a single
    one is judged: there may be a minute in a pair of them.
    """
    batch = steps.train_batch()

    def seconds(count: int, read: bool) -> float:
        start = clock()
        for _ in range(count):
            answer = steps.train(batch)
        synchronize()
        if read:
            steps.read_loss(answer)
        elapsed = clock() - start
        steps.read_loss(answer)  # so nothing is left for the next probe to wait for
        return elapsed

    start = clock()
    synchronized_s = seconds(1, False)
    if synchronized_s >= LONG_S and clock() - start <= (1 + LARGEST_REST) * synchronized_s:
        return
    warm_until = clock() + WARMUP_S
    step_s = seconds(1, True)
    while clock() < warm_until:
        step_s = min(step_s, seconds(1, True))
    count = math.ceil(PROBE_S / max(step_s, 1e-9))
    if count > MOST_STEPS:
        raise RowError("not-synchronized", ratio=0.0)
    for _ in range(ATTEMPTS):
        probes, began = [], clock()  # type: Tuple[List[Tuple[float, float]], float]
        while not probes or (len(probes) < MOST_PAIRS and clock() - began < ENOUGH_S):
            probes.append((seconds(count, False), seconds(2 * count, True)))
        ratio, passes = _judge(probes)
        if passes:
            return
        if ratio < LEAST_RATIO:  # a cost that every probe has, such as waking threads: its share falls with the length
            count *= 2
    raise RowError("not-synchronized", ratio=ratio)


def _judge(probes: List[Tuple[float, float]]) -> Tuple[float, bool]:
    """Return the ratio of 2k steps to k, and whether it shows that the synchronization waits.

    Other programs disturb single pairs, a moment of higher clock the shortest time of k steps: the ratio of either the
    median pair or the shortest times will do.
    """
    of_shortest = min(twice for _, twice in probes) / max(min(once for once, _ in probes), 1e-9)
    of_pairs = quantile(sorted(twice / max(once, 1e-9) for once, twice in probes), 0.5)
    return of_pairs, any(LEAST_RATIO <= ratio <= LARGEST_RATIO for ratio in (of_pairs, of_shortest))
