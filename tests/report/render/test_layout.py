"""Markdown as one would write it by hand."""

import pytest
from markdown_it import MarkdownIt

from report.render.layout import padded, tidy, width, wrapped


def test_tables_are_aligned() -> None:
    """Each column is as wide as its widest cell, Hangul counts twice, numbers stand on the right."""
    assert tidy("|a|이름|\n|:---|---:|\n| longer | 1|\n") == (
        "| a      | 이름 |\n|:-------|-----:|\n| longer |    1 |\n"
    )


def test_a_very_wide_cell_does_not_widen_the_others() -> None:
    """It stands out of its column."""
    lines = tidy(f"|a|\n|:---|\n|{'x' * 90}|\n").splitlines()
    assert [len(line) for line in lines] == [64, 64, 94]


def test_long_lines_are_wrapped_under_their_marker() -> None:
    """List items and footnotes stay what they are."""
    words = "word " * 40
    assert all(line.startswith("    word") for line in tidy(f"  - {words}").splitlines()[1:])
    assert all(line.startswith("  word") for line in tidy(f"* {words}").splitlines()[1:])
    assert all(line.startswith("    word") for line in tidy(f"[^name]: {words}").splitlines()[1:])
    assert max(map(len, tidy(words).splitlines())) <= 110


@pytest.mark.parametrize("mark", ["-", "+", "*", "#", "##", "1.", "12)", ">", "|", "=", "---", "===", ":", "%"])
def test_a_wrapped_line_never_begins_a_block(mark: str) -> None:
    """Whatever the words are, the paragraph stays one paragraph."""
    text = f"{'x' * 20} {mark} " * 30
    lines = list(wrapped(text.strip(), 40))
    tokens = MarkdownIt("commonmark").enable("table").parse("\n".join(lines))
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    assert len(lines) > 10


def test_front_matter_is_kept_and_blank_lines_are_single() -> None:
    """Nothing before the second rule is touched."""
    assert tidy("---\na:   b\n\n---\n\n\n\nx\n\n\ny\n\n") == "---\na:   b\n\n---\n\nx\n\ny\n"


def test_width_is_that_of_a_terminal() -> None:
    """Wide letters take two columns, accents none."""
    assert [width(text) for text in ("abc", "한글", "e\u0301", "±4 %")] == [3, 4, 1, 4]
    assert padded("한", 4) == "한  "
    assert padded("한", 4, right=True) == "  한"
