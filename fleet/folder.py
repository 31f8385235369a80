"""What a run keeps on disk.

    <folder>/run.json                     its identity
    <folder>/plan.json                    the cells, as of the last `make fleet`
    <folder>/journal.jsonl                what was done, append-only; an intent is written before the scheduler is asked
    <folder>/submissions/0003/            submission.json, job.sh; `abandoned` if its job must not run
    <folder>/cells/<type>/<stack>.<framework>/<submission>-<job>_<task>.<restart>/
                                          one attempt: state.json, log, results/

An attempt writes into its own folder only. Attempts are ordered by submission and restart, never by a node's clock.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import secrets
import sys
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from fleet.files import atomic_write
from fleet.plan import Cell
from images.files import locked, read_json, write_json
from images.stack import Problem

VERSION = 1
NO_RUN = "00000000"
ATTEMPT = re.compile(r"(\d{4,})-(.+)_(\d+)\.(\d+)$")


@dataclass(frozen=True)
class Attempt:
    """One start of a cell."""

    path: Path
    submission: int
    job: str
    task: int
    restart: int

    @cached_property
    def state(self) -> dict[str, Any]:
        """What the attempt wrote about itself, {} if nothing can be read."""
        return read_json(self.path / "state.json") or {}

    @property
    def finished(self) -> bool:
        """Whether it came to its own end."""
        return self.state.get("phase") == "finished"

    @property
    def node(self) -> str:
        """The node it ran on, "" if that is not known."""
        return str(self.state.get("node") or "")


def attempts(folder: Path) -> list[Attempt]:
    """Return the attempts in a cell's folder, oldest first."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    found = [(match, folder / name) for name in names if (match := ATTEMPT.match(name))]
    every = [Attempt(path, int(match[1]), match[2], int(match[3]), int(match[4])) for match, path in found]
    return sorted(every, key=lambda one: (one.submission, one.restart))


@dataclass
class Submission:
    """One job array, as the journal has it."""

    number: int
    name: str  # the job's name, unique
    cells: list[str]  # ids, by task index
    fingerprints: list[str]
    job: str = ""  # the scheduler's id
    outcome: str = "intent"  # then "submitted", "refused" or "abandoned"
    message: str = ""  # why it was refused
    cancelled: bool = False
    at: float = 0.0  # this machine's clock at the intent
    nodes: dict[int, str] = field(default_factory=dict)  # where tasks were seen


class Folder:
    """A run's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.journal = path / "journal.jsonl"

    @property
    def run(self) -> str:
        """The run's identity, zeros before `create`. Raises Problem if the folder belongs to another version."""
        found = read_json(self.path / "run.json")
        if found is None:
            return NO_RUN
        if found.get("version") != VERSION or not re.fullmatch(r"[0-9a-f]{8}", str(found.get("run"))):
            raise Problem(f"{self.path}/run.json: written by another version of erabench; set folder in the fleet file")
        return str(found["run"])

    @property
    def place(self) -> str:
        """Where its jobs and results are (`Fleet.place`), "" if that is not known."""
        return str((read_json(self.path / "run.json") or {}).get("place") or "")

    def create(self, place: str) -> None:
        """Give a new folder its identity. Raises Problem if the folder holds something else."""
        if self.run == NO_RUN:
            if any(not name.startswith(".") for name in os.listdir(self.path)):
                raise Problem(f"{self.path}: is not a fleet's folder (no readable run.json); set another folder")
            write_json(self.path / "run.json", {"version": VERSION, "run": secrets.token_hex(4), "place": place})

    def exists(self) -> bool:
        """Whether anything was submitted from here."""
        return self.journal.exists()

    def hold(self) -> contextlib.AbstractContextManager[int]:
        """Be the only one who changes the run; yields a descriptor for children that must keep it held."""
        text = f"erabench: another command is working in {self.path}; waiting for it to end"
        return locked(self.path / ".lock", lambda: print(text, file=sys.stderr))

    def append(self, **event: Any) -> None:
        """Add an event to the journal, on disk when this returns. Raises OSError."""
        line = json.dumps(event, sort_keys=True, allow_nan=False).encode() + b"\n"
        descriptor = os.open(self.journal, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":  # a writer was killed within its line
                line = b"\n" + line
            if os.write(descriptor, line) != len(line):
                raise OSError(errno.ENOSPC, "the disk is full", str(self.journal))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def submissions(self) -> list[Submission]:
        """Return the submissions in the journal, oldest first. A cut line is skipped: its action did not follow."""
        try:
            lines = self.journal.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        found: dict[int, Submission] = {}
        for line in lines:
            with contextlib.suppress(KeyError, TypeError, ValueError, AttributeError):
                _apply(json.loads(line), found)
        return [found[number] for number in sorted(found)]

    def cells(self) -> list[Cell]:
        """Return the plan of the last `make fleet`. Raises Problem if it cannot be read."""
        found = read_json(self.path / "plan.json") or {}
        try:
            return [Cell.from_json(cell) for cell in found["cells"]]
        except (KeyError, TypeError, AttributeError):
            raise Problem(f"{self.path}/plan.json: cannot be read; run make fleet to write it again") from None

    def write_cells(self, cells: list[Cell]) -> None:
        """Keep the plan."""
        write_json(self.path / "plan.json", {"version": VERSION, "cells": [asdict(cell) for cell in cells]})

    def cell(self, id: str) -> Path:
        """Return the folder of a cell's attempts."""
        return self.path / "cells" / id

    def submission(self, number: int) -> Path:
        """Return the folder of a submission."""
        return self.path / "submissions" / f"{number:04d}"

    def abandon(self, number: int) -> None:
        """Keep a job that may still reach the scheduler from running."""
        atomic_write(self.submission(number) / "abandoned", "")
        self.append(event="abandoned", submission=number)


def _apply(event: dict[str, Any], found: dict[int, Submission]) -> None:
    """Apply an event of the journal. Raises KeyError, TypeError, ValueError or AttributeError if it is damaged."""
    what, number = event["event"], int(event.get("submission", 0))
    if what == "intent":
        cells, fingerprints = list(event["cells"]), list(event["fingerprints"])
        found[number] = Submission(number, event["name"], cells, fingerprints, at=float(event.get("at", 0)))
    elif what == "cancel":
        for cancelled in found.keys() & set(event["submissions"]):
            found[cancelled].cancelled = True
    elif what == "seen":
        found[number].nodes.update({int(task): str(node) for task, node in event["nodes"].items()})
    elif what in ("submitted", "refused", "abandoned"):
        one = found[number]
        one.outcome, one.job, one.message = what, str(event.get("job", one.job)), str(event.get("message", ""))
