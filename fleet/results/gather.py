"""`make fleet-gather`: the newest valid record of each row into a results folder, and a failed one where there is none.

<results>/<type>/<stack>/<row>.<device>.json        as the report reads it
<results>/<type>/.fleet/run.json                    which run wrote them
<results>/<type>/.fleet/nodes/<node>/<stack>/...    the records of all nodes, if each was measured
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from fleet.files import atomic_write, printable
from fleet.folder import Attempt, Folder, attempts
from fleet.plan import Cell
from fleet.results.missing import ENDED_BADLY, missing_records
from fleet.results.nodes import differences, spread
from fleet.results.records import FINISHED, Found, read_record
from fleet.status import CellStatus
from images.files import locked, read_json, write_json
from images.stack import Problem

Say = Callable[[str], None]


def gather(run: Folder, statuses: Sequence[CellStatus], results: Path, say: Say) -> int:
    """Write the results folder; returns 0, or 1 if a type could not be gathered. Raises Problem."""
    found: dict[str, list[Found]] = {}
    for one in statuses:
        found.setdefault(one.cell.type, []).extend(newest_records(run, one.cell, say))
    if not any(found.values()) and not any(one.kind in ENDED_BADLY for one in statuses):
        raise Problem(f"{run.path}: nothing to gather yet: no cell has a record")
    results.mkdir(parents=True, exist_ok=True)
    refused = 0
    with locked(results / ".lock", lambda: say(f"another command is writing into {results}; waiting for it to end")):
        for name, chosen in found.items():
            problems = [*_of_another(results / name, run), *(f"{name}: {text}" for text in differences(chosen))]
            if problems:
                refused += 1
                for problem in problems:
                    say(f"refused  {printable(problem)}")
                continue
            mine = [one for one in statuses if one.cell.type == name]
            count, bad = _write_type(results / name, run, chosen, mine)
            say(f"gather   {name}: {count} records" + (f", and {bad} rows without a result" if bad else ""))
            for one in (one for one in mine if one.cell.node and one.kind in ENDED_BADLY):
                say(f"warning  {one.cell.id}: {one.kind}; the page names the node and shows the others")
    return 1 if refused else 0


def newest_records(run: Folder, cell: Cell, say: Say) -> list[Found]:
    """Return a cell's records: of each row and device the newest that is finished, else the newest that is valid.

    Attempts are ordered by submission and restart; the nodes' clocks play no part.
    """
    chosen: dict[str, Found] = {}
    tries = attempts(run.cell(cell.id))
    nodes = {one.path.name: one.node for one in tries}
    for attempt in reversed(tries):
        for path in sorted((attempt.path / "results" / cell.type / cell.stack).glob("*.json")):
            name = path.name
            if name.removesuffix(".json") not in cell.expected:
                continue
            if name in chosen and chosen[name].record["status"] in FINISHED:
                continue
            try:
                content = path.read_bytes()
            except OSError as error:
                say(f"warning  {path}: {error.strerror}")
                continue
            record = read_record(content)
            if record is None:
                say(f"warning  {path}: not a valid record; an older one is taken if there is any")
            elif record.get("profile") == cell.profile and (name not in chosen or record["status"] in FINISHED):
                chosen[name] = Found(cell, name, content, record, _origin(attempt, name, cell, nodes))
    return list(chosen.values())


def _origin(attempt: Attempt, name: str, cell: Cell, nodes: dict[str, str]) -> str:
    """Return the node where a record was first measured: that of the attempt it was copied from, if it was."""
    source = attempt.state.get("copied", {}).get(f"{cell.type}/{cell.stack}/{name}")
    return nodes.get(source, "") or attempt.node or "an unknown node"


def _of_another(folder: Path, run: Folder) -> Iterable[str]:
    """Return why a machine's folder must not be written into, if it must not."""
    owner = (read_json(folder / ".fleet" / "run.json") or {}).get("run")
    if owner is None and any(folder.glob("[!.]*/*.json")):
        yield f"{folder} holds results that no fleet gathered; choose another RESULTS, or another type name"
    elif owner is not None and owner != run.run:
        yield f"{folder} holds results of another fleet's run ({owner}); choose another RESULTS, or remove that folder"


def _write_type(folder: Path, run: Folder, chosen: Sequence[Found], statuses: Sequence[CellStatus]) -> tuple[int, int]:
    """Write one machine's folder; returns how many records were gathered, and how many stand for none."""
    write_json(folder / ".fleet" / "run.json", {"version": 1, "run": run.run, "fleet": run.path.name})
    if any(one.cell.node for one in statuses):
        shutil.rmtree(folder / ".fleet" / "nodes", ignore_errors=True)
        for one in chosen:
            path = folder / ".fleet" / "nodes" / one.cell.node / one.cell.stack / one.name
            atomic_write(path, one.content, durable=False)
        bad = {
            (one.cell.stack, f"{name}.json", one.cell.node): ENDED_BADLY[one.kind][0]
            for one in statuses
            if one.kind in ENDED_BADLY
            for name in one.cell.expected
        }
        typical = spread(chosen, bad)
    else:
        typical = list(chosen)
    wanted = {f"{one.cell.stack}/{one.name}": one.content for one in typical}
    absent = {name: content for name, content in missing_records(statuses, chosen).items() if name not in wanted}
    every = {**wanted, **absent}
    for name, record in every.items():
        atomic_write(folder / name, record, durable=False)  # gathering can be repeated
    for path in folder.glob("[!.]*/*.json"):
        if str(path.relative_to(folder)) not in every:
            path.unlink()  # written by an earlier gathering of this run, no longer in the plan
    return len(typical), len(absent)
