"""Tuning records are read as carefully as results."""

from pathlib import Path
from typing import Any

import pytest

from report.records import load_results
from tests.report.building import changed, reason, record, tuning, write

FILE = "box/cpu/tuning/lstm.cpu.json"


def test_a_tuning_comes_through_complete(tmp_path: Path) -> None:
    """Attempts, what was chosen and its confirmation, with the ratio of each pair."""
    loaded = load_results(write(tmp_path, record(), tuning()))
    (found,) = loaded.tunings
    assert loaded.problems == ()
    assert (found.file, found.path) == (FILE, f"{tmp_path}/{FILE}")
    assert [attempt.option for attempt in found.attempts] == [None, "unroll", "xla"]
    assert found.confirmation.ratios("train") == pytest.approx((0.7, 0.6545, 0.6762), abs=1e-4)
    assert found.confirmation.products() == pytest.approx((0.525, 0.47894, 0.52405), abs=1e-4)
    times = found.attempts[1].times("train")
    assert list(times.samples_s) == [0.007]


def test_a_tuning_without_results_beside_it_is_a_problem(tmp_path: Path) -> None:
    """Nothing would show it."""
    loaded = load_results(write(tmp_path, record(machine="other"), tuning()))
    assert loaded.tunings == ()
    assert [str(problem) for problem in loaded.problems] == [
        f"{FILE}: has no usable result beside it; measure too (make bench)"
    ]


def test_times_of_a_failed_attempt_are_not_shown(tmp_path: Path) -> None:
    """An option that failed has a reason, and what was timed before is no time."""
    made = changed(changed(tuning(), "attempts.2.status", "failed"), "attempts.2.reason", reason("loss-not-falling"))
    (found,) = load_results(write(tmp_path, record(), made)).tunings
    assert found.attempts[2].train is not None
    assert found.attempts[2].times("train") is None


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("attempts.0.option", "unroll", "the first one, and no other, is the row as written"),
        ("attempts.2.option", None, "the first one, and no other, is the row as written"),
        ("attempts.2.status", "failed", "reason: null, although the status is failed"),
        ("attempts.1.status", "different", "kept, although the status is different"),
        ("attempts", [], "attempts: Expected `array` of length >= 1"),
        ("chosen", ["unroll", "unroll"], "chosen: an option appears twice"),
        ("confirmation.tuned.train_s", [0.007], "3 processes as written and 1 tuned have a train_s, which makes no"),
        ("confirmation.tuned.train_s.0", 0.0, "confirmation.tuned.train_s[0]: Expected `float` >= 1e-12"),
        ("max_relative_error", -1.0, "max_relative_error: Expected `float` >= 0"),
        ("started", "yesterday", "started: Expected `str` matching regex"),
    ],
)
def test_a_bad_tuning_is_named_with_its_cure(tmp_path: Path, path: str, value: Any, message: str) -> None:
    """The problem names the place, and the results are read."""
    loaded = load_results(write(tmp_path, record(), changed(tuning(), path, value)))
    assert (loaded.tunings, len(loaded.results)) == ((), 1)
    (problem,) = loaded.problems
    assert message in problem.message
    assert problem.cure == "not what schema 2 asks for: delete the file and tune again (make tune)"


def test_a_result_where_tunings_lie_is_a_problem(tmp_path: Path) -> None:
    """And the other way around: the message says which it is."""
    write(tmp_path, record())
    (tmp_path / FILE).parent.mkdir(parents=True)
    (tmp_path / "box/cpu/lstm.cpu.json").rename(tmp_path / FILE)
    (problem,) = load_results(tmp_path).problems
    assert problem.message == "is no tuning but a result"
