"""Measure in rounds: every pass adds one fresh process to each row that lacks some, in a shuffled order."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from erabench.engine import Ended
from erabench.terminal import say

Row = tuple[str, str, str]  # framework, key, device
Run = Callable[[str, Sequence[str]], Ended]  # of a framework's runners, with their arguments


class Measured(NamedTuple):
    """One row on one device, as the runners report it after a call."""

    status: str
    processes: int  # so far
    wanted: int
    timing_seconds: float  # expected for one more process


class Outcome(NamedTuple):
    """The result of all rounds."""

    rows: dict[Row, Measured]
    broken: list[str]  # frameworks whose runner ended without a report, or gave up
    interrupted: bool


def run_rounds(run: Run, chosen: dict[str, list[str]], arguments: Sequence[str], seed: int, force: bool) -> Outcome:
    """Call the runners for each framework, round after round, until no row that works lacks a process."""
    rows: dict[Row, Measured] = {}
    broken: list[str] = []
    pending, number = dict(chosen), 1
    while pending:
        grown = set()
        order = list(pending)
        random.Random(f"{seed} {number}").shuffle(order)  # the same for the same seed
        for framework in order:
            own = ["--rows", ",".join(pending[framework]), "--round", str(number), "--order-seed", str(seed)]
            again = ["--force"] if force and number == 1 else []
            ended = run(framework, [*own, *again, *arguments])
            report = parse(framework, ended.output)
            grown |= {row for row, now in report.items() if row not in rows or now.processes > rows[row].processes}
            rows.update(report)
            if ended.status == 130:
                return Outcome(rows, broken, True)
            if not report or ended.status not in (0, 1):
                broken.append(framework)
                say(f"{framework}: the runners ended with status {ended.status}{'' if report else ' and no report'}")
        lacking = {
            row: now for row, now in rows.items() if row in grown and now.status == "ok" and now.processes < now.wanted
        }
        pending = {}
        for framework, key, _ in lacking:
            pending[framework] = list(dict.fromkeys([*pending.get(framework, []), key]))
        if lacking:
            say(progress(lacking, number))
        number += 1
    return Outcome(rows, broken, False)


def parse(framework: str, output: str) -> dict[Row, Measured]:
    """The rows of a runner's report, its last line; nothing if it ended without one."""
    try:
        rows: list[dict[str, Any]] = json.loads(output.strip().splitlines()[-1])["rows"]
        fields = Measured._fields
        return {(framework, row["row"], row["device"]): Measured(*(row[name] for name in fields)) for row in rows}
    except (IndexError, KeyError, TypeError, ValueError):
        return {}


def progress(lacking: dict[Row, Measured], number: int) -> str:
    """Return how many rounds are done, and the estimated time for the rest."""
    rounds = number + max(now.wanted - now.processes for now in lacking.values())
    left = sum((now.wanted - now.processes) * now.timing_seconds for now in lacking.values())
    return f"round {number} of {rounds} is done; about {duration(left)} left"


def duration(seconds: float) -> str:
    """Return seconds in a readable unit."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
