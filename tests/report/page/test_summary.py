"""The answer first: one paragraph from the records, and machines against rows."""

from pathlib import Path

import pytest

from report.render.locale import locale
from tests.report.benches import page_of, row

PLAIN = locale("en").plain


def test_a_row_that_cannot_be_told_from_the_fastest_is_named(tmp_path: Path) -> None:
    """One per cent lies within what the processes differ by, a factor of two does not."""
    alike = row("ar-ols", predict=0.00101)
    timed = [process["predict"] for process in alike["processes"]]
    for process, other in zip(alike["processes"], reversed(timed), strict=True):
        process["predict"] = other
    rows = row("ar", predict=0.001), alike, row("ar-polyfit", predict=0.002)
    text = PLAIN(page_of(tmp_path, *rows).summary)
    assert "The fastest row is AR with 1.00 ms ±2 % per prediction. Not distinguishable from it: AR(OLS). " in text


def test_without_measurements_it_falls_back_on_the_published_table(tmp_path: Path) -> None:
    """A smoke run is neither fast nor strange."""
    text = PLAIN(page_of(tmp_path, row("lstm", profile="smoke")).summary)
    assert text.endswith("The published table gives Bi-LSTM more memory (10795MB) than its card has.")
    assert "fastest" not in text


@pytest.mark.parametrize(("count", "end"), [(4, "."), (5, " and more.")])
def test_of_more_than_three_that_cannot_be_told_apart_it_says_that_there_are_more(
    tmp_path: Path, count: int, end: str
) -> None:
    """Three are named."""
    keys = ("lstm", "lstm-aug", "ar", "ar-ols", "ar-polyfit")[:count]
    summary = page_of(tmp_path, *(row(key, predict=0.001) for key in keys)).summary
    assert f"Not distinguishable from it: LSTM(AUG), AR, AR(OLS){end} " in PLAIN(summary)
    korean = "이와 구별되지 않는 모델: LSTM(AUG), AR, AR(OLS)" + (" 등. " if count > 4 else ". ")
    assert korean in locale("ko").plain(summary)


def test_in_korean_only_what_was_measured_is_said_to_be(tmp_path: Path) -> None:
    """Of the 31 figures some were not; what follows says how many."""
    text = locale("ko").plain(page_of(tmp_path, row("lstm")).summary)
    assert text.startswith("2017년 8월 5일 블로그 글의 수치 31개 가운데 gtx-box(")
    assert "다시 측정" not in text


def test_smoke_runs_are_in_the_overview_only_if_there_are_no_others(tmp_path: Path) -> None:
    """Beside measurements they would look like one; alone, none of them is the fastest."""
    smoke = row("lstm", machine="y", profile="smoke"), row("ar", machine="x", profile="smoke")
    beside = page_of(tmp_path / "beside", row("lstm", machine="x"), *smoke).overviews
    assert [[(line.name, [*map(bool, line.steps)]) for line in found.lines] for found in beside] == [
        [("x", [True, False])],
        [("x", [True, False])],
    ]
    alone = page_of(tmp_path / "alone", *smoke).overviews
    assert [[line.name for line in found.lines] for found in alone] == [["x", "y"], ["x", "y"]]
    assert {fastest for found in alone for fastest in found.fastest} == {0.0}
