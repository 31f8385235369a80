"""The stacks under images/stacks/: their settings, their frameworks, and each framework's base image."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
STACKS = ROOT / "images" / "stacks"
RUNNERS = ROOT / "runners"


class Problem(Exception):
    """Something the user has to fix. The message names what is wrong, the value, and what to do."""


def stacks() -> list[str]:
    """Return the names of all stacks: every folder with a stack.env."""
    return sorted(path.parent.name for path in STACKS.glob("*/stack.env"))


def eras() -> list[str]:
    """Return the stacks of a year: those with a day that no package may be younger than."""
    return [name for name in stacks() if "UNTIL" in settings(name)]


def settings(stack: str) -> dict[str, str]:
    """Return the NAME=value lines of a stack's stack.env. Raises Problem for an unknown stack or a damaged file."""
    if stack not in stacks():
        raise Problem(f"STACK={stack}: no such stack; choose from: {', '.join(stacks())}")
    file = STACKS / stack / "stack.env"
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    found = {}
    for line in (line for line in lines if line and not line.startswith("#")):
        name, sign, value = line.partition("=")
        if not sign:
            raise Problem(f"{file}: '{line}' is no setting; write NAME=value, or # before a comment")
        found[name] = value
    if "PYTHON_VERSIONS" not in found:
        raise Problem(f"{file}: PYTHON_VERSIONS is missing; add the versions that the locks are for, such as 3.11 3.12")
    return found


def locks(stack: str, name: str) -> tuple[Path, ...]:
    """Return the locks that one environment of a stack is installed from, in that order: its own is the last.

    ``name`` is a framework, or a helper that has a lock there. Stacks with an old pip install bootstrap.lock first.
    """
    bootstrap = STACKS / stack / "bootstrap.lock"
    return (*([bootstrap] if bootstrap.is_file() else []), STACKS / stack / f"{name}.lock")


def frameworks(stack: str) -> list[str]:
    """Return the frameworks that a stack has a lock for. Raises Problem for an unknown stack."""
    settings(stack)
    declared = (path.parent.name for path in RUNNERS.glob("*/framework.json"))
    return sorted(name for name in declared if (STACKS / stack / f"{name}.lock").is_file())


def declaration(framework: str) -> dict[str, Any]:
    """Return what a framework's folder declares (runners/<framework>/framework.json)."""
    content: dict[str, Any] = json.loads((RUNNERS / framework / "framework.json").read_text(encoding="utf-8"))
    return content


def base(stack: str, framework: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return a framework's base image, "" if none is named.

    BASE_<FRAMEWORK> overrides BASE, and the environment overrides the stack's stack.env.
    """
    names = (base_variable(framework), "BASE")
    found = (source.get(name) for source in (environ, settings(stack)) for name in names)
    return next((image for image in found if image), "")


def base_variable(framework: str) -> str:
    """Return the variable that overrides a framework's base image."""
    return f"BASE_{framework.upper().replace('-', '_')}"


def missing_bases(stack: str) -> str:
    """Return why no image can be built for a stack, "" if every framework has a base image."""
    missing = [name for name in frameworks(stack) if not base(stack, name)]
    return f"stack {stack} names no base image for {', '.join(missing)} (set BASE)" if missing else ""


def gpu_capabilities(stack: str) -> dict[str, list[str]]:
    """Return the compute capabilities that a stack's wheels have machine code for, by framework; empty without GPU."""
    prefix = "CAPABILITIES_"
    found = settings(stack).items()
    return {name.removeprefix(prefix).lower(): value.split() for name, value in found if name.startswith(prefix)}


def output(*command: str, timeout_s: float | None = None) -> str:
    """Return what a command prints, "" if it is missing, fails or takes too long."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def git(*arguments: str) -> str:
    """Return git's output for the project, "" outside a clone or without git."""
    return output("git", "-C", str(ROOT), *arguments)


def commit() -> str:
    """Return the project's commit, with -dirty if what results depend on was changed; "" without git."""
    head = git("rev-parse", "HEAD")
    return head + ("-dirty" if head and git("status", "--porcelain", "--", "runners", "images") else "")


def without_paths(text: str) -> str:
    """Return text with absolute paths cut to their last part: a record names no folder of a machine."""
    return re.sub(r"(?<![\w.:/])/[^\s'\"]*/([^\s'\"/]*)", r".../\1", text)
