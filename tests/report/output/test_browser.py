"""The file to open, in a browser: it fits any window, every link leads somewhere, axe-core and html-validate agree."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.report.benches import made, many, one
from tests.report.building import write
from tests.report.output.browser import AXE, NODE_MODULES, Site, chromium, needs, served

VALIDATE = NODE_MODULES / ".bin" / "html-validate"
WIDTHS = (320, 390, 1280, 1920)

INSTALL = "npm ci --prefix tests"
pytestmark = needs({"chromium": chromium()}, "apt-get install chromium fonts-nanum")


@pytest.fixture(scope="module", name="sites")
def sites_of_two_benches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Site]]:
    """The page of one computer in both languages, and the English page of several."""
    with ExitStack() as open_sites:
        sites = {}
        for name, records, language in (("one", one(), "ko"), ("one-en", one(), "en"), ("many", many(), "en")):
            folder = tmp_path_factory.mktemp(name) / "site"
            results = write(tmp_path_factory.mktemp("results"), *records)
            assert made(results, folder, "--locale", language) == 0
            sites[name] = open_sites.enter_context(served(folder))
        yield sites


@pytest.mark.parametrize("name", ["one", "many"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_does_not_scroll_sideways(sites: dict[str, Site], name: str, width: int) -> None:
    """A table too wide for the window scrolls in its own box; the page itself never does, unfolded either."""
    seen = sites[name].seen("index.html", width)
    assert seen["width"] == width
    assert seen["scrolled"] <= seen["room"] <= width


def test_one_machine_takes_at_most_five_screens_before_unfolding(sites: dict[str, Site]) -> None:
    """Of 900 pixels, at 1,280 pixels width."""
    assert sites["one"].seen("index.html")["height"] <= 4500


@pytest.mark.parametrize("name", ["one", "many"])
def test_every_link_resolves(sites: dict[str, Site], name: str) -> None:
    """Records, tables and notes are all there; pictures are within the page."""
    seen = sites[name].seen("index.html")
    assert seen["brokenLinks"] == []
    assert seen["brokenAnchors"] == []
    assert seen["elsewhere"] == ["https://arxiv.org/abs/1608.06993"]
    assert seen["images"] == []


def test_tables_sort_by_a_click(sites: dict[str, Site]) -> None:
    """On any heading, where scripts run; the heading says in which order."""
    seen = sites["one"].seen("index.html")
    assert seen["sort"] == "ascending"
    assert seen["sorted"] == sorted(seen["sorted"])


def test_hostile_text_is_shown_as_it_was_written(sites: dict[str, Site]) -> None:
    """The fixture's Liquid and HTML reach the reader."""
    assert "the fan | stood {{ still }} <b>today</b>" in sites["one"].seen("index.html")["text"]


@needs({"axe-core": AXE.exists()}, INSTALL)
@pytest.mark.parametrize("name", ["one", "one-en", "many"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing(sites: dict[str, Site], name: str, width: int, dark: bool) -> None:
    """No contrast, label or structure that keeps anybody out, with everything unfolded."""
    seen = sites[name].seen("index.html", width, dark)
    assert seen["ranAxe"]
    assert [found for found in seen["axe"] if found[0] in ("serious", "critical", "moderate")] == []


@needs({"html-validate": VALIDATE.exists()}, INSTALL)
@pytest.mark.parametrize("name", ["one", "many"])
def test_html_validate_finds_nothing(sites: dict[str, Site], name: str, tmp_path: Path) -> None:
    """Its standard preset; a page that is broken on purpose shows that it looks."""
    (tmp_path / ".htmlvalidate.json").write_text(json.dumps({"extends": ["html-validate:standard"], "root": True}))
    page = (sites[name].folder / "index.html").read_text(encoding="utf-8")
    for content, status in ((page, 0), (page.replace("</main>", "<p id=1><div></p></main>"), 1)):
        (tmp_path / "index.html").write_text(content, encoding="utf-8")
        done = subprocess.run([VALIDATE, "index.html"], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stdout
