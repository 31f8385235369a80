"""What is printed when the page is made."""

from pathlib import Path

from report.render import terminal
from report.render.layout import width
from report.render.locale import locale
from tests.report.benches import gap, one, page_of, row, warning
from tests.report.building import reason


def test_nine_rows_take_at_most_thirty_lines_of_a_hundred_columns(tmp_path: Path) -> None:
    """In either language, with failures and warnings."""
    for language in ("ko", "en"):
        lines = list(terminal.lines(page_of(tmp_path, *one()), locale(language)))
        assert len(lines) <= 28  # two more name the results and the page
        assert max(map(width, lines)) <= 100


def test_columns_without_figures_are_left_out(tmp_path: Path) -> None:
    """A machine without a GPU has no GPU columns."""
    lines = list(terminal.lines(page_of(tmp_path, row("lstm", train=0.0213)), locale("en")))
    assert [line.split() for line in lines if "CPU(T)" in line] == [["CPU(T)", "CPU(P)"]]
    assert [line for line in lines if line.startswith("lstm")] == ["lstm  21.3ms ±2 %  4.00ms ±2 %"]


def test_failures_have_a_line_each_with_their_reason(tmp_path: Path) -> None:
    """Of many the first five."""
    records = [gap("lstm", "cpu", "failed", reason("killed", signal="SIGSEGV"), machine="m")]
    lines = list(terminal.lines(page_of(tmp_path, *records), locale("en")))
    assert "lstm, CPU: failed; the process was killed by SIGSEGV" in lines


def test_warnings_are_counted_in_one_line(tmp_path: Path) -> None:
    """The page has them."""
    made = row("lstm", each={"warnings": [warning("unstable", "train", percent=20.0)]})
    assert list(terminal.lines(page_of(tmp_path, made), locale("en")))[-1] == (
        "Warnings: 1 (on the page, under Measurements)"
    )


def test_of_many_machines_the_first_ten_are_printed(tmp_path: Path) -> None:
    """And one line says how many more there are."""
    page = page_of(tmp_path, *(row("lstm", machine=f"m{number}") for number in range(12)))
    lines = list(terminal.lines(page, locale("en")))
    assert sum(line.startswith("lstm") for line in lines) == 10
    assert "... and 2 more machines and stacks, all on the page" in lines
