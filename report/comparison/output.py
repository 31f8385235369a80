"""Writes a comparison: as a page with the records it links to, and on the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from report.comparison import page
from report.comparison.verdicts import Comparison
from report.output import files, site
from report.render import layout
from report.render.locale import Locale
from report.render.markdown import Links, render
from report.text import message

NAME = "comparison"
"""The page's file below ``pages/``, and the folder beside it with the records it links to."""

LINES_SHOWN = 200  # on the terminal; the page has them all
MOST = 60  # characters of a cell on the terminal


class _Links(Links):
    def short(self, file: str) -> str:
        """Return side and row: a/lstm.cpu."""
        return f"{file[0]}/{file.rpartition('/')[2]}"


def render_page(comparison: Comparison, names: tuple[str, str], locale: Locale) -> str:
    """Return the page as Markdown, front matter included; ``names`` are what the folders are called."""
    return render(
        "comparison.md.j2",
        _Links(locale, folder=NAME),
        overview=page.overview(comparison, names),
        conclusion=page.conclusion(comparison),
        tables=(page.times_table(comparison), page.quality_table(comparison), page.differences_table(comparison)),
    )


def write_page(comparison: Comparison, folders: tuple[Path, Path], folder: Path, locale: Locale) -> Path:
    """Write ``pages/comparison.markdown`` below the site's ``folder``, and beside it the records that it links to.

    The page is written last, so it never links to a missing file. Raises OSError, and BadInput where
    the page's own folder would swallow the results.
    """
    path = folder / "pages" / f"{NAME}.markdown"
    beside = site.own_folder(path.with_suffix(""), folders)
    copies = {site.copy_record(found, beside / "ab"[place]) for place in (0, 1) for found in comparison.side(place)}
    names = folders[0].resolve().name, folders[1].resolve().name
    files.write(path, render_page(comparison, names, locale))
    site.prune(beside, copies)
    return path


def terminal(comparison: Comparison, locale: Locale) -> Iterator[str]:
    """Yield the lines for a terminal: the times, what differs, the conclusion, and the remarks on verdicts."""
    table = page.times_table(comparison)
    bare = tuple((*row[:-1], page.verdict(time)) for row, time in zip(table.rows, comparison.times, strict=True))
    yield from _lines(table._replace(rows=bare), locale)
    if len(comparison.times) > LINES_SHOWN:
        more = str(len(comparison.times) - LINES_SHOWN)
        yield locale.plain(message("and {count} more times, on the page", count=more))
    if comparison.differences:
        yield from _lines(page.differences_table(comparison), locale)
    yield from map(locale.plain, page.conclusion(comparison))
    yield from map(locale.plain, islice(page.reasons(comparison), LINES_SHOWN))


def _lines(table: page.Table, locale: Locale) -> Iterator[str]:
    cells = [[cell.text if isinstance(cell, page.Linked) else cell for cell in row] for row in table.rows[:LINES_SHOWN]]
    shown = [[_cut(locale.plain(cell)) for cell in row] for row in [list(table.columns), *cells]]
    yield locale.plain(table.heading)
    for row in layout.aligned(shown, [place in table.right for place in range(len(table.columns))]):
        yield f"  {'  '.join(row)}".rstrip()
    yield ""


def _cut(text: str) -> str:
    return text if len(text) <= MOST else f"{text[: MOST - 1]}…"
