"""The project's loop beside a bare one and beside other tools, paired in one process (A B A B …)."""

from __future__ import annotations

import functools
import hashlib
import statistics
import sys
import timeit
from collections.abc import Callable

from experiments.harness.tools import KEEPS, all_tools, bare
from runners.worker.measure import median_interval

STEPS_S = (100e-6, 1e-3, 20e-3)
LIMITS = {100e-6: 1.05, 1e-3: 1.01, 20e-3: 1.01}  # of the project's own loop
ROUNDS = 40
SHARE_S = 0.1  # of measuring, per tool and round


def make_step(seconds: float) -> Callable[[], object]:
    """Real work of about that length: a hash over a buffer, which allocates nothing and never waits."""
    size, took = 4096, 0.0
    while took < seconds / 2:
        size *= 2
        buffer = bytes(size)
        took = min(timeit.repeat(functools.partial(hashlib.sha256, buffer), number=1))
    buffer = bytes(int(size * seconds / took))
    return lambda: hashlib.sha256(buffer).digest()


def compare(seconds: float) -> dict[str, list[float]]:
    """Return tool -> one ratio per round: its figure for the step over the mean of the bare loop's before and after."""
    step, tools = make_step(seconds), all_tools()
    count = max(6, int(SHARE_S / seconds))
    ratios: dict[str, list[float]] = {name: [] for name in tools}
    for _ in range(ROUNDS):
        before = bare(step, count)
        for name, tool in tools.items():
            figure = tool(step, count)
            after = bare(step, count)
            ratios[name].append(figure / ((before + after) / 2))
            before = after
    return ratios


def main() -> bool:
    """Print the tables; whether the project's loop kept its limits."""
    kept = True
    for seconds in STEPS_S:
        print(f"\nA step of {1000 * seconds:g} ms: each tool's figure over a bare loop's, {ROUNDS} pairs")
        print(f"  {'tool':<24}{'ratio':>8}   95 % interval       it keeps")
        for name, ratios in compare(seconds).items():
            ordered = sorted(ratios)
            low, high = median_interval(ordered) or (ordered[0], ordered[-1])
            ratio = statistics.median(ordered)
            print(f"  {name:<24}{ratio:>8.4f}   {low:.4f} to {high:.4f}    {KEEPS[name]}")
            if name.startswith("erabench"):
                kept = kept and low <= LIMITS[seconds]
    limits = ", ".join(f"{limit:g} at {1000 * seconds:g} ms" for seconds, limit in LIMITS.items())
    print(f"\nLimits of the project's loop: {limits}: {'kept' if kept else 'NOT KEPT'}")
    return kept


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
