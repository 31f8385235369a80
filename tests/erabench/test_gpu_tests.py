"""`make test-gpu` on a machine without a GPU: nothing is installed, and every skip has its reason."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from machines import ROOT


def run(venvs: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-s", "-m", "erabench", "test-gpu", "--venvs", str(venvs)]
    environment = {**os.environ, **variables}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def test_without_an_interpreter_each_framework_names_its_variable(tmp_path: Path) -> None:
    """Nothing runs, which the last line says, nothing is made, and the reason contains the variable to set."""
    done = run(tmp_path / "venvs")
    assert done.returncode == 0
    assert done.stdout.endswith("\nnothing was tested: no framework has an interpreter\n")
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
    assert "nothing was tested" not in done.stdout


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"PYTHON_KERAS": "/no/python"}, r"PYTHON_KERAS=/no/python: cannot be run \(No such file or directory\)"),
        ({"STACK": "pascal"}, "STACK=pascal: no such stack; choose from: .*cpu, current, .*"),
    ],
)
def test_what_cannot_be_used_is_an_error(tmp_path: Path, variables: dict[str, str], message: str) -> None:
    """With its variable, in one line."""
    done = run(tmp_path, **variables)
    assert done.returncode == 2
    assert re.fullmatch(f"erabench: {message}\n", done.stderr)
