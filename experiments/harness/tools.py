"""The timing tools people would otherwise use, each behind one call that returns the seconds of a step.

Every tool times the same step in this process, ``count`` times where the tool allows it, and reports its own figure for
one step.
"""

from __future__ import annotations

import contextlib
import functools
import io
import statistics
import time
from collections.abc import Callable
from types import SimpleNamespace

import pyperf
import torch.utils.benchmark
from pytest_benchmark.fixture import BenchmarkFixture
from pytest_benchmark.utils import NameWrapper

from runners.contract import Rule
from runners.worker.measure import measure

Step = Callable[[], object]


def bare(step: Step, count: int) -> float:
    """Two readings of the clock around each step and nothing else: the baseline for the others."""
    samples = []
    for _ in range(count):
        start = time.perf_counter()
        step()
        samples.append(time.perf_counter() - start)
    return statistics.median(samples)


def erabench(step: Step, count: int) -> float:
    """The project's loop, with everything it does for a real row: batches, losses, progress, the precision check."""
    rule = Rule(min_warmup=1, warmup_s=0, min_samples=6, max_samples=count, min_time_s=0, budget_s=60, half_width=0)
    losses: list[float] = []
    samples = measure(
        lambda batch: step(),
        lambda: None,
        rule._replace(shortest_sample_s=0),
        next_batch=lambda: None,
        observe=lambda answer: losses.append(0.0),
        progress=lambda seconds, elapsed_s: None,
    )
    return statistics.median(samples.samples_s)


def erabench_inner(step: Step, count: int) -> float:
    """The project's loop as a row gets it: steps shorter than a millisecond run several times per sample."""
    rule = Rule(min_warmup=3, warmup_s=0, min_samples=6, max_samples=6, min_time_s=0, budget_s=60, half_width=0)
    loops = measure(lambda batch: step(), lambda: None, rule).inner_loops
    samples = measure(lambda batch: step(), lambda: None, rule._replace(max_samples=max(6, count // loops)))
    return statistics.median(samples.samples_s)


def torch_timer(step: Step, count: int) -> float:
    """torch.utils.benchmark.Timer, by blocked_autorange as its documentation advises."""
    timer = torch.utils.benchmark.Timer("step()", globals={"step": step})
    start = time.perf_counter()
    step()
    measurement = timer.blocked_autorange(min_run_time=count * (time.perf_counter() - start))
    return measurement.median


def pytest_benchmark(step: Step, count: int) -> float:
    """The ``benchmark`` fixture of pytest-benchmark, called as a test would."""
    silent = SimpleNamespace(debug=_nothing, info=_nothing, warning=_nothing)
    fixture = BenchmarkFixture(
        SimpleNamespace(name="step", nodeid="step"),
        disable_gc=False,
        timer=NameWrapper(time.perf_counter),
        min_rounds=count,
        min_time=1e-6,
        max_time=1e-6,
        precision=None,
        confidence=None,
        warmup=False,
        warmup_iterations=0,
        calibration_precision=10,
        add_stats=_nothing,
        logger=silent,
        warner=None,
        disabled=False,
        cprofile=None,
        cprofile_loops=None,
        cprofile_dump=None,
    )
    fixture(step)
    return fixture.stats.stats.median


class Pyperf:
    """pyperf's Runner in worker mode, since outside of it every value would come from another process."""

    def __init__(self) -> None:
        self._runner = pyperf.Runner(warmups=1, loops=1, processes=1, show_name=False)
        self._runner.parse_args(["--worker", "--quiet"])
        self._runs = 0

    def __call__(self, step: Step, count: int) -> float:
        self._runs += 1
        self._runner.args.values = count
        with contextlib.redirect_stdout(io.StringIO()):
            benchmark = self._runner.bench_func(f"step {self._runs}", step)
        return benchmark.median()


def _nothing(*arguments: object, **fields: object) -> None:
    """For callbacks nobody needs."""


KEEPS = {
    "bare": "every sample",
    "erabench": "every sample and warm-up, why it stopped, 95 % interval of the median, IQR, losses, warnings",
    "erabench, inner loops": "the same; steps a sample",
    "torch Timer": "a mean a block; median, IQR, a warning where unstable",
    "pyperf": "every value and warm-up; mean, standard deviation, a warning where unstable",
    "pytest-benchmark": "every round; minimum to maximum, mean, median, IQR, outliers",
}


@functools.cache  # pyperf allows one Runner per process
def all_tools() -> dict[str, Callable[[Step, int], float]]:
    return {
        "bare": bare,
        "erabench": erabench,
        "erabench, inner loops": erabench_inner,
        "torch Timer": torch_timer,
        "pyperf": Pyperf(),
        "pytest-benchmark": pytest_benchmark,
    }
