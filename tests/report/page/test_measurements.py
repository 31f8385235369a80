"""The folded measurements: processes, samples, memory, energy, warnings, and what was not measured."""

from pathlib import Path
from typing import Any

import pytest

from report.render.locale import locale
from tests.report.benches import gap, row, section_of, warning
from tests.report.building import energy, memory, reason

PLAIN = locale("en").plain


def test_a_phase_that_is_not_valid_says_why(tmp_path: Path) -> None:
    """No time, and no energy either."""
    cheat = {"median_s": 0.01, "valid": False, "reason": reason("parameters-unchanged")}
    train, _ = section_of(tmp_path, row("lstm", train=cheat, each={"energy": energy(1.5, 0.25)})).measurements
    assert PLAIN(train.seconds) == "not valid: training did not change the parameters"
    assert (PLAIN(train.interval), train.energy) == ("", None)


@pytest.mark.parametrize(
    ("counted", "shown"), [((1.23456, None), ["1.23", ""]), ((0.0, -1.5), ["", ""]), ((None, None), ["", ""])]
)
def test_energy_is_shown_where_it_was_counted(
    tmp_path: Path, counted: tuple[float | None, float | None], shown: list[str]
) -> None:
    """What was not counted, or by a counter that stood still, is never a zero."""
    found = section_of(tmp_path, row("lstm", each={"energy": energy(*counted)}))
    assert [PLAIN(measured.energy) for measured in found.measurements] == shown
    assert PLAIN(found.energy_sources) == ("RAPL" if any(shown) else "")


@pytest.mark.parametrize(
    ("before", "peak", "shown"),
    [
        (90_000_000, 412_000_000, ["412MB", "322MB"]),
        (None, 412_000_000, ["412MB", ""]),
        (90_000_000, None, ["", ""]),
        (90_000_000, 0, ["", ""]),
        (500_000_000, 412_000_000, ["412MB", ""]),
    ],
)
def test_resident_memory_is_shown_in_all_and_of_the_steps(
    tmp_path: Path, before: int | None, peak: int | None, shown: list[str]
) -> None:
    """The peak, and the peak minus what was there before the steps."""
    each = {"memory": memory(resident_before_bytes=before, peak_resident_bytes=peak)}
    for measured in section_of(tmp_path, row("lstm", each=each)).measurements:
        assert [PLAIN(measured.peak), PLAIN(measured.added)] == shown


@pytest.mark.parametrize(
    ("device", "threads", "said"), [("cpu", 2, "CPU, threads: 2"), ("cpu", None, "CPU"), ("gpu", 2, "GPU")]
)
def test_rows_of_the_cpu_name_their_threads(tmp_path: Path, device: str, threads: int | None, said: str) -> None:
    """Where the record has them."""
    made = row("lstm", device)
    made["environment"]["threads"] = threads
    assert PLAIN(section_of(tmp_path, made).measurements[0].where) == f"{said}, training"


COUNTED = {
    "peak_allocated_bytes": 61_000_000,
    "peak_reserved_bytes": 94_400_000,
    "gpu_used_before_bytes": 0,
    "gpu_used_after_bytes": 521_000_000,
    "gpu_total_bytes": 8 * 2**30,
}


@pytest.mark.parametrize(("path", "whole"), [("process", True), ("timed-steps", False), (["x"], False), (None, False)])
def test_gpu_memory_is_shown_as_it_was_counted_in_three_ways(tmp_path: Path, path: Any, whole: bool) -> None:
    """Allocated, reserved and the complete card; and whether the peaks are of the whole process."""
    each = {"memory": memory(**COUNTED)}
    made = row("lstm", "gpu", each=each, execution=path and {"peak_memory": path})
    (line,) = section_of(tmp_path, row("lstm", each=each), made).gpu_memory
    assert list(map(PLAIN, line.counts)) == ["61MB", "94MB", "0MB", "521MB", "8590MB"]
    assert line.whole_process is whole


