"""What images/stacks/ holds: the stacks, their settings, and the base image of each framework."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
STACKS = ROOT / "images" / "stacks"


class Problem(Exception):
    """Something the caller has to put right. The message names the culprit, the value and the cure."""


def fail(problem: object) -> NoReturn:
    """Say the problem on standard error and end with status 2."""
    print(f"erabench: {problem}", file=sys.stderr)
    sys.exit(2)


def stacks(folder: Path = STACKS) -> list[str]:
    """The stacks there are: every folder with a stack.env."""
    return sorted(path.parent.name for path in folder.glob("*/stack.env"))


def settings(stack: str, folder: Path = STACKS) -> dict[str, str]:
    """The NAME=value lines of a stack's stack.env. Raises Problem for an unknown stack."""
    path = folder / stack / "stack.env"
    if stack not in stacks(folder):
        raise Problem(f"STACK={stack}: there is no such stack. Take one of: {', '.join(stacks(folder))}.")
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def frameworks(stack: str, folder: Path = STACKS) -> list[str]:
    """The frameworks a stack has: those with a base image of their own in its stack.env."""
    return sorted(name[5:].lower() for name in settings(stack, folder) if name.startswith("BASE_"))


def base(stack: str, framework: str, environ: Mapping[str, str] = os.environ, folder: Path = STACKS) -> str:
    """The base image of a framework: BASE_<FRAMEWORK> or BASE of the environment, else the stack's."""
    name = f"BASE_{framework.upper()}"
    return environ.get(name) or environ.get("BASE") or settings(stack, folder).get(name, "")


def git(*arguments: str) -> str:
    """What git says of the project; "" where it is no clone or there is no git."""
    try:
        done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
