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
    rows: tuple[str, ...]  # those that `make bench` measures
    tunable: tuple[str, ...]  # rows with settings to try
    twins: dict[str, str]  # rows measured on request -> the published row whose net each is

    @property
    def nets(self) -> dict[str, str]:
        """Row -> its net, named by the published row that has it."""
        return {**{row: row for row in self.rows}, **self.twins}


def frameworks() -> list[Framework]:
    """Every folder under runners/ that declares a framework."""
    found = []
    for path in sorted(RUNNERS.glob("*/framework.json")):
        declared = declaration(path.parent.name)
        devices, rows, able = (tuple(declared[field]) for field in ("devices", "rows", "tunable"))
        twins = declared.get("twins", {})
        found.append(Framework(path.parent.name, devices, rows, able, twins))
    return found


def select(models: list[str]) -> dict[str, list[str]]:
    """Framework -> its rows among ``models``; those of a bench if that is empty. Raises Problem for an unknown one."""
    every = [(row, framework) for framework in frameworks() for row in (*framework.rows, *framework.twins)]
    known = {row: framework.name for row, framework in every}
    chosen: dict[str, list[str]] = {}
    for row in models or [row for row, framework in every if row in framework.rows]:
        one_of("MODEL", row, list(known))
        chosen.setdefault(known[row], []).append(row)
    return chosen


def select_nets(nets: list[str], names: list[str]) -> dict[str, list[str]]:
    """Framework -> its rows of the nets that several frameworks have, or of those named. Raises Problem.

    Without ``names`` every framework takes part.
    """
    known = frameworks()
    shared = list(dict.fromkeys(net for framework in known for net in framework.twins.values()))
    for net in nets:
        one_of("NET", net, shared)
    wanted = nets or shared
    found = {each.name: [row for row, net in each.nets.items() if net in wanted] for each in known}
    chosen = {name: rows for name, rows in found.items() if rows}
    for name in names:
        one_of("FRAMEWORK", name, list(chosen))
    return {name: rows for name, rows in chosen.items() if not names or name in names}


def tunable(chosen: dict[str, list[str]], given: str) -> dict[str, list[str]]:
    """Those of the rows chosen by what was ``given`` that have settings to try. Raises Problem if there is none."""
    able = {framework.name: framework.tunable for framework in frameworks() if framework.tunable}
    found = {name: [row for row in rows if row in able.get(name, ())] for name, rows in chosen.items()}
    left = {name: rows for name, rows in found.items() if rows}
    if not left:
        raise Problem(f"{given}: nothing to tune; choose rows of: {', '.join(sorted(able))}")
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
