"""The page and the comparison as the blog shows them, built by Jekyll and looked at in Chromium."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import report.__main__
import report.comparison.__main__
from tests.report.benches import many, one, row
from tests.report.building import write
from tests.report.output.browser import AXE, Site, chromium, needs, served

JEKYLL = Path(__file__).parents[3] / "report" / "jekyll"
PAGE = "pages/2017-08-05_Model-Comparison.html"
COMPARISON = "pages/comparison.html"
WIDTHS = (320, 390, 1280)

pytestmark = needs(
    {"jekyll": shutil.which("jekyll"), "chromium": chromium()},
    "apt-get install jekyll jekyll-theme-minima chromium fonts-nanum",
)


def build(site: Path) -> str:
    """Make a site of the pages in ``site``, as `make site` does; return what Jekyll printed."""
    shutil.copytree(JEKYLL, site, dirs_exist_ok=True)
    (site / "index.html").unlink()  # the file to open by itself, which `make site` does not copy either
    run = subprocess.run(
        ["jekyll", "build", "--source", site, "--destination", site / "_site", "--disable-disk-cache"],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=180,
        check=False,
    )
    if "minima theme could not be found" in run.stdout and not os.environ.get("TEST_BROWSER"):
        pytest.skip("Jekyll has no theme minima: apt-get install jekyll-theme-minima")
    assert run.returncode == 0, run.stdout
    return run.stdout


@pytest.fixture(scope="module", name="sites")
def sites_of_two_benches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[Site, str]]]:
    """The Korean page of one computer beside an English comparison, and the English page of several."""
    folders = {}
    for name, records, language in (("one", one(), "ko"), ("many", many(), "en")):
        folders[name] = tmp_path_factory.mktemp(name) / "site"
        results = write(tmp_path_factory.mktemp("results"), *records)
        arguments = ["--results", str(results), "--site", str(folders[name]), "--locale", language]
        assert report.__main__.main(arguments) == 0
    a, b = (write(tmp_path_factory.mktemp("side"), row("lstm", train=seconds)) for seconds in (0.01, 0.02))
    compared = ["--a", str(a), "--b", str(b), "--site", str(folders["one"]), "--locale", "en"]
    assert report.comparison.__main__.main(compared) == 0
    said = {name: build(folder) for name, folder in folders.items()}
    with served(folders["one"] / "_site") as first, served(folders["many"] / "_site") as second:
        yield {"one": (first, said["one"]), "many": (second, said["many"])}


PAGES = [("one", PAGE), ("one", COMPARISON), ("one", ""), ("many", PAGE)]


@pytest.mark.parametrize(("name", "page"), PAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_does_not_scroll_sideways(sites: dict[str, Any], name: str, page: str, width: int) -> None:
    """A table too wide for the window scrolls in its own box; the page itself never does."""
    seen = sites[name][0].seen(page, width)
    assert seen["width"] == width
    assert seen["scrolled"] <= seen["room"] <= width


@pytest.mark.parametrize(("name", "page"), PAGES)
def test_every_link_and_picture_resolves(sites: dict[str, Any], name: str, page: str) -> None:
    """Records, pictures, tables, notes and the site's own pages are all there, and every picture has an alt text."""
    seen = sites[name][0].seen(page)
    assert (seen["brokenLinks"], seen["brokenAnchors"]) == ([], [])
    assert [image for image in seen["images"] if not image[1] or not image[2]] == []
    assert len(seen["images"]) >= (4 if page == PAGE else 0)


def test_details_are_folded_and_their_markdown_is_read(sites: dict[str, Any]) -> None:
    """kramdown makes tables inside them, as it does outside."""
    heads = [table["rows"][0][0] for table in sites["one"][0].seen(PAGE)["tables"]]
    assert heads.count("Model") >= 6
    assert "|---" not in sites["one"][0].seen(PAGE)["text"]


def test_hostile_text_is_shown_as_it_was_written(sites: dict[str, Any]) -> None:
    """The fixture's Liquid and HTML reach the reader."""
    assert "the fan | stood {{ still }} <b>today</b>" in sites["one"][0].seen(PAGE)["text"]


def test_the_index_lists_every_page(sites: dict[str, Any]) -> None:
    """The site's first page leads to the model page and to the comparison."""
    links = sites["one"][0].seen("")["links"]
    for page in (PAGE, COMPARISON):
        assert any(link.endswith(page) for link in links)


def test_jekyll_builds_without_a_complaint(sites: dict[str, Any]) -> None:
    """No Liquid or Sass warning, no conflict, and no plugin of ours."""
    for _, said in sites.values():
        assert not re.search(r"warning|error|conflict|deprecat", said, re.IGNORECASE), said
    assert "plugins" not in (JEKYLL / "_config.yml").read_text(encoding="utf-8")


@needs({"axe-core": AXE.exists()}, "npm ci --prefix tests")
@pytest.mark.parametrize("name", ["one", "many"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious(sites: dict[str, Any], name: str, width: int, dark: bool) -> None:
    """In the page within the theme, with everything unfolded."""
    seen = sites[name][0].seen(PAGE, width, dark)
    assert seen["ranAxe"]
    assert [found for found in seen["axe"] if found[0] in ("serious", "critical")] == []
