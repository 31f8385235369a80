"""The report: the page of results, the comparison of two folders, the web site. Each is a program of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from argparse import Namespace
from pathlib import Path

from erabench.engine import clean
from erabench.environments import locks
from erabench.terminal import say
from images.stack import ROOT, Problem

EXAMPLE = Path("docs") / "example"


def make(asked: Namespace, *selection: str) -> int:
    """Write the page from all results; return the report's exit status."""
    return report("-m", "report", *places(asked, "RESULTS", "SITE", "LOCALE"), *selection)


def selected(asked: Namespace) -> int:
    """Write the page of one machine or one stack, if one is named."""
    names = {"--machine": asked.MACHINE, "--stack": asked.STACK}
    return make(asked, *(word for flag, value in names.items() if value for word in (flag, value)))


def compare(asked: Namespace) -> int:
    """Compare two results folders. Raises Problem if one is not named."""
    for name in ("A", "B"):
        if not getattr(asked, name):
            raise Problem(f"{name} is not set; run: make compare A=results/old B=results/new")
    return report("-m", "report.comparison", *places(asked, "A", "B", "SITE", "LOCALE"))


def check(_asked: Namespace) -> int:
    """Fail if the committed example page differs from what its results give."""
    folders = ("--results", str(EXAMPLE / "results"), "--site", str(EXAMPLE / "site"))
    return report("-m", "report", *folders, "--check")


def places(asked: Namespace, *variables: str) -> list[str]:
    """The report's options for what was given; paths count from where the user is."""
    found = []
    for name in variables:
        value = getattr(asked, name)
        if value and name != "LOCALE":
            value = os.path.relpath(value, ROOT) if not os.path.isabs(value) else value
        found += [f"--{name.lower()}", value] if value else []
    return found


def report(*words: str) -> int:
    """Run a program of the report in the host's environment; return its exit status, 2 if a signal ended it."""
    python = locks.host().interpreter
    status = subprocess.run([str(python), "-s", *words], cwd=ROOT, env=clean(), check=False).returncode
    if status < 0:
        say(f"{signal.Signals(-status).name} ended the report; what it was writing is as it was before")
        return 2
    return status


def site(asked: Namespace) -> int:
    """Write the page and build the web site around it. Raises Problem without Jekyll."""
    jekyll = shutil.which("jekyll")
    if not jekyll:
        raise Problem("jekyll is not installed; install it (Debian: apt install jekyll jekyll-theme-minima)")
    status = make(asked)
    folder = Path(asked.SITE or "site")
    if status > 1:
        return status
    source = folder / ".jekyll"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(ROOT / "report" / "jekyll", source)
    shutil.copytree(folder / "pages", source / "pages")
    built = [jekyll, "build", "--quiet", "--source", str(source), "--destination", str(folder / "html")]
    if subprocess.run(built, check=False).returncode:
        return 2
    print(f"site     {folder / 'html'}")
    return status


def serve(asked: Namespace) -> int:
    """Build the web site and serve it at http://localhost:4000 until Ctrl-C."""
    status = site(asked)
    folder = Path(asked.SITE or "site")
    words = ["jekyll", "serve", "--source", str(folder / ".jekyll"), "--destination", str(folder / "html")]
    return status if status > 1 else subprocess.run(words, check=False).returncode
