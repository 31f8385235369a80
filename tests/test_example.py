"""The committed example is what its results give, and the README shows it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "docs/example"
CHECK = ["-m", "report", "--results", "docs/example/results", "--site", "docs/example/site", "--check"]


def check(*changed: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-s", *CHECK, *changed]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def test_the_example_page_is_what_its_results_give() -> None:
    """`make check-page` of a fresh clone."""
    done = check()
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_stale_page_is_found_with_its_difference(tmp_path: Path) -> None:
    """One figure changed on the page."""
    site = tmp_path / "site"
    subprocess.run(["cp", "-r", str(EXAMPLE / "site"), str(site)], check=True)
    page = site / "pages/2017-08-05_Model-Comparison.markdown"
    page.write_text(page.read_text(encoding="utf-8").replace("0.38114552", "0.48114552", 1), encoding="utf-8")
    done = check("--site", str(site))
    assert done.returncode == 1
    assert "0.48114552" in done.stdout + done.stderr


def test_the_readme_shows_the_eras_of_the_example(tmp_path: Path) -> None:
    """The picture is the English one of the same results."""
    site = ["--site", str(tmp_path), "--locale", "en"]
    command = [sys.executable, "-s", "-m", "report", "--results", "docs/example/results", *site]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    drawn = next(tmp_path.glob("pages/*/*/eras-lstm.svg"))
    assert drawn.read_bytes() == (EXAMPLE / "eras.svg").read_bytes(), "copy it to docs/example/eras.svg"


def test_the_readme_shows_its_picture_and_links_to_what_is_there() -> None:
    """Every relative link of the README leads to a file."""
    import re

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    assert "docs/example/page.png" in links
    assert [link for link in links if not (ROOT / link).exists()] == []
