"""The results on a terminal: the summary and one line per row, in the user's language."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from report.page.build import Page, Section
from report.page.models import COLUMNS
from report.render.layout import aligned, wrapped
from report.render.locale import Locale
from report.text import Message, Number, Text, message

SHOWN = ("loss", "accuracy", "cpu_train", "cpu_predict", "gpu_train", "gpu_predict")
SECTIONS_SHOWN, FAILURES_SHOWN = 10, 5
WIDTH = 100
_UNITS = (("s", 1.0), ("ms", 1e3), ("µs", 1e6), ("ns", 1e9))


def lines(page: Page, locale: Locale, width: int = WIDTH) -> Iterator[str]:
    """Yield the lines to print: of more than ten sections the first ten, and one line that counts the warnings."""
    yield from wrapped(locale.plain(page.summary), width)
    for section in page.sections[:SECTIONS_SHOWN]:
        names = {"machine": section.group.machine, "stack": section.group.stack}
        yield ""
        yield locale.plain(message("{machine}, stack {stack}", **names))
        yield from _table(section, locale)
        yield from _failures(section, locale)
    more = len(page.groups) - SECTIONS_SHOWN
    if more > 0:
        yield locale.plain(message("... and {count} more machines and stacks, all on the page", count=str(more)))
    yield ""
    warnings = sum(section.warning_count for section in page.sections)
    yield locale.plain(message("Warnings: {count} (on the page, under Measurements)", count=str(warnings)))


def _table(section: Section, locale: Locale) -> Iterator[str]:
    """The row's key, which is what MODEL= takes, and its figures; columns without any are left out."""
    columns = [column for column in COLUMNS if column.key in SHOWN]
    rows = [["", *(column.heading for column in columns)]]
    for row in section.group.rows:
        rows.append([row.model.key, *(locale.plain(_short(column.cell(row).text)) for column in columns)])
    filled = [place == 0 or any(cells[1:]) for place, cells in enumerate(zip(*rows, strict=True))]
    shown = [[cell for cell, kept in zip(cells, filled, strict=True) if kept] for cells in rows]
    for cells in aligned(shown, [False] + [True] * (len(shown[0]) - 1)):
        yield "  ".join(cells).rstrip()


def _short(text: Text) -> Text:
    """A time in the unit that needs the fewest zeros, an accuracy without its uncertainty, a dash for a failure."""
    if isinstance(text, Message):
        return "–"
    if not isinstance(text, Number) or text.kind not in ("time", "accuracy"):
        return text
    if text.kind == "accuracy":
        return replace(text, spread=None)
    unit, factor = next((unit for unit in _UNITS if text.value * unit[1] >= 1), _UNITS[-1])
    spread = None if text.spread is None else text.spread * factor
    return replace(text, value=text.value * factor, spread=spread, unit=unit + text.unit.removeprefix("s"))


def _failures(section: Section, locale: Locale) -> Iterator[str]:
    failed = [gap for gap in section.unmeasured if gap.result.status != "skipped"]
    for gap in failed[:FAILURES_SHOWN]:
        values = {"row": gap.row.model.key, "device": gap.device, "status": gap.status, "reason": gap.reason}
        yield locale.plain(message("{row}, {device}: {status}; {reason}", **values))
    if len(failed) > FAILURES_SHOWN:
        yield locale.plain(message("and {count} more", count=str(len(failed) - FAILURES_SHOWN)))
