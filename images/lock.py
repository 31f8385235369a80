"""Remake the hashed locks: ``python3 images/lock.py --stack cpu``, or ``report`` or ``tests`` for the project's own.

Every lock of a stack is made before the first is replaced, so that a failure leaves all as they were. Pins that
still fit are kept; ``--upgrade`` takes the newest that the .in files allow.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from stack import ROOT, STACKS, Problem, fail, settings, stacks

OWN = {
    "report": (ROOT / "images" / "report" / "report.in",),
    "tests": (ROOT / "images" / "report" / "report.in", ROOT / "tests" / "requirements.in"),
}
NO_NETWORK = ("error sending request", "dns error", "client error (connect)", "failed to fetch", "tcp connect error")


def main() -> None:
    parser = argparse.ArgumentParser(description="Remake the hashed locks of a stack.")
    parser.add_argument("--stack", required=True, help=f"{', '.join(stacks())}, report or tests")
    parser.add_argument("--upgrade", action="store_true", help="take newer versions where the .in files allow them")
    arguments = parser.parse_args()
    try:
        for path in lock(arguments.stack, arguments.upgrade):
            print(path.relative_to(ROOT))
    except Problem as problem:
        fail(problem)


def lock(stack: str, upgrade: bool = False) -> list[Path]:
    """Make every lock of the stack (all or none) and return their paths. Raises Problem."""
    options = {} if stack in OWN else settings(stack)
    inputs = OWN[stack] if stack in OWN else sorted((STACKS / stack).glob("*.in"))
    made = []
    for source in inputs:
        target = source.with_suffix(".lock")
        made.append((target, compile_lock(source, target, stack, options, upgrade)))
    for target, text in made:
        write_whole(target, text)
    return [target for target, _ in made]


def compile_lock(source: Path, target: Path, stack: str, options: dict[str, str], upgrade: bool) -> str:
    """One lock's text, as uv resolves it. Raises Problem."""
    with tempfile.TemporaryDirectory() as scratch:
        draft = Path(scratch) / target.name
        if target.exists():  # uv keeps the pins it finds in the file it writes
            shutil.copyfile(target, draft)
        python = options.get("PYTHON_VERSIONS", "3.11").split()[0]
        # The universal resolution serves every Python from that version on; uv has none for Pythons as old as 3.6.
        kind = ["--universal"] if python != "3.6" else ["--python-platform", "x86_64-manylinux2014"]
        command = [
            find_uv(), "pip", "compile", source.name, "--output-file", str(draft), "--quiet", *kind,
            "--python-version", python, "--generate-hashes", "--no-header",
            "--no-emit-index-url", "--no-emit-find-links",
            *options.get("LOCK_OPTIONS", "").split(), *(["--upgrade"] if upgrade else []),
        ]  # fmt: skip
        # In the folder of the .in file, so that the lock names no path of this machine.
        done = subprocess.run(command, cwd=source.parent, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Problem(explain(stack, source, done.stderr))
        return f'# Made by "make lock STACK={stack}" from {source.name}; do not edit.\n' + draft.read_text("utf-8")


def explain(stack: str, source: Path, output: str) -> str:
    """What to tell of a failed uv run: the network, or uv's own words."""
    name = source.relative_to(ROOT)
    if any(sign in output.lower() for sign in NO_NETWORK):
        return (
            f"{name}: the package index cannot be reached; no lock was changed. Check the network "
            f"(HTTPS_PROXY, SSL_CERT_FILE), then: make lock STACK={stack}"
        )
    return f"{name}: uv could not resolve it; no lock was changed.\n{output.strip()}"


def find_uv() -> str:
    """uv's path: beside this Python (the tests' environment has it), else on PATH. Raises Problem."""
    beside = Path(sys.executable).parent / "uv"
    found = str(beside) if beside.exists() else shutil.which("uv")
    if not found:
        raise Problem("uv is not installed, and it makes the locks. `make lock` brings its own; or: pip install uv")
    return found


def write_whole(path: Path, text: str) -> None:
    """Replace a file by a finished one, never by half of it."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=".lock-", delete=False) as draft:
        draft.write(text)
        draft.flush()
        os.fsync(draft.fileno())
    os.chmod(draft.name, 0o644)
    os.replace(draft.name, path)


if __name__ == "__main__":
    main()
