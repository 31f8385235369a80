"""What came out, on a terminal: the summary and one line per row, in the user's language."""

from __future__ import annotations

from collections.abc import Iterator

from report.page.build import Page, Section
from report.page.models import COLUMNS, STATUSES
from report.page.rows import Row
from report.render.layout import aligned, wrapped
from report.render.locale import Locale
from report.text import Joined, Message, message

SHOWN = ("loss", "accuracy", "cpu_train", "cpu_predict", "gpu_train", "gpu_predict")
SECTIONS_SHOWN = 10
WIDTH = 100


def lines(page: Page, locale: Locale, width: int = WIDTH) -> Iterator[str]:
    """Yield the lines to print: of more than ten sections the first ten, and one line that counts the warnings."""
    yield from wrapped(locale.plain(page.summary), width)
    for section in page.sections[:SECTIONS_SHOWN]:
        yield ""
        yield locale.plain(
            message("{machine}, stack {stack}", machine=section.group.machine, stack=section.group.stack)
        )
        yield from _table(section, locale)
    more = len(page.sections) - SECTIONS_SHOWN
    if more > 0:
        yield locale.plain(
            message("... and {count} more machines and stacks, all of them on the page", count=str(more))
        )
    yield ""
    warnings = sum(section.warning_count for section in page.sections)
    yield locale.plain(message("Warnings: {count}. They are on the page, under Measurements.", count=str(warnings)))


def _table(section: Section, locale: Locale) -> Iterator[str]:
    columns = [column for column in COLUMNS if column.key in SHOWN]
    rows = [["", *(column.heading for column in columns), locale.plain(message("Status"))]]
    for row in section.group.rows:
        cells = [locale.plain(column.cell(row).text) for column in columns]
        rows.append([locale.plain(row.name), *cells, locale.plain(_status(row))])
    shown = [place for place, cells in enumerate(zip(*rows, strict=True)) if place == 0 or any(cells[1:])]
    right = [0 < place <= len(columns) for place in shown]
    for cells_ in aligned([[cells[place] for place in shown] for cells in rows], right):
        yield "  ".join(cells_).rstrip()


def _status(row: Row) -> Joined | str:
    """The status of either device, where it is not ok."""
    failed = [result for result in row.results if result.status not in ("ok", "skipped")]
    if not failed:
        return "ok"
    return Joined(
        tuple(message("{device} {status}", device=r.device.upper(), status=Message(STATUSES[r.status])) for r in failed)
    )
