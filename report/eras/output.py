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
    pictures = {}
    for one in found:
        for net in one.nets:
            if drawn := draw(one, net, words.plain):
                pictures[one.machine, net.key] = Picture("eras", None, f"{one.machine}/eras-{net.key}.svg", *drawn)
    for picture in pictures.values():
        files.write(folder / MARKDOWN.parent / picture.file, picture.svg)
    markdown = render("eras.md.j2", Links(words, several=True), found=found, page=page, pictures=pictures)
    files.write(folder / MARKDOWN, markdown)
    files.write(folder / HTML, html.page(markdown, language, pictures.values()))
    return {folder / MARKDOWN.parent / picture.file for picture in pictures.values()}
