"""The figure of a row: the median over processes, with an interval that keeps its 95 %."""

import math
import random
import statistics
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from report.records import figure, total
from report.records.figure import detectable, of_medians
from report.records.spread import median_rank, student
from tests.report.building import changed, loaded, phase, processes, record

Draw = Callable[[random.Random], float]


def lognormal(random: random.Random) -> float:
    """Process medians that spread by a tenth."""
    return random.lognormvariate(0, 0.1)


def outliers(random: random.Random) -> float:
    """One process in eight is slower by half, as seen of the LSTM row on a virtual machine."""
    return random.lognormvariate(0, 0.04) * (1.5 if random.random() < 0.125 else 1)


def two_values(random: random.Random) -> float:
    """Six in ten processes gather at one value, the others at another, a third slower."""
    return random.lognormvariate(0, 0.03) * (1.33 if random.random() < 0.4 else 1)


@pytest.mark.parametrize("count", [5, 7, 10])
@pytest.mark.parametrize("draw", [lognormal, outliers, two_values])
def test_the_interval_holds_the_median_that_endless_processes_would_have(draw: Draw, count: int) -> None:
    """In at least 93 of 100 benches (95 but for chance and the fewest processes), whatever the distribution."""
    seeded = random.Random(7)
    truth = statistics.median(draw(seeded) for _ in range(100_001))
    held = 0
    for _ in range(1000):
        found = of_medians([draw(seeded) for _ in range(count)])
        held += found.low_s <= truth <= found.high_s
    assert held >= 930


def test_one_process_has_no_interval() -> None:
    """A single process says nothing of how much processes differ."""
    found = of_medians([0.01])
    assert (found.median_s, found.low_s, found.relative, found.processes) == (0.01, None, None, 1)


def test_an_interval_becomes_a_share_of_the_median() -> None:
    """The longer side counts, so that ±4 % never claims too much."""
    found = of_medians([0.98, 0.99, 1.0, 1.0, 1.0, 1.0, 1.02, 1.04])
    assert (found.low_s, found.high_s) == (0.98, 1.04)
    assert found.relative == pytest.approx(0.04)


def test_steady_processes_still_leave_the_drift_between_benches(tmp_path: Path) -> None:
    """Two separate benches would show a slowdown of 8 % nine times in ten, however equal their processes are."""
    alone, steady = loaded(
        tmp_path, record("ar", train_s=[0.01] * 10, predict_s=[0.01] * 10), record(train_s=[0.01], predict_s=[0.01])
    )
    assert figure(steady, "train").relative == 0
    assert detectable(steady, "train") == pytest.approx(1.084, abs=0.001)
    assert detectable(alone, "train") is None


def test_only_valid_phases_of_processes_that_are_ok_count(tmp_path: Path) -> None:
    """A process that failed, and one whose model did not train, are no part of the figure."""
    made = record(processes=processes([0.01, 0.02, 0.03, 0.04, 0.05], [0.01] * 5))
    changed(made, "processes.4.status", "timeout")
    changed(made, "processes.3.train", None)
    changed(made, "processes.2.train.valid", False)
    (result,) = loaded(tmp_path, made)
    found = figure(result, "train")
    assert (found.median_s, found.processes) == (0.015, 2)


def test_an_extrapolated_epoch_follows_the_figure_and_a_measured_one_stands_alone(tmp_path: Path) -> None:
    """Extrapolated: the median over all processes times its batches, with the same relative uncertainty."""
    made = record(
        epoch={"seconds": 99.0, "batches": 1000, "how": "extrapolated"},
        test_set={"seconds": 4.0, "batches": 10, "how": "measured"},
    )
    (result,) = loaded(tmp_path, made)
    step, epoch, test_set = figure(result, "train"), total(result, "epoch"), total(result, "test_set")
    assert epoch.median_s == 1000 * step.median_s
    assert epoch.relative == pytest.approx(step.relative)
    assert (test_set.median_s, test_set.relative, test_set.processes) == (4.0, None, 1)


@given(st.lists(st.floats(1e-12, 1e9), min_size=1, max_size=12))
def test_any_times_have_a_figure(medians: list[float]) -> None:
    """Every time that a record may hold: no overflow, and the median within its interval."""
    found = of_medians(medians)
    if found.low_s is not None and found.high_s is not None:
        assert 0 <= found.low_s <= found.median_s <= found.high_s < math.inf


@pytest.mark.parametrize(("count", "rank"), [(5, None), (6, 1), (8, 1), (9, 2), (11, 2), (12, 3), (20, 6)])
def test_the_order_statistics_are_those_of_the_tables(count: int, rank: int | None) -> None:
    """Conover, Practical Nonparametric Statistics, 3rd ed., section 3.2."""
    assert median_rank(count) == rank


def test_t_lies_between_its_neighbours() -> None:
    """Table values at whole degrees of freedom, and no jump between them."""
    assert student(1) == (12.706, 3.078)
    assert student(8) == (2.306, 1.397)
    assert student(math.inf) == (1.96, 1.282)
    assert 2.306 > student(8.5)[0] > 2.262


def test_the_samples_of_one_process_do_not_narrow_the_interval(tmp_path: Path) -> None:
    """Ten times as many samples in each process leave the figure as it is."""
    made = record()
    for number, process in enumerate(made["processes"]):
        process["predict"] = phase(process["predict"]["median_s"], count=400 if number else 40)
    (few,), (many,) = loaded(tmp_path / "few", record()), loaded(tmp_path / "many", made)
    assert figure(few, "predict") == figure(many, "predict")
