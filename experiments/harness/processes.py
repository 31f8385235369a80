"""Fresh processes of real rows, each in its framework's environment."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
VENVS = Path(os.environ.get("VENVS") or ROOT / ".venvs").absolute()


def timed(python: Path, framework: str, row: str, *options: str) -> dict[str, Any]:
    """Return what ``one_process`` prints of the row: per phase "samples_s" and "median_s". Raises RuntimeError."""
    command = [python, "-s", "-m", "experiments.harness.one_process", framework, row, *options]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError as error:
        raise RuntimeError(
            f"{row} could not be timed: {python}: {error.strerror}; make bench-harness makes it"
        ) from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no output"]
        raise RuntimeError(f"{row} could not be timed: {lines[-1]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
