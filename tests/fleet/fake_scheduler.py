"""A scheduler that exists only in a test, and attempts that it would have left."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stub_bench import record

from fleet.config import Fleet, NodeType, load
from fleet.files import Unanswered
from fleet.folder import Folder, Submission
from fleet.plan import Cell
from fleet.schedulers import Key, Order, Prepared, Refused, Task
from fleet.status import CellStatus, survey
from fleet.submit import submit
from images.files import write_json


class FakeScheduler:
    """Keeps jobs in memory; tests set what it answers."""

    def __init__(self, largest: int = 1000) -> None:
        self.largest = largest
        self.jobs: dict[str, list[Task]] = {}  # name -> tasks
        self.numbers: dict[str, str] = {}
        self.answers = True
        self.refuses = ""
        self.on_submit: Exception | None = None  # raised after the job has arrived
        self.before_submit: BaseException | None = None  # raised before it has
        self.calls: list[str] = []
        self.problems: list[str] = []

    def nodes(self, one: NodeType) -> list[str]:
        return [f"{one.name}1", f"{one.name}2"]

    def check(self, orders: Sequence[Order]) -> list[str]:
        return self.problems

    def prepare(self, order: Order) -> Prepared:
        return Prepared(["submit", order.name, str(len(order.cells))], {}, f"submit {order.name}")

    def submit(self, prepared: Prepared, lock: int) -> str:
        self._answer("submit")
        if self.refuses:
            raise Refused(self.refuses)
        if self.before_submit:
            raise self.before_submit
        _, name, count = prepared.command
        self.jobs[name] = [Task("queued", reason="Priority")] * int(count)
        self.numbers[name] = str(len(self.jobs))
        if self.on_submit:
            raise self.on_submit
        return self.numbers[name]

    def live(self, submissions: Sequence[Submission]) -> dict[Key, Task]:
        self._answer("live")
        return {
            (one.number, index): task
            for one in submissions
            for index, task in enumerate(self.jobs.get(one.name, []))
        }  # fmt: skip

    def past(self, submissions: Sequence[Submission]) -> dict[Key, Task]:
        return {}

    def job_ids(self, submissions: Sequence[Submission]) -> dict[int, str]:
        self._answer("job_ids")
        return {one.number: self.numbers[one.name] for one in submissions if one.name in self.jobs}

    def release(self, tasks: Sequence[tuple[Submission, int]]) -> None:
        self.calls.append(f"release {len(tasks)}")

    def cancel(self, submissions: Sequence[Submission]) -> list[str]:
        self.jobs.clear()
        return []

    def log(self, submission: Submission, task: int) -> str:
        return "on the node\n"

    def fetch(self, wanted: Mapping[Key, tuple[Cell, str]], submissions: Sequence[Submission]) -> list[str]:
        return []

    def _answer(self, call: str) -> None:
        self.calls.append(call)
        if not self.answers:
            raise Unanswered("the scheduler gave no answer")

    def set(self, task: Task) -> None:
        """Give every task of every job this state."""
        self.jobs = {name: [task] * len(tasks) for name, tasks in self.jobs.items()}


def fleet_of(folder: Path, *types: str, **settings: Any) -> Fleet:
    """Return a fleet of types with one stack each."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    text = '[fleet]\nscheduler = "slurm"\n' + "\n".join(lines) + "\n"
    for name in types:
        text += f'[[node]]\ntype = "{name}"\nslurm = ["--constraint={name}"]\nstacks = ["cpu"]\n'
    path = folder / "fleet.toml"
    path.write_text(text)
    return load(path)


class Trial:
    """A fleet of types with one stack each, its folder, a scheduler that the test controls, and what was said."""

    def __init__(self, folder: Path, *types: str, largest: int = 1000, **settings: Any) -> None:
        self.fleet = fleet_of(folder, *types, **settings)
        self.folder = Folder(self.fleet.folder)
        self.scheduler = FakeScheduler(largest)
        self.said: list[str] = []

    def submit(self, again: bool = False) -> int:
        """Submit what is missing."""
        return submit(self.fleet, self.folder, self.scheduler, again, self.said.append)

    def cells(self) -> list[CellStatus]:
        """Return the state of each planned cell."""
        return survey(self.folder, self.folder.cells(), self.scheduler).cells

    def queued(self) -> int:
        """Return how many tasks the scheduler has."""
        return sum(len(tasks) for tasks in self.scheduler.jobs.values())


def started(folder: Path, *types: str, **settings: Any) -> Trial:
    """Return a fleet that was submitted."""
    trial = Trial(folder, *types, **settings)
    trial.submit()
    trial.said.clear()
    return trial


def leave_attempt(
    folder: Folder,
    cell: Cell,
    submission: int = 1,
    restart: int = 0,
    job: str = "1",
    node: str = "n1",
    task: int = 0,
    rows: Sequence[str] | None = None,
    changes: Mapping[str, Any] | None = None,
    **state: Any,
) -> Path:
    """Write an attempt as a node would; returns its folder. By default it is done, with a record for every row."""
    path = folder.cell(cell.id) / f"{submission:04d}-{job}_{task}.{restart}"
    content = {"version": 1, "cell": cell.id, "node": node, "phase": "finished", "outcome": "done", "seconds": 60.0}
    write_json(path / "state.json", content | state)
    (path / "log").write_text("the log\n")
    for name in cell.expected if rows is None else rows:
        row, device = name.rsplit(".", 1)
        made = record(cell.type, cell.stack, row, device) | dict(changes or {})
        write_json(path / "results" / cell.type / cell.stack / f"{name}.json", made)
    return path
