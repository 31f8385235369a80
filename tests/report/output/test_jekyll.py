"""The site as Jekyll builds it and a browser shows it."""

import http.server
import json
import re
import shutil
import subprocess
import threading
import urllib.parse
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import report.compare
from tests.report.test_compare import two_folders

import report.__main__

HERE = Path(__file__).parent
JEKYLL = HERE.parent.parent / "report" / "jekyll"
ONE, MANY = HERE / "fixtures" / "one", HERE / "fixtures" / "many"
PAGE = "pages/2017-08-05_Model-Comparison.html"
COMPARISON = "pages/comparison.html"
WIDTHS = (1280, 390)

CHROMIUM_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1400,1000",
    "--virtual-time-budget=30000",
)

FRAME = """<!DOCTYPE html><iframe src="/{page}" style="width: {width}px; height: 900px; border: 0"></iframe>
<pre id="probe"></pre><script>onmessage = (found) => {{ document.getElementById("probe").textContent = found.data }}
</script>"""


@pytest.fixture(scope="module")
def commands() -> dict[str, str]:
    """Where Jekyll and Chromium are; without both there is nothing to see."""
    found = {"jekyll": shutil.which("jekyll"), "chromium": shutil.which("chromium") or shutil.which("google-chrome")}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        packages = "jekyll jekyll-theme-minima chromium fonts-nanum"
        pytest.skip(f"{' and '.join(missing)} not installed: apt-get install {packages}")
    return {name: path for name, path in found.items() if path is not None}


def build(commands: dict[str, str], site: Path) -> str:
    """Makes a site of the pages in ``site``, as `make site` does; returns what Jekyll said."""
    shutil.copytree(JEKYLL, site, dirs_exist_ok=True)
    run = subprocess.run(
        [commands["jekyll"], "build", "--source", site, "--destination", site / "_site", "--disable-disk-cache"],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=False,
    )
    if "minima theme could not be found" in run.stdout:
        pytest.skip("Jekyll has no theme minima: apt-get install jekyll-theme-minima")
    assert run.returncode == 0, run.stdout
    return run.stdout


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder, adds the probe to every page, and shows ``/frame/<width>/<page>`` in a frame."""

    def do_GET(self) -> None:
        """Frames, pages with the probe, everything else as it is."""
        if self.path.startswith("/frame/"):
            _, _, width, page = self.path.split("/", 3)
            return self._send(FRAME.format(page=page, width=int(width)))
        path = Path(self.translate_path(self.path))
        if path.is_dir():
            path /= "index.html"
        if path.suffix != ".html" or not path.is_file():
            return super().do_GET()
        script = f"<script>{(HERE / 'probe.js').read_text(encoding='utf-8')}</script></body>"
        return self._send(path.read_text(encoding="utf-8").replace("</body>", script))

    def _send(self, page: str) -> None:
        content = page.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


class Site:
    """A built site behind a server, and what the browser saw of it."""

    def __init__(self, commands: dict[str, str], folder: Path, said: str, port: int) -> None:
        self.folder, self.said = folder, said
        self._chromium, self._port = commands["chromium"], port
        self._seen: dict[tuple[str, int], dict[str, Any]] = {}

    def seen(self, page: str, width: int) -> dict[str, Any]:
        """What the probe found on ``page`` in a window so wide; the browser looks once."""
        if (page, width) not in self._seen:
            self._seen[page, width] = self._look(page, width)
        return self._seen[page, width]

    def _look(self, page: str, width: int) -> dict[str, Any]:
        profile = self.folder.parent / f"profile-{len(self._seen)}"
        address = f"http://127.0.0.1:{self._port}/frame/{width}/{page}"
        command = [self._chromium, *CHROMIUM_FLAGS, f"--user-data-dir={profile}", "--dump-dom", address]
        run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        found = re.search(r'<pre id="probe">([^<]+)</pre>', run.stdout)
        assert found, f"the probe did not run on {address}: {run.stdout[-500:]} {run.stderr[-500:]}"
        answer: dict[str, Any] = json.loads(urllib.parse.unquote(found[1]))
        return answer


def served(commands: dict[str, str], folder: Path) -> Iterator[Site]:
    """Builds ``folder`` and serves it while the tests look."""
    said = build(commands, folder)
    handler = partial(Handler, directory=str(folder / "_site"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Site(commands, folder, said, server.server_port)
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def one(commands: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The Korean page of one computer, and an English comparison."""
    folder = tmp_path_factory.mktemp("one") / "site"
    assert report.__main__.main(["--results", str(ONE), "--site", str(folder), "--locale", "ko"]) == 0
    a, b = two_folders(tmp_path_factory.mktemp("sides"))
    assert report.compare.main(["--a", str(a), "--b", str(b), "--site", str(folder), "--locale", "en"]) == 0
    yield from served(commands, folder)