@pytest.mark.parametrize(
    ("counted", "shown"),
    [
        ({"gpu_used_before_bytes": 310_000_000}, ["", "", "310MB", "", ""]),
        ({**COUNTED, "peak_allocated_bytes": 0, "gpu_total_bytes": 0}, ["", "94MB", "0MB", "521MB", ""]),
        ({"gpu_total_bytes": 2**33}, None),
        ({"peak_allocated_bytes": 0}, None),
        ({}, None),
    ],
)
def test_memory_that_was_not_counted_is_an_empty_cell(
    tmp_path: Path, counted: dict[str, int], shown: list[str] | None
) -> None:
    """A net that ran held something, so a peak of nothing was not counted; an empty card is possible."""
    found = section_of(tmp_path, row("lstm", "gpu", each={"memory": memory(**counted)})).gpu_memory
    assert [list(map(PLAIN, line.counts)) for line in found] == ([shown] if shown else [])


def test_warnings_are_listed_by_kind_with_how_many_processes(tmp_path: Path) -> None:
    """The most frequent kind first, with the first process's sentence; an unknown one by its key, with its values."""
    unstable = warning("unstable", "train", percent=20.13)
    made = row("lstm", each={"warnings": [unstable, warning("odd-fan", "all", speed=0)]})
    imprecise = warning("imprecise", "predict", by="budget", samples=6, percent=2)
    found = section_of(tmp_path, made, row("ar", count=1, each={"warnings": [unstable, imprecise]}))
    assert [tuple(map(PLAIN, warned)) for warned in found.warnings] == [
        ("unstable", "LSTM, CPU, training", "5", "the middle half of the samples spans 20 % of the median"),
        ("unstable", "AR, CPU, training", "1", "the middle half of the samples spans 20 % of the median"),
        ("odd-fan", "LSTM, CPU", "5", "odd-fan (speed: 0)"),
        (
            "imprecise",
            "AR, CPU, prediction",
            "1",
            "the time budget was reached after 6 samples, before the interval was within 2 %",
        ),
    ]
    assert len(found.warnings) == 4


def test_what_was_not_measured_is_listed_with_its_reason(tmp_path: Path) -> None:
    """Failures and skips, none of them silent."""
    late = gap("bilstm", "cpu", "timeout", reason("time-limit", seconds=60))
    absent = gap("lstm", "gpu", "skipped", reason("gpu-not-visible", framework="Keras", version="3"))
    found = section_of(tmp_path, row("lstm"), late, absent).unmeasured
    assert [(gap.row.name, gap.device, PLAIN(gap.status), PLAIN(gap.reason)) for gap in found] == [
        ("LSTM", "GPU", "skipped", "Keras 3 sees no GPU"),
        ("Bi-LSTM", "CPU", "timeout", "stopped at the time limit of 60 s"),
    ]


def test_a_process_that_does_not_count_is_listed_and_raises_no_warning(tmp_path: Path) -> None:
    """A row that is ok names its disturbed and failed processes; their warnings belong to no figure."""
    made = row("lstm")
    left_out = {"status": "disturbed", "reason": reason("disturbed", percent=45.2)}
    made["processes"][1].update(left_out, warnings=[warning("other-load", "train", processors=0.904)])
    found = section_of(tmp_path, made)
    assert [(gap.row.name, gap.device, PLAIN(gap.status), PLAIN(gap.reason)) for gap in found.unmeasured] == [
        (
            "LSTM",
            "CPU",
            "disturbed",
            "other programs or the host took 45 % of the processors; another process of the round counts",
        )
    ]
    assert found.warnings == ()
    assert [one.processes for one in found.measurements] == [4, 4]


def test_a_node_without_a_figure_is_named_with_how_it_ended(tmp_path: Path) -> None:
    """Also one that ended well and has none."""
    without = {"n1": "ok", "n2": "out_of_memory"}
    spread = {"phase": "train", "nodes": 3, "low_s": 0.01, "high_s": 0.02, "without": without}
    (line,) = section_of(tmp_path, row("lstm", nodes=[spread])).across_nodes
    assert PLAIN(line.without) == "n1: ok, n2: out of memory"
