"""A real container engine, and a small project whose images are built in seconds."""

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

ROOT = Path(__file__).resolve().parents[3]
ENGINE = os.environ.get("ENGINE") or "docker"
BASES = {  # the base images for today's Python and the era's; the defaults are stand-ins without CUDA
    "3.11": os.environ.get("TEST_BASE_TODAY") or "lab/python:3.11",
    "3.6": os.environ.get("TEST_BASE_ERA") or "lab/python:3.6",
}


def engine(*arguments: str) -> str:
    """What the engine says; "" where it fails."""
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
        reason = f"there is no image {missing[0]} (TEST_BASE_TODAY and TEST_BASE_ERA name others)"
    if reason:
        pytest.skip(reason, allow_module_level=True)


class Project:
    """A copy of the project, with a stack "tiny" of one framework whose only package is six."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("images", "runners", "report"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        for path in ROOT.glob("compose*.yaml"):
            shutil.copy(path, folder)
        stack = folder / "images" / "stacks" / "tiny"
        stack.mkdir()
        (stack / "stack.env").write_text(f"PYTHON_VERSIONS=3.11 3.12 3.13\nBASE_CLASSICAL={BASES['3.11']}\n")
        pin = re.search(
            r"^six==.*?(?=^[a-z])", (ROOT / "images/stacks/gtx1080/classical.lock").read_text(), re.M | re.S
        )
        assert pin
        for name in ("classical", "report"):
            lock = (stack if name == "classical" else folder / "images" / "report") / f"{name}.lock"
            lock.write_text(f"# {folder}\n{pin[0]}")  # the comment makes its recipe unlike that of any other test
            dockerfile = folder / "images" / name / "Dockerfile"
            dockerfile.write_text(re.sub(r'-c "import [^"]*"', '-c "import six"', dockerfile.read_text()))
        self.environ = {**os.environ, "BASE_REPORT": BASES["3.11"]}
        for name in ("BASE", "WHEELS", "REGISTRY", "CA_BUNDLE", "MODEL"):
            self.environ.pop(name, None)

    def run(self, program: str, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a program of images/."""
        return subprocess.run(
            self.command(program, *arguments), env={**self.environ, **environ}, capture_output=True, text=True
        )

    def start(self, program: str, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        """Start a program of images/ as the leader of a process group, as a shell does."""
        return subprocess.Popen(
            self.command(program, *arguments),
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a CI job may have been told to ignore it
        )

    def command(self, program: str, *arguments: str) -> list[str]:
        return [sys.executable, str(self.folder / "images" / program), *arguments]

    def build(self, **environ: str) -> subprocess.CompletedProcess[str]:
        """Build the one framework."""
        return self.run("build.py", "classical", "--engine", ENGINE, "--stack", "tiny", **environ)

    def forget(self) -> None:
        """Remove the images."""
        for name in ("classical", "report"):
            engine("rmi", "--force", f"erabench/{name}:tiny")


def results(folder: Path) -> dict[str, dict[str, object]]:
    """Every result of a results folder by its model."""
    return {path.name.split(".")[0]: json.loads(path.read_text()) for path in folder.glob("*/*/*.json")}
