"""Writes the page of eras: Markdown beside the main page, and one file to open."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from report.eras import page
from report.eras.picture import draw
from report.eras.years import Eras
from report.output import files, html
from report.render.locale import locale
from report.render.markdown import Links, render
from report.render.pictures import Picture

FILES = MARKDOWN, HTML = Path("pages", "eras.markdown"), Path("eras.html")


def write(found: Sequence[Eras], folder: Path, language: str) -> set[Path]:
    """Write the page below the site's ``folder``, its pictures first; return those. Without eras, remove the page.

    Raises OSError.
    """
    if not found:
        for name in FILES:
            (folder / name).unlink(missing_ok=True)
        return set()
    words = locale(language)
    drawn = {(one.machine, net.key): draw(one, net, words.plain) for one in found for net in one.nets}
    pictures = {
        place: Picture("eras", None, f"{place[0]}/eras-{place[1]}.svg", made[1], made[0])
        for place, made in drawn.items()
        if made
    }
    written = {folder / MARKDOWN.parent / picture.file: picture.svg for picture in pictures.values()}
    for path, svg in written.items():
        files.write(path, svg)
    links = Links(words, several=True)
    markdown = render(
        "eras.md.j2", words, found=found, page=page, pictures=pictures, link=links.link, record=links.record,
        definitions=links.definitions,
    )  # fmt: skip
    files.write(folder / MARKDOWN, markdown)
    svg_of = {picture.file: picture.svg for picture in pictures.values()}
    files.write(folder / HTML, html.page(markdown, language, svg_of, f"{MARKDOWN.parent}/"))
    return set(written)
