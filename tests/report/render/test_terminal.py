"""What is printed when the page is made."""

from pathlib import Path

from report.page.build import Page
from report.render import terminal
from report.render.layout import width
from report.render.locale import locale
from tests.report.benches import gap, many, one, page_of, row, warning
from tests.report.building import reason


def lines(page: Page, language: str = "en") -> list[str]:
    """What is printed about the page."""
    return list(terminal.lines(page, locale(language), Path("results"), Path("site/index.html")))


def test_nine_rows_take_at_most_thirty_lines_of_a_hundred_columns(tmp_path: Path) -> None:
    """In either language, with failures and warnings."""
    for language in ("ko", "en"):
        printed = lines(page_of(tmp_path, *one()), language)
        assert len(printed) <= 30
        assert max(map(width, printed)) <= 100


def test_columns_without_figures_are_left_out(tmp_path: Path) -> None:
    """A machine without a GPU has no GPU columns."""
    printed = lines(page_of(tmp_path, row("lstm", train=0.0213)))
    assert [line.split() for line in printed if "CPU(T)" in line] == [["CPU(T)", "CPU(P)"]]
    assert [line for line in printed if line.startswith("lstm")] == ["lstm  21.3ms ±2 %  4.00ms ±2 %"]


def test_a_failure_is_named_in_its_row_and_explained_below(tmp_path: Path) -> None:
    """Once per device, with the reason; of many failures the first five."""
    failed = gap("lstm", "gpu", "failed", reason("killed", signal="SIGSEGV"))
    printed = lines(page_of(tmp_path, row("lstm", train=0.0213), failed))
    (line,) = [line for line in printed if line.startswith("lstm  ")]
    assert line.endswith("21.3ms ±2 %  4.00ms ±2 %  failed       –")
    assert "lstm, GPU: failed; the process was killed by SIGSEGV" in printed


def test_the_last_line_counts_the_warnings_and_names_the_page(tmp_path: Path) -> None:
    """The page has them."""
    made = row("lstm", each={"warnings": [warning("unstable", "train", percent=20.0)]})
    assert lines(page_of(tmp_path, made))[-2:] == [
        "Results: results",
        "Page: site/index.html (warnings: 1, under Measurements)",
    ]
    assert lines(page_of(tmp_path / "many", *many()), "ko")[-1] == (
        "페이지: site/index.html (경고 0건, ‘측정 상세’ 참고)"
    )


def test_of_many_machines_the_first_ten_are_printed(tmp_path: Path) -> None:
    """And one line says how many more there are."""
    printed = lines(page_of(tmp_path, *(row("lstm", machine=f"m{number}") for number in range(12))))
    assert sum(line.startswith("lstm") for line in printed) == 10
    assert "... and 2 more machines and stacks, all on the page" in printed
