"""The page as one HTML file, made from the same Markdown."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from report.output import html
from report.render.locale import locale
from report.render.markdown import render_page
from report.render.pictures import draw
from tests.report.benches import many, one, page_of, row
from tests.report.building import Json
from tests.report.page.test_models import HEADINGS
from tests.report.render.test_escape import HOSTILE
from tests.report.render.test_markdown import PLACES, placed

VOID = {"meta", "br", "hr", "link", "path", "circle"}


class Reader(HTMLParser):
    """Tags that are opened and not closed, attributes, links, ids, and the texts of tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.tables: list[list[list[str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag."""
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("th", "td"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        """Close the tag, which must be the last one opened."""
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Gather the text of a cell."""
        if {"th", "td"} & set(self.open):
            self.tables[-1][-1][-1] += data


def made(root: Path, *records: Json, language: str = "en") -> str:
    """The document of these records."""
    page = page_of(root, *records)
    pictures = list(draw(page, locale(language)))
    markdown = render_page(page, locale(language), pictures)
    return html.page(markdown, language, pictures)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_file_needs_nothing_else(tmp_path: Path, language: str) -> None:
    """Every tag is closed, styles and pictures are inside, and nothing is fetched."""
    document = made(tmp_path, *one(), language=language)
    found = Reader(document)
    assert found.open == []
    assert ("html", "lang", language) in found.attributes
    assert not {tag for tag, _, _ in found.attributes} & {"img", "link", "iframe"}
    assert not [value for _, name, value in found.attributes if name == "src"]
    assert "url(" not in document
    assert "@import" not in document
    assert document.count("<svg ") == 4
    assert "markdown=" not in document


def test_it_says_what_the_markdown_says(tmp_path: Path) -> None:
    """The same tables with the same cells, the front matter's title, and footnotes that lead back."""
    document = made(tmp_path, *one())
    found = Reader(document)
    assert document.count("<h1>Comparing deep learning models</h1>") == 1
    assert found.tables[1][0] == HEADINGS
    assert found.tables[1][1][:5] == ["LSTM", "2 stacked LSTM", "Keras", "Airline Passenger", "0.00128 ±4 %"]
    anchors = {value for _, name, value in found.attributes if name == "id"}
    inside = {value[1:] for tag, name, value in found.attributes if (tag, name) == ("a", "href") and value[:1] == "#"}
    assert inside
    assert inside <= anchors
    assert len(anchors) == len([value for _, name, value in found.attributes if name == "id"])


def test_links_lead_to_the_records_below_the_page(tmp_path: Path) -> None:
    """Relative to the site's folder; the only address elsewhere is the paper's."""
    links = [value for tag, name, value in Reader(made(tmp_path, *one())).attributes if (tag, name) == ("a", "href")]
    outside = [link for link in links if not link.startswith("#")]
    assert "pages/2017-08-05_Model-Comparison/gtx-box/gtx1080/lstm.gpu.json" in outside
    assert {link for link in outside if not link.startswith("pages/")} == {"https://arxiv.org/abs/1608.06993"}


def test_each_table_is_a_region_with_a_name_of_its_own(tmp_path: Path) -> None:
    """It scrolls by itself, by keyboard too; its headings say that they are headings."""
    document = made(tmp_path, *many())
    names = re.findall(r'<div class="table" role="region" tabindex="0" aria-label="([^"]+)">', document)
    assert len(names) == document.count("<table>") == len(set(names))
    assert document.count("<th ") == document.count('<th scope="col"')


def test_pictures_say_what_they_show(tmp_path: Path) -> None:
    """Each is one image to a screen reader, with a sentence or more."""
    labels = re.findall(r'<svg role="img" aria-label="([^"]+)"', made(tmp_path, row("lstm")))
    assert len(labels) >= 2
    assert all(len(label) > 40 for label in labels)


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_text_is_shown_and_does_nothing(tmp_path: Path, number: int) -> None:
    """No tag, attribute or address of the page comes from a record."""
    plain, hostile = (
        Reader(made(tmp_path / name, *placed(dict.fromkeys(PLACES, text))))
        for name, text in (("plain", "plain"), ("hostile", HOSTILE[number]))
    )
    assert hostile.open == []
    kept = [
        [
            (tag, name, value if name in ("href", "id") else "")
            for tag, name, value in found.attributes
            if tag not in VOID
        ]
        for found in (plain, hostile)
    ]
    assert kept[0] == kept[1]
