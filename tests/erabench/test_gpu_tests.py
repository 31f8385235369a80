"""`make test-gpu` on a machine without a GPU: nothing is installed, and every skip has its reason."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(venvs: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-s", "-m", "erabench", "test-gpu", "--venvs", str(venvs)]
    environment = {**os.environ, **variables}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def test_without_an_interpreter_each_framework_names_its_variable(tmp_path: Path) -> None:
    """Nothing runs, nothing is made, and the reason contains the variable to set."""
    done = run(tmp_path / "venvs")
    assert done.returncode == 0
    assert [line for line in done.stdout.splitlines() if line.startswith("skipped")] == [
        f"skipped: set {name} to an interpreter that holds the framework, such as {name}=python3"
        for name in ("PYTHON_JAX", "PYTHON_KERAS", "PYTHON_KERAS_JAX", "PYTHON_KERAS_TORCH", "PYTHON_PYTORCH")
    ]
    assert not (tmp_path / "venvs").exists()


def test_an_interpreter_without_the_framework_is_a_skip_with_its_name(tmp_path: Path) -> None:
    """unittest's summary shows the import that failed."""
    done = run(tmp_path, PYTHON_PYTORCH=sys.executable)
    assert done.returncode == 0
    assert f"{sys.executable} has no pytorch: No module named 'torch'" in done.stderr


def test_an_interpreter_that_cannot_be_run_is_an_error(tmp_path: Path) -> None:
    """With its variable, in one line."""
    done = run(tmp_path, PYTHON_KERAS="/no/such/python")
    assert done.returncode == 2
    assert done.stderr == "erabench: PYTHON_KERAS=/no/such/python: cannot be run (No such file or directory)\n"
