"""Verdicts on two benches: by erabench, and by the rules of other tools on the same processes.

A side is a list of processes, each the list of its samples in seconds per step. ``controls`` are the shifts of other
rows of the same benches; only erabench's rule uses them. Every rule returns whether it calls b
"faster", "slower" or "indistinguishable" from a.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable, Sequence

from scipy.stats import mannwhitneyu, ttest_ind

from report.comparison.statistics import Shift, ratio

Side = Sequence[Sequence[float]]
Rule = Callable[[Side, Side, Sequence[Shift]], str]

ASV_FACTOR, ASV_PROCESSES, ASV_P = 1.1, 2, 0.002  # asv's defaults: --factor, processes, p of a difference
TORCH_Z, TORCH_MOST_DIGITS = 1.645, 4
RESAMPLES = 400


def verdict(a: float, b: float, different: bool) -> str:
    """Return the verdict on b."""
    if not different or a == b:
        return "indistinguishable"
    return "slower" if b > a else "faster"


def erabench(a: Side, b: Side, controls: Sequence[Shift]) -> str:
    """The project's own: report/comparison/statistics.py on the fastest sample of each process."""
    return ratio(*(list(map(min, side)) for side in (a, b)), controls).verdict


def without_controls(a: Side, b: Side, _: Sequence[Shift]) -> str:
    """The same for a row whose benches hold no unchanged rows."""
    return erabench(a, b, ())


def by_medians(a: Side, b: Side, _: Sequence[Shift]) -> str:
    """The same without unchanged rows, on the medians of the processes."""
    return ratio(*(list(map(statistics.median, side)) for side in (a, b))).verdict


def pyperf(a: Side, b: Side, _: Sequence[Shift]) -> str:
    """pyperf compare_to: Student's t test of all values at 95 %, the processes' values pooled."""
    values = [[value for process in side for value in process] for side in (a, b)]
    return verdict(*map(statistics.fmean, values), different=ttest_ind(*values).pvalue < 0.05)


def asv(a: Side, b: Side, _: Sequence[Shift]) -> str:
    """asv compare: a factor of 1.1 between the medians, and Mann-Whitney's test of the samples of two processes."""
    values = [[value for process in side[:ASV_PROCESSES] for value in process] for side in (a, b)]
    before, after = map(statistics.median, values)
    differ = max(before, after) / min(before, after) > ASV_FACTOR and mannwhitneyu(*values).pvalue < ASV_P
    return verdict(before, after, differ)


def torch_compare(a: Side, b: Side, _: Sequence[Shift]) -> str:
    """torch.utils.benchmark.Compare: the medians of one process at the digits that their quartiles support."""
    shown = [trimmed(side[0]) for side in (a, b)]
    return verdict(*shown, different=shown[0] != shown[1])


def trimmed(samples_s: Sequence[float]) -> float:
    """Return the median with the significant figures of ``Measurement.significant_figures``."""
    ordered = sorted(samples_s)
    middle = ordered[len(ordered) // 4 : math.ceil(3 * len(ordered) / 4)]
    median = statistics.median(ordered)
    reach = max(TORCH_Z * statistics.pstdev(middle) / math.sqrt(len(middle)), 1e-9)
    digits = min(max(math.floor(math.log10(median / reach)), 1), TORCH_MOST_DIGITS)
    return float(f"{median:.{digits}g}")


def bootstrap(a: Side, b: Side, _: Sequence[Shift]) -> str:
    """A percentile bootstrap of the ratio of the medians of one process's samples, 95 %."""
    chance = random.Random(2017)
    one, other = a[0], b[0]
    ratios = sorted(
        statistics.median(chance.choices(other, k=len(other))) / statistics.median(chance.choices(one, k=len(one)))
        for __ in range(RESAMPLES)
    )
    low, high = ratios[int(0.025 * RESAMPLES)], ratios[-int(0.025 * RESAMPLES) - 1]
    return verdict(statistics.median(one), statistics.median(other), different=not low <= 1 <= high)


RULES: dict[str, Rule] = {
    "erabench": erabench,
    "without controls": without_controls,
    "by medians": by_medians,
    "pyperf": pyperf,
    "asv, factor 1.1": asv,
    "torch Compare": torch_compare,
    "bootstrap of one process": bootstrap,
}
