"""The timing loop: what lies between the two readings of the clock, when it stops, what it keeps."""

import math
import random

import pytest

from runners.contract import Rule
from runners.worker.measure import interquartile_range, is_precise, measure, median_interval, quantile

RULE = Rule(min_warmup=1, warmup_s=0, min_samples=6, max_samples=50, min_time_s=0, budget_s=1000)


class Bench:
    """A clock that moves only when a step runs, and a diary of everything that happened."""

    def __init__(self, seconds):
        self.now = 0.0
        self.diary = []
        self.seconds = iter(seconds)

    def clock(self):
        self.diary.append("clock")
        return self.now

    def step(self, batch):
        self.now += next(self.seconds)
        self.diary.append("step {}".format(batch))
        return "answer"

    def synchronize(self):
        self.diary.append("synchronize")

    def measure(self, rule=RULE, **named):
        return measure(self.step, self.synchronize, rule, clock=self.clock, **named)


def steadily(seconds):
    while True:
        yield seconds


def test_only_the_step_and_its_synchronization_lie_between_two_readings_of_the_clock():
    """Loading a batch comes before the clock starts, reading the loss after it has stopped."""
    bench = Bench(steadily(1.0))
    bench.measure(
        next_batch=lambda: bench.diary.append("load") or "batch",
        observe=lambda answer: bench.diary.append("read {}".format(answer)),
    )
    began = bench.diary.index("load")
    assert bench.diary[began : began + 7] == [
        "load",
        "synchronize",
        "clock",
        "step batch",
        "synchronize",
        "clock",
        "read answer",
    ]


def test_every_warm_up_and_every_sample_is_kept_in_order():
    """The first, slow step is a warm-up and recorded separately; nothing is left out."""
    samples = Bench([9.0] + [1.0, 1.01, 1.0, 0.99, 1.0, 1.0]).measure()
    assert samples.warmup_s == [9.0]
    assert samples.samples_s == pytest.approx([1.0, 1.01, 1.0, 0.99, 1.0, 1.0])
    assert samples.stopped_by == "precision"


def test_on_warm_is_called_once_between_the_warm_up_and_the_samples():
    """So what is observed beside the samples excludes building and compiling."""
    bench = Bench([9.0, 2.0] + [1.0] * 6)
    told = []
    bench.measure(RULE._replace(min_warmup=2), on_warm=lambda: told.append(bench.now))
    assert told == [11.0]


def test_sampling_continues_until_the_interval_is_tight():
    """Two kinds of step that differ by 30 % need more than the least number of samples."""
    random.seed(0)
    samples = Bench(random.choice([1.0, 1.3]) if index % 3 == 0 else 1.0 for index in range(1000)).measure()
    assert samples.stopped_by == "precision"
    assert is_precise(samples.samples_s, 0.02)


@pytest.mark.parametrize(("budget_s", "stopped_by"), [(60, "budget"), (1000, "count")])
def test_steps_that_never_agree_stop_at_the_budget_or_at_the_largest_number(budget_s, stopped_by):
    """Whichever comes first; the result records it."""
    samples = Bench(1.0 + index % 7 for index in range(1000)).measure(RULE._replace(budget_s=budget_s))
    assert samples.stopped_by == stopped_by
    assert (len(samples.samples_s) == 50) == (stopped_by == "count")
    assert not is_precise(samples.samples_s, 0.02)


def test_the_least_number_of_samples_outranks_the_budget():
    """A step that is longer than the budget is still measured as often as the rule asks."""
    samples = Bench(steadily(100.0)).measure(RULE._replace(budget_s=1, half_width=0))
    assert len(samples.samples_s) == 6


def test_a_step_too_short_for_the_clock_runs_several_times_per_sample():
    """Ten microseconds against a shortest sample of a millisecond: a hundred steps per sample, seconds per step."""
    samples = Bench(steadily(10e-6)).measure()
    assert samples.inner_loops == 100
    assert samples.samples_s == pytest.approx([10e-6] * len(samples.samples_s))


def test_a_short_step_does_not_fill_the_record_with_warm_ups():
    """Half a second of ten-microsecond steps: the first ones separately, the others a hundred per reading."""
    samples = Bench(steadily(10e-6)).measure(RULE._replace(min_warmup=3, warmup_s=0.5))
    assert 490 <= len(samples.warmup_s) <= 510
    assert samples.warmup_s == pytest.approx([10e-6] * len(samples.warmup_s))


def test_the_samples_cover_at_least_the_least_time():
    """However steady the steps are, the samples cover min_time_s."""
    samples = Bench(steadily(0.01)).measure(RULE._replace(min_time_s=0.3, max_samples=500))
    assert sum(samples.samples_s) >= 0.3


def test_a_failing_step_is_not_swallowed():
    """What the step raises propagates."""

    def step(batch):
        raise ArithmeticError("overflow")

    with pytest.raises(ArithmeticError, match="overflow"):
        measure(step, lambda: None, RULE)


@pytest.mark.parametrize("count", list(range(1, 101)) + [101, 250, 1000])
def test_the_median_interval_covers_95_percent_and_is_the_narrowest_that_does(count):
    """Against the binomial distribution added up term by term (for over 100 values, to within one rank)."""
    interval = median_interval(list(range(1, count + 1)))
    below = [0.0]
    logarithm = -count * math.log(2)
    for k in range(count):
        below.append(below[-1] + math.exp(logarithm))
        logarithm += math.log((count - k) / (k + 1.0))
    rank = max(k for k in range(count) if below[k] <= 0.025)  # P(Binomial < k) <= 2.5 %
    if rank == 0:
        assert interval is None
        return
    slack = 0 if count <= 100 else 1
    assert abs(interval[0] - rank) <= slack
    assert interval[0] + interval[1] == count + 1


def test_quantiles_are_those_of_numpy():
    """Interpolated between neighbours as NumPy's default does."""
    numpy = pytest.importorskip("numpy")
    random.seed(1)
    values = sorted(random.random() for _ in range(37))
    for share in (0, 0.25, 0.5, 0.75, 1):
        assert quantile(values, share) == pytest.approx(numpy.percentile(values, 100 * share))
    assert interquartile_range(values) == pytest.approx(numpy.subtract(*numpy.percentile(values, [75, 25])))
