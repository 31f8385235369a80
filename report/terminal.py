"""The Models table on a terminal: the same cells as the page's, plain lines where there is no terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from report import escape
from report.columns import COLUMNS
from report.messages import Locale, message
from report.page import Page, Section

PLAIN_WIDTH = 240
"""Columns where the output is a file or a pipe: no cell is cut to the width of a terminal that is not there."""

SECTIONS_SHOWN = 10


def print_page(page: Page, words: Locale, console: Console) -> None:
    """Every section's table with its notes; of more than ten sections the first ten."""
    for section in page.sections[:SECTIONS_SHOWN]:
        _print_section(section, words, console)
    more = len(page.sections) - SECTIONS_SHOWN
    if more > 0:
        console.print(Text(words.plain(message("terminal.more", count=more))))


def _print_section(section: Section, words: Locale, console: Console) -> None:
    title = words.plain(
        message(
            "section.made",
            machine=section.group.machine,
            stack=section.group.stack,
            engine=", ".join(section.engines),
            profile=", ".join(section.profiles),
        )
    )
    table = Table(title=Text(title), title_justify="left", box=None, pad_edge=False)
    for column in COLUMNS:
        table.add_column(column.heading, justify=column.align, overflow="fold")
    for line in section.lines:
        cells = []
        for cell in line.cells:
            marks = "".join(f"[{number}]" for number in sorted({section.numbers[note] for note in cell.notes}))
            cells.append(Text(f"{escape.terminal(words.plain(cell.text), escape.LINE)} {marks}".strip()))
        table.add_row(*cells)
    console.print(table)
    for note in section.notes:
        console.print(Text(f"[{section.numbers[note]}] {words.plain(note)}"), soft_wrap=True)