@pytest.fixture(scope="module")
def many(commands: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The English page of several computers."""
    folder = tmp_path_factory.mktemp("many") / "site"
    assert report.__main__.main(["--results", str(MANY), "--site", str(folder), "--locale", "en"]) == 0
    yield from served(commands, folder)


PAGES = [("one", PAGE), ("one", COMPARISON), ("one", ""), ("many", PAGE)]
EVERY_PAGE = pytest.mark.parametrize(("name", "page"), PAGES)


@EVERY_PAGE
@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_does_not_scroll_sideways(request: pytest.FixtureRequest, name: str, page: str, width: int) -> None:
    """A table too wide for the window scrolls in its own box; the page itself never does."""
    seen = request.getfixturevalue(name).seen(page, width)
    assert seen["width"] == width
    assert seen["scrolled"] <= seen["room"] <= width


def test_the_wide_table_scrolls_on_a_phone(one: Site) -> None:
    """Eleven columns do not fit into 390 pixels: without a box of its own the table would have made the page scroll."""
    models = next(table for table in one.seen(PAGE, 390)["tables"] if len(table["rows"][0]) == 11)
    assert models["overflows"]


@EVERY_PAGE
def test_every_link_and_image_resolves(request: pytest.FixtureRequest, name: str, page: str) -> None:
    """Records, pictures, tables, notes and the site's own pages are all there, and every picture has an alt text."""
    site: Site = request.getfixturevalue(name)
    seen = site.seen(page, 1280)
    assert seen["brokenLinks"] == []
    assert seen["brokenAnchors"] == []
    assert all(re.match("https?://", link) for link in seen["elsewhere"])
    assert [image for image in seen["images"] if not image[1] or not image[2]] == []
    if page == PAGE:
        assert len(seen["images"]) >= 3
        assert (site.folder / "_site" / PAGE).with_suffix("").joinpath("results.parquet").is_file()
        shown = records({"one": ONE, "many": MANY}[name])
        measured = {f"{key}.{device}.json" for key in shown for device in shown[key] if is_measured(shown[key][device])}
        assert measured <= {link.rpartition("/")[2] for link in seen["links"]}


def is_measured(made: dict[str, Any]) -> bool:
    """Whether a record has a time, which the page must link to it."""
    return made["status"] == "ok" and any(phase and phase["counts"] for phase in phases(made))


def phases(made: dict[str, Any]) -> list[dict[str, Any] | None]:
    """Training and prediction of a record."""
    return [made["timing"]["train"], made["timing"]["predict"]]


def records(folder: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Model key to device to record, models in the page's order."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*/*/*.json")]
    merged: dict[str, dict[str, dict[str, Any]]] = {}
    for made in sorted(found, key=lambda made: made["model"]["position"]):
        merged.setdefault(made["model"]["key"], {})[made["device"]] = made
    return merged


def own_score(made: dict[str, Any], name: str) -> float | None:
    """The loss or accuracy that the row shows."""
    quality = made["quality"] or {"scores": []}
    own = [s for s in quality["scores"] if s["protocol"] == quality["protocol"] and not s["baseline"]]
    return own[0][name] if own else None


def candidates(row: dict[str, dict[str, Any]], column: str) -> list[float]:
    """What the records hold for a cell of this column, in the unit that its cell may have."""
    if column in ("Loss", "Accuracy"):
        values = [own_score(made, column.lower()) for made in row.values()]
        return [value for value in values if value is not None]
    device, phase = column[:3].lower(), {"T": "train", "P": "predict"}[column[4]]
    timing = (row.get(device) or {}).get("timing") or {}
    whole = timing.get("epoch" if phase == "train" else "test_set")
    median = [timing[phase]["median_s"]] if timing.get(phase) else []
    return median + ([whole["seconds"]] if whole else [])


def is_rounded(text: str, value: float) -> bool:
    """Whether ``text`` is ``value`` to the digits that it shows."""
    mantissa, _, exponent = text.partition("e")
    unit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    return abs(float(text) - value) <= 0.5 * unit * (1 + 1e-6)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_table_holds_the_values_of_the_json(one: Site, width: int) -> None:
    """Every number that the browser shows among the models is one of that row's records, rounded; none is lost."""
    table = next(table["rows"] for table in one.seen(PAGE, width)["tables"] if len(table["rows"][0]) == 11)
    headings, rows = table[0], table[1:]
    merged = records(ONE)
    assert len(rows) == len(merged)
    compared = 0
    for cells, row in zip(rows, merged.values(), strict=True):
        model = next(iter(row.values()))["model"]
        assert cells[0].startswith(model["title"])
        assert cells[2] == model["library"]
        for heading in ("Loss", "Accuracy", "CPU(T)", "CPU(P)", "GPU(T)", "GPU(P)"):
            number = re.match(r"-?\d+(\.\d+)?(e-?\d+)?(?=$|s|\[|\s)", cells[headings.index(heading)])
            if number:
                compared += 1
                assert any(is_rounded(number[0], value) for value in candidates(row, heading)), (cells, heading)
    assert compared >= 25


def test_the_comparison_is_shown_as_tables(one: Site) -> None:
    """Overview, times, quality and differences each are a table with a row for every line of the page."""
    tables = one.seen(COMPARISON, 1280)["tables"]
    assert [table["rows"][0][0] for table in tables] == ["Name", "Model", "Model", "Field"]
    assert all(len(row) == len(table["rows"][0]) for table in tables for row in table["rows"])
    assert {row[-1].partition(":")[0] for row in tables[1]["rows"][1:]} <= {
        "faster",
        "slower",
        "indistinguishable",
        "not comparable",
        "not measured",
    }


def test_hostile_text_is_shown_and_does_nothing(one: Site) -> None:
    """The fixture's Liquid and HTML reach the reader as they were written; no script but the probe is on the page."""
    seen = one.seen(PAGE, 1280)
    assert "the fan | stood {{ still }} <b>today</b>" in seen["text"]
    assert len(seen["scripts"]) == 1


def test_the_index_lists_every_page(one: Site) -> None:
    """The site's first page leads to the model page and to the comparison."""
    links = one.seen("", 1280)["links"]
    for page in (PAGE, COMPARISON):
        assert any(link.endswith(page) for link in links)


def test_jekyll_builds_without_a_complaint(one: Site, many: Site) -> None:
    """No Liquid or Sass warning, no conflict, and no plugin of ours."""
    for site in (one, many):
        assert not re.search(r"warning|error|conflict|deprecat", site.said, re.IGNORECASE), site.said
    config = (JEKYLL / "_config.yml").read_text(encoding="utf-8")
    assert "plugins" not in config
    assert not (JEKYLL / "_plugins").exists()
