"""The frameworks and their rows, as runners/<framework>/framework.json declares them."""

from __future__ import annotations

import subprocess
import sys
from typing import NamedTuple

from erabench.options import one_of
from images.stack import ROOT, RUNNERS, Problem, declaration


class Framework(NamedTuple):
    """What the driver needs of a declaration."""

    name: str
    devices: tuple[str, ...]
    rows: tuple[str, ...]
    cheapest_row: str
    tunable: bool


def frameworks() -> list[Framework]:
    """Every folder under runners/ that declares a framework."""
    found = []
    for path in sorted(RUNNERS.glob("*/framework.json")):
        declared = declaration(path.parent.name)
        lists = (tuple(declared["devices"]), tuple(declared["rows"]))
        found.append(Framework(path.parent.name, *lists, declared["cheapest_row"], declared["tunable"]))
    return found


def select(models: list[str]) -> dict[str, list[str]]:
    """Framework -> its rows among ``models``; all rows if that is empty. Raises Problem for an unknown one."""
    known = {row: framework.name for framework in frameworks() for row in framework.rows}
    chosen: dict[str, list[str]] = {}
    for row in models or known:
        one_of("MODEL", row, list(known))
        chosen.setdefault(known[row], []).append(row)
    return chosen


def tunable(chosen: dict[str, list[str]], asked: str) -> dict[str, list[str]]:
    """Those of the chosen rows whose framework has settings to try. Raises Problem if there is none."""
    able = {framework.name for framework in frameworks() if framework.tunable}
    left = {name: rows for name, rows in chosen.items() if name in able}
    if not left:
        raise Problem(f"MODEL={asked}: nothing to tune; choose rows of: {', '.join(sorted(able))}")
    return left


def table() -> str:
    """All rows as a table: key, framework, title, parameters, library, data set."""
    command = [sys.executable, "-s", "-m", "runners", "--list"]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout


def datasets(chosen: dict[str, list[str]]) -> list[str]:
    """The data sets of the chosen rows."""
    rows = {row for rows in chosen.values() for row in rows}
    lines = (line.split() for line in table().splitlines()[1:])
    return list(dict.fromkeys(words[-1] for words in lines if words[0] in rows))
