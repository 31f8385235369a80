"""A folder behind a server, and what headless Chromium sees of its pages, with axe-core where npm has put it."""

import http.server
import json
import os
import re
import shutil
import subprocess
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
NODE_MODULES = HERE.parents[1] / "node_modules"
AXE = NODE_MODULES / "axe-core" / "axe.min.js"
CHROMIUM_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=2000,1000",
    "--virtual-time-budget=60000",
)
FRAME = """<!DOCTYPE html><iframe src="/{page}" style="width: {width}px; height: 900px; border: 0"></iframe>
<pre id="probe"></pre><script>onmessage = (found) => {{ document.getElementById("probe").textContent = found.data }}
</script>"""


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder, adds the probe to every page, and shows ``/frame/<width>/<page>`` in a frame."""

    def do_GET(self) -> None:
        """Frames, axe-core, pages with the probe, everything else as it is."""
        if self.path.startswith("/frame/"):
            _, _, width, page = self.path.split("/", 3)
            return self._send(FRAME.format(page=page, width=int(width)))
        if self.path == "/axe.js":
            return self._send(AXE.read_text(encoding="utf-8") if AXE.exists() else "", "text/javascript")
        path = Path(self.translate_path(self.path))
        if path.is_dir():
            path /= "index.html"
        if path.suffix != ".html" or not path.is_file():
            return super().do_GET()
        script = (HERE / "probe.js").read_text(encoding="utf-8")
        added = f'<script src="/axe.js"></script><script>{script}</script></body>'
        return self._send(path.read_text(encoding="utf-8").replace("</body>", added))

    def _send(self, page: str, kind: str = "text/html") -> None:
        content = page.encode()
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


class Site:
    """A folder behind a server; the browser looks once at each page, width and colour scheme."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self._port = folder, port
        self._seen: dict[tuple[str, int, bool], dict[str, Any]] = {}

    def seen(self, page: str, width: int = 1280, dark: bool = False) -> dict[str, Any]:
        """What the probe found on ``page`` in a window so wide."""
        key = (page, width, dark)
        if key not in self._seen:
            self._seen[key] = self._look(*key)
        return self._seen[key]

    def _look(self, page: str, width: int, dark: bool) -> dict[str, Any]:
        profile = self.folder.parent / f"profile-{len(self._seen)}"
        address = f"http://127.0.0.1:{self._port}/frame/{width}/{page}"
        scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
        command = [chromium() or "", *CHROMIUM_FLAGS, scheme, f"--user-data-dir={profile}", "--dump-dom", address]
        run = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
        shutil.rmtree(profile, ignore_errors=True)
        found = re.search(r'<pre id="probe">([^<]+)</pre>', run.stdout)
        assert found, f"the probe did not run on {address}: {run.stdout[-500:]} {run.stderr[-500:]}"
        answer: dict[str, Any] = json.loads(urllib.parse.unquote(found[1]))
        assert answer["dark"] == dark
        return answer


def chromium() -> str | None:
    """Where the browser is."""
    return shutil.which("chromium") or shutil.which("google-chrome")


def needs(tools: dict[str, object], how: str) -> pytest.MarkDecorator:
    """Skip where a tool is missing, with the command that installs it; where TEST_BROWSER is set, as in CI, fail."""
    missing = [tool for tool, there in tools.items() if not there]
    skip = bool(missing) and not os.environ.get("TEST_BROWSER")
    return pytest.mark.skipif(skip, reason=f"{' and '.join(missing)} not installed: {how}")


@contextmanager
def served(folder: Path) -> Iterator[Site]:
    """Serve ``folder`` while the tests look."""
    handler = partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Site(folder, server.server_port)
        server.shutdown()
        thread.join()
