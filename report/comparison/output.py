"""Writes a comparison: as a page with the records it links to, and on the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from report.comparison import page
from report.comparison.verdicts import Comparison, ComparisonImpossible
from report.output import files, site
from report.render import layout
from report.render.locale import Locale
from report.render.markdown import render
from report.text import Safe, Text, message

NAME = "comparison"
"""The page's file below ``pages/``, and the folder beside it with the records it links to."""

LINES_SHOWN = 200  # on the terminal; the page has them all
MOST = 60  # characters of a cell on the terminal


@dataclass
class _Links:
    """Reference links, gathered while the page is rendered and defined at its end."""

    locale: Locale
    targets: dict[str, str] = field(default_factory=dict)  # label -> file

    def link(self, text: Text, file: str) -> Safe:
        """Return a link to a record below the page's folder; its label is short where no other one has it."""
        side, *_, name = file.removesuffix(".json").split("/")
        label = f"{side}/{name}"
        if self.targets.setdefault(label, file) != file:
            label = file.removesuffix(".json")
            self.targets[label] = file
        return Safe(f"[{self.locale.markdown(text)}][{label}]")

    def definitions(self) -> Safe:
        """Return the definitions of all links so far."""
        return Safe("\n".join(f"[{label}]: {NAME}/{file}" for label, file in self.targets.items()))


def render_page(comparison: Comparison, names: tuple[str, str], locale: Locale) -> str:
    """Return the page as Markdown, front matter included; ``names`` are what the folders are called."""
    links = _Links(locale)
    return render(
        "comparison.md.j2",
        locale,
        overview=list(page.overview(comparison, names)),
        conclusion=list(page.conclusion(comparison)),
        tables=page.tables(comparison),
        link=links.link,
        definitions=links.definitions,
    )


def write_page(comparison: Comparison, folders: tuple[Path, Path], folder: Path, locale: Locale) -> Path:
    """Write ``pages/comparison.markdown`` below the site's ``folder``, and beside it the records that it links to.

    The page is written last, so it never links to a missing file. Raises OSError, and ComparisonImpossible where
    the page's own folder would swallow the results.
    """
    path = folder / "pages" / f"{NAME}.markdown"
    beside = path.with_suffix("")
    if beside.is_symlink() or any(given.resolve().is_relative_to(beside.resolve()) for given in folders):
        raise ComparisonImpossible(f"{beside} is the page's own folder and gets emptied: keep the results elsewhere")
    copies = {site.copy_record(found, beside / "ab"[place]) for place in (0, 1) for found in comparison.side(place)}
    names = folders[0].resolve().name, folders[1].resolve().name
    files.write(path, render_page(comparison, names, locale))
    site.prune(beside, copies)
    return path


def terminal(comparison: Comparison, locale: Locale) -> Iterator[str]:
    """Yield the lines for a terminal: the times, what differs, the conclusion, and the remarks on verdicts."""
    table = page.times_table(comparison)
    verdicts = (page.Cell(page.verdict(time)) for time in comparison.times)
    bare = tuple((*row[:-1], verdict) for row, verdict in zip(table.rows, verdicts, strict=True))
    yield from _lines(table._replace(rows=bare), locale)
    if len(comparison.times) > LINES_SHOWN:
        more = str(len(comparison.times) - LINES_SHOWN)
        yield locale.plain(message("and {count} more times, on the page", count=more))
    if comparison.differences:
        yield from _lines(page.differences_table(comparison), locale)
    yield from map(locale.plain, page.conclusion(comparison))
    yield from map(locale.plain, islice(page.reasons(comparison), LINES_SHOWN))


def _lines(table: page.Table, locale: Locale) -> Iterator[str]:
    heads = [locale.plain(column.heading) for column in table.columns]
    rows = [[_cut(locale.plain(cell.text)) for cell in row] for row in table.rows[:LINES_SHOWN]]
    shown = layout.aligned([heads, *rows], [column.right for column in table.columns])
    yield locale.plain(table.heading)
    for row in shown:
        yield f"  {'  '.join(row)}".rstrip()
    yield ""


def _cut(text: str) -> str:
    return text if len(text) <= MOST else f"{text[: MOST - 1]}…"
