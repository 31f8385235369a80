"""The commands: fleet, fleet-status, fleet-gather, fleet-cancel. Options default to the variables of their names."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path

from fleet.config import Fleet, load
from fleet.files import Unanswered, printable, tail
from fleet.folder import NO_RUN, Folder, attempts
from fleet.results.gather import gather
from fleet.schedulers import Scheduler
from fleet.schedulers.kubernetes import KubernetesJobs
from fleet.schedulers.slurm import SlurmArrays
from fleet.status import CellStatus, survey
from fleet.submit import current, dry_run, settle_intents, submit
from fleet.table import render
from images.stack import ROOT, Problem

DEFAULTS = {"FLEET": "fleet.toml", "RESULTS": "results", "SITE": "site"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns 0, 1 if a part of it could not be done, or 2."""
    parser = argparse.ArgumentParser(prog="python3 -m fleet", description=__doc__)
    parsers = parser.add_subparsers(dest="command", required=True)
    for name, (_, variables) in COMMANDS.items():
        one = parsers.add_parser(name)
        for variable in variables:
            value = os.environ.get(variable) or DEFAULTS.get(variable, "")
            one.add_argument(f"--{variable.lower()}", dest=variable, default=value)
    asked = parser.parse_args(arguments)
    try:
        status = COMMANDS[asked.command][0](asked)
        sys.stdout.flush()  # here, where it is no error that the reader has gone
        return status
    except Problem as problem:
        message = str(problem)
    except KeyboardInterrupt:
        print("erabench: stopped; run the same command again to continue", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of the output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if asked.command == "fleet-status":
            return 0  # it has seen enough
        message = "stopped, since nothing reads the output; run the same command again to continue"
    except OSError as error:
        cure = "free some space or make it accessible, then run the same command again"
        message = f"{error.filename or 'a file'}: {error.strerror or error}; {cure}"
    for line in message.splitlines():
        print(f"erabench: {printable(line)}", file=sys.stderr)
    return 2


def _open(asked: Namespace, submitted: bool = True) -> tuple[Fleet, Folder, Scheduler]:
    """Open the run of a fleet file. Raises Problem if nothing was submitted yet, for commands that need a run."""
    fleet = load(Path(asked.FLEET))
    folder = Folder(fleet.folder)
    if submitted and not folder.exists():
        raise Problem(f"{folder.path}: nothing was submitted yet; run: make fleet FLEET={asked.FLEET}")
    if submitted and folder.run == NO_RUN:
        raise Problem(f"{folder.path}/run.json: missing or damaged; restore it, or set another folder")
    if folder.place not in ("", fleet.place):
        change = f"the run in {folder.path} was submitted through {folder.place}, but the file now has {fleet.place}"
        raise Problem(f"{fleet.path}: {change}; undo that edit, or set another folder")
    if fleet.scheduler == "slurm":
        return fleet, folder, SlurmArrays(fleet, folder)
    return fleet, folder, KubernetesJobs(fleet, folder)


def say(text: str) -> None:
    """Print a line of progress."""
    print(printable(text), flush=True)


def run_fleet(asked: Namespace) -> int:
    """Submit what is missing."""
    fleet, folder, scheduler = _open(asked, submitted=False)
    if asked.DRY not in ("", "0"):
        return dry_run(fleet, folder, scheduler, print)
    return submit(fleet, folder, scheduler, asked.AGAIN not in ("", "0"), say)


def run_status(asked: Namespace) -> int:
    """Print the table, or one cell's attempts and their logs."""
    fleet, folder, scheduler = _open(asked)
    try:
        if asked.CELL:
            return _print_cell(asked.CELL, folder, scheduler)
        found = survey(folder, folder.cells(), scheduler)
    except Unanswered as problem:
        raise Unanswered(f"{problem}\nthe cells' states are unknown until it answers; nothing was changed") from None
    title = f"{fleet.path}: {fleet.scheduler}, profile {fleet.profile}, run {folder.run} in {folder.path}"
    print(render(found.cells, title, _log_command(asked, found.cells)))
    return 0


def _log_command(asked: Namespace, statuses: Sequence[CellStatus]) -> str:
    bad = [one.cell.id for one in statuses if one.attempt and one.kind not in ("done", "running", "queued")]
    return f"make fleet-status FLEET={asked.FLEET} CELL={[*bad, *(one.cell.id for one in statuses)][0]}"


def _print_cell(id: str, folder: Folder, scheduler: Scheduler) -> int:
    """Print what is on disk, after bringing a log that lies elsewhere; without a scheduler's answer, what there is."""
    cells = [cell for cell in folder.cells() if cell.id == id]
    if not cells:
        raise Problem(f"CELL={id}: no such cell; `make fleet-status` lists them as type/stack.framework")
    running = ""
    try:
        with folder.hold():
            (one,) = current(folder, cells, scheduler, say).cells
        say(f"{id}: {one.kind}" + (f" ({one.reason})" if one.reason else ""))
        if one.kind == "running" and one.submission:
            running = scheduler.log(one.submission, one.task)
    except Problem as problem:
        say(f"warning  {problem}; the state below is the last one known")
    for attempt in attempts(folder.cell(id)):
        state = attempt.state
        print(f"attempt  {attempt.path}")
        words = [state.get("phase"), state.get("outcome"), state.get("reason")]
        say(f"state    {', '.join(str(word) for word in words if word)} on {attempt.node or 'an unknown node'}")
        _print_log(tail(attempt.path / "log"))
    for submission in folder.submissions():
        if id in submission.cells:
            task = submission.cells.index(id)
            _print_log(tail(folder.submission(submission.number) / f"{task}.log"), f"job {submission.job}_{task}: ")
    _print_log(running)
    return 0


def _print_log(text: str, before: str = "  ") -> None:
    for line in text.splitlines():
        say(f"{before}{line}")


def run_gather(asked: Namespace) -> int:
    """Gather the records and make the page."""
    _, folder, scheduler = _open(asked)
    results = Path(asked.RESULTS).absolute()
    with folder.hold():
        settle_intents(folder, scheduler, say)
        found = current(folder, folder.cells(), scheduler, say)
        status = gather(folder, found.cells, results, say)
    waiting = sum(one.kind in ("queued", "running", "planned") for one in found.cells)
    if waiting:
        say(f"         {waiting} cells are not measured yet; gather again when they are")
    return max(status, make_page(results, Path(asked.SITE).absolute(), asked.LOCALE))


def make_page(results: Path, site: Path, locale: str) -> int:
    """Have the driver make the page; returns its exit status, 2 if a signal ended it."""
    command = [sys.executable, "-m", "erabench", "page", "--results", str(results), "--site", str(site)]
    command += ["--locale", locale] if locale else []
    environ = {key: value for key, value in os.environ.items() if key not in ("MACHINE", "STACK", "RESULTS", "SITE")}
    status = subprocess.run(command, cwd=ROOT, env=environ, check=False).returncode
    return status if status >= 0 else 2


def run_cancel(asked: Namespace) -> int:
    """Stop everything that is queued or running; what is finished stays."""
    fleet, folder, scheduler = _open(asked)
    with folder.hold():
        settle_intents(folder, scheduler, say)
        found = survey(folder, folder.cells(), scheduler)
        active = [one for one in found.submissions if one.outcome == "submitted"]  # again, if a cancel was cut off
        folder.append(event="cancel", submissions=[one.number for one in active])
        for problem in scheduler.cancel(active):
            say(f"warning  {problem}")
        after = current(folder, folder.cells(), scheduler, say)
    print(render(after.cells, f"{fleet.path}: cancelled", _log_command(asked, after.cells)))
    return 0


COMMANDS: dict[str, tuple[Callable[[Namespace], int], tuple[str, ...]]] = {
    "fleet": (run_fleet, ("FLEET", "DRY", "AGAIN")),
    "fleet-status": (run_status, ("FLEET", "CELL")),
    "fleet-gather": (run_gather, ("FLEET", "RESULTS", "SITE", "LOCALE")),
    "fleet-cancel": (run_cancel, ("FLEET",)),
}
