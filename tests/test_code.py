"""The code keeps what CONTRIBUTING promises: linted, typed, and readable by Python 3.6 where it has to be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
        ["vermin", "-t=3.6-", "--violations", "--no-tips", "runners", "tests/runners", "tests/data"],
    ],
    ids=" ".join,
)
def test_the_tools_find_nothing(command: list[str]) -> None:
    """As pyproject.toml sets them."""
    done = subprocess.run([BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("folder", "foreign"),
    [("images", ("runners", "report")), ("runners", ("images", "report")), ("report", ("images", "runners"))],
)
def test_imports_point_one_way(folder: str, foreign: tuple[str, ...]) -> None:
    """images knows nothing of runners, runners nothing of the report, the report only the JSON."""
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if line.split()[:1] in (["import"], ["from"]) and line.split()[1].split(".")[0] in foreign
    ]
    assert found == []
