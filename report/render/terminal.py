"""The results on a terminal: the summary, one line per row, and one per net of several frameworks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from report.page.build import Page, Section
from report.page.models import COLUMNS
from report.render.layout import aligned, wrapped
from report.render.locale import Locale
from report.text import Message, Number, Text, message

SHOWN = ("loss", "accuracy", "cpu_train", "cpu_predict", "gpu_train", "gpu_predict")
SECTIONS_SHOWN, FAILURES_SHOWN = 10, 5
WIDTH = 100


def lines(page: Page, locale: Locale, results: Path, file: Path, width: int = WIDTH) -> Iterator[str]:
    """Yield the lines to print: of more than ten sections the first ten; the last one counts the warnings."""
    yield from wrapped(locale.plain(page.summary), width)
    for section in page.sections[:SECTIONS_SHOWN]:
        names = {"machine": section.group.machine, "stack": section.group.stack}
        yield ""
        yield locale.plain(message("{machine}, stack {stack}", **names))
        for remark in section.remarks:
            yield from wrapped(locale.plain(remark), width)
        yield from _table(section, locale)
        for table in section.frameworks:
            found = message("{title}: {summary}.", title=table.title, summary=table.summary)
            yield from wrapped(locale.plain(found), width)
        yield from _failures(section, locale)
    more = len(page.groups) - SECTIONS_SHOWN
    if more > 0:
        yield locale.plain(message("... and {count} more machines and stacks, all on the page", count=str(more)))
    yield ""
    yield locale.plain(message("Results: {path}", path=str(results)))
    if page.years:
        yield locale.plain(message("Eras: {path}", path=str(file.with_name("eras.html"))))
    if page.detailed:
        count = str(sum(len(section.warnings) for section in page.sections))
        yield locale.plain(message("Page: {path} (warnings: {count}, under Measurements)", path=str(file), count=count))
    else:
        yield locale.plain(message("Page: {path}", path=str(file)))


def _table(section: Section, locale: Locale) -> Iterator[str]:
    """The row's key, which is what MODEL= takes, and its figures; columns without any are left out."""
    columns = [column for column in COLUMNS if column.key in SHOWN]
    rows = [["", *(column.heading for column in columns)]]
    for row in section.group.rows:
        texts = [_short(column.cell(row).text, column.key.endswith("_train")) for column in columns]
        rows.append([row.model.key, *map(locale.plain, texts)])
    filled = [place == 0 or any(cells[1:]) for place, cells in enumerate(zip(*rows, strict=True))]
    shown = [[cell for cell, kept in zip(cells, filled, strict=True) if kept] for cells in rows]
    for cells in aligned(shown, [False] + [True] * (len(shown[0]) - 1)):
        yield "  ".join(cells).rstrip()


def _short(text: Text, names_status: bool) -> Text:
    """A time in its shortest unit, four digits of an exact score, and a failure named once per device."""
    if isinstance(text, Message):
        return text if names_status else "–"
    if isinstance(text, Number) and text.kind == "time":
        return replace(text, kind="short")
    if isinstance(text, Number) and text.kind == "exact":
        return Number(text.value, digits=4)
    return replace(text, spread=None) if isinstance(text, Number) and text.kind == "accuracy" else text


def _failures(section: Section, locale: Locale) -> Iterator[str]:
    failed = [gap for gap in section.unmeasured if gap.result.status not in ("ok", "skipped")]
    for gap in failed[:FAILURES_SHOWN]:
        values = {"row": gap.row.model.key, "device": gap.device, "status": gap.status, "reason": gap.reason}
        yield locale.plain(message("{row}, {device}: {status}; {reason}", **values))
    if len(failed) > FAILURES_SHOWN:
        yield locale.plain(message("and {count} more", count=str(len(failed) - FAILURES_SHOWN)))
