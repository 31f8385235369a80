"""A real container engine, and a small project whose image is built in seconds."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENGINE = os.environ.get("ENGINE") or "docker"
BASES = {  # the base images for today's Python and the era's; the defaults are stand-ins without CUDA
    "3.11": os.environ.get("TEST_BASE_TODAY") or "lab/python:3.11",
    "3.6": os.environ.get("TEST_BASE_ERA") or "lab/python:3.6",
}
NOWHERE = "http://127.0.0.1:9"
PROGRAM = """
import sys
from pathlib import Path
from erabench.containers import Containers, carry
from images.stack import Problem
engine, stack, verb, *words = sys.argv[1:]
try:
    if verb in ("build", "run"):
        made = Containers(engine, stack, Path("results"), Path("data"))
        status = made.prepare("classical") if verb == "build" else made.run("classical", words).status
    elif verb == "load":
        status = carry.load(engine, Path(words[0]))
    else:
        status = getattr(carry, verb)(engine, stack, Path(words[0]) if verb == "save" else words[0])
except Problem as problem:
    print(f"erabench: {problem}", file=sys.stderr)
    status = 2
sys.exit(status)
"""


def engine(*arguments: str) -> str:
    """The engine's output; "" if it fails."""
    done = subprocess.run([ENGINE, *arguments], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def needed() -> None:
    """Skip the module that calls this, with the reason, unless the container tests are asked for and can run."""
    missing = [base for base in BASES.values() if not engine("image", "inspect", base)]
    reason = ""
    if os.environ.get("TEST_CONTAINERS") != "1":
        reason = "they take minutes: make test-containers runs them"
    elif not engine("version"):
        reason = f"{ENGINE} does not answer"
    elif missing:
        reason = f"the image {missing[0]} is missing (TEST_BASE_TODAY and TEST_BASE_ERA name others)"
    if reason:
        pytest.skip(reason, allow_module_level=True)


class Project:
    """A copy of the project with a stack of one framework, whose only package is six."""

    def __init__(self, folder: Path, stack: str) -> None:
        self.folder, self.name = folder, stack
        self.image = f"erabench/classical:{stack}"
        for name in ("images", "runners", "erabench"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        for path in ROOT.glob("compose*.yaml"):
            shutil.copy(path, folder)
        declared = folder / "runners" / "classical" / "framework.json"
        declared.write_text(json.dumps({**json.loads(declared.read_text()), "check": "import six"}))
        self.stack = folder / "images" / "stacks" / stack
        self.stack.mkdir()
        (self.stack / "stack.env").write_text(f"PYTHON_VERSIONS=3.11 3.12 3.13\nBASE={BASES['3.11']}\n")
        era = (ROOT / "images" / "stacks" / "gtx1080" / "classical.lock").read_text()
        pin = re.search(r"^six==.*?(?=^[a-z]|\Z)", era, re.M | re.S)
        assert pin
        self.lock = self.stack / "classical.lock"
        self.lock.write_text(f"# {folder}\n{pin[0]}")  # the comment makes its recipe unlike that of any other test
        self.environ = dict(os.environ)
        for name in ("BASE", "WHEELS", "REGISTRY", "CA_BUNDLE"):
            self.environ.pop(name, None)

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-c", PROGRAM, ENGINE, self.name, *words]

    def run(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Build, run, mirror, save or load."""
        variables = {**self.environ, **environ}
        return subprocess.run(self.command(*words), cwd=self.folder, env=variables, capture_output=True, text=True)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """The same, as the leader of a process group, like a command that a shell starts."""
        return subprocess.Popen(
            self.command(*words),
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a CI job may have been told to ignore it
        )

    def image_id(self) -> str:
        """The image's id, "" if there is none."""
        return engine("image", "inspect", "--format", "{{.Id}}", self.image)

    def forget(self) -> None:
        """Remove the image."""
        engine("rmi", "--force", self.image)
