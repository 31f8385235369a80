"""The commands: fleet, fleet-status, fleet-gather, fleet-cancel. Options default to the variables of their names."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fleet.config import Fleet, load
from fleet.files import Problem, Unanswered, printable, tail
from fleet.folder import Folder, attempts
from fleet.plan import Cell
from fleet.results.gather import gather
from fleet.schedulers import Scheduler
from fleet.schedulers.kubernetes import KubernetesJobs
from fleet.schedulers.slurm import SlurmArrays
from fleet.status import CellStatus, survey
from fleet.submit import current, dry_run, settle_intents, submit
from fleet.table import render

ROOT = Path(__file__).resolve().parent.parent
OK, PARTLY, NOT_DONE = 0, 1, 2


class Command(NamedTuple):
    """A subcommand."""

    run: Callable[[Namespace], int]
    help: str
    variables: tuple[str, ...]


VARIABLES = {
    "FLEET": ("fleet file", "fleet.toml"),
    "DRY": ("1 prints what would be submitted", ""),
    "AGAIN": ("1 submits failed cells too, and those beyond their retries", ""),
    "CELL": ("a cell whose state and log to print, such as h100/current.keras", ""),
    "RESULTS": ("folder of the results", "results"),
    "SITE": ("folder of the page", "site"),
    "LOCALE": ("language of the page, ko or en", ""),
}
SWITCHES = ("DRY", "AGAIN")


def add_subcommands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands to a parser; each sets ``handler``, which takes the parsed arguments and returns a status."""
    for name, command in COMMANDS.items():
        description = f"{command.help[0].upper()}{command.help[1:]}."
        parser = subparsers.add_parser(name, help=command.help, description=description)
        for variable in command.variables:
            text, default = VARIABLES[variable]
            shown = f"{text} (default: {default})" if default else text
            switch: dict[str, Any] = {"nargs": "?", "const": "1"} if variable in SWITCHES else {}
            value = os.environ.get(variable) or default
            parser.add_argument(f"--{variable.lower()}", dest=variable, help=shown, default=value, **switch)
        parser.set_defaults(handler=_guarded(command.run))


def _guarded(run: Callable[[Namespace], int]) -> Callable[[Namespace], int]:
    def handler(asked: Namespace) -> int:
        try:
            return run(asked)
        except (Problem, OSError) as problem:
            for line in str(problem).splitlines():
                print(f"erabench: {printable(line)}", file=sys.stderr)
            return NOT_DONE
        except KeyboardInterrupt:
            print("erabench: stopped; run the same command again to continue", file=sys.stderr)
            return 130

    return handler


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command on its own: python3 -m fleet fleet-status --fleet fleet.toml."""
    parser = argparse.ArgumentParser(prog="python3 -m fleet", description=__doc__)
    add_subcommands(parser.add_subparsers(dest="command", required=True))
    asked = parser.parse_args(arguments)
    return int(asked.handler(asked))


def _open(asked: Namespace) -> tuple[Fleet, Folder, Scheduler]:
    fleet = load(Path(asked.FLEET))
    folder = Folder(fleet.folder)
    if fleet.scheduler == "slurm":
        return fleet, folder, SlurmArrays(fleet, folder, ROOT)
    return fleet, folder, KubernetesJobs(fleet, folder, ROOT)


def _submitted(asked: Namespace) -> tuple[Fleet, Folder, Scheduler]:
    """Like ``_open``, for commands that need a run. Raises Problem if nothing was submitted."""
    fleet, folder, scheduler = _open(asked)
    if not folder.exists():
        raise Problem(f"{folder.path}: nothing was submitted yet; run: make fleet FLEET={asked.FLEET}")
    return fleet, folder, scheduler


def say(text: str) -> None:
    """Print a line of progress."""
    print(printable(text), flush=True)


def run_fleet(asked: Namespace) -> int:
    """Submit what is missing."""
    fleet, folder, scheduler = _open(asked)
    if asked.DRY not in ("", "0"):
        return dry_run(fleet, folder, scheduler, print)
    return submit(fleet, folder, scheduler, asked.AGAIN not in ("", "0"), say)


def run_status(asked: Namespace) -> int:
    """Print the table, or one cell's state and log."""
    fleet, folder, scheduler = _submitted(asked)
    cells = folder.cells()
    if asked.CELL:
        return _print_cell(asked.CELL, cells, folder, fleet)
    try:
        found = survey(folder, cells, scheduler)
    except Unanswered as problem:
        raise Unanswered(f"{problem}\nthe cells' states are unknown until it answers; nothing was changed") from None
    title = f"{fleet.path}: {fleet.scheduler}, profile {fleet.profile}, run {folder.run} in {folder.path}"
    print(render(found.cells, title, _log_command(asked, found.cells)))
    return OK


def _log_command(asked: Namespace, statuses: Sequence[CellStatus]) -> str:
    bad = [one.cell.id for one in statuses if one.attempt and one.kind not in ("done", "running", "queued")]
    return f"make fleet-status FLEET={asked.FLEET} CELL={[*bad, *(one.cell.id for one in statuses)][0]}"


def _print_cell(id: str, cells: Sequence[Cell], folder: Folder, fleet: Fleet) -> int:
    if id not in [cell.id for cell in cells]:
        raise Problem(f"CELL={id}: no such cell; `make fleet-status` lists them as type/stack.framework")
    for attempt in attempts(folder.cell(id)):
        state = attempt.state
        print(f"attempt  {attempt.path}")
        words = [state.get("phase"), state.get("outcome"), state.get("reason")]
        say(f"state    {', '.join(str(word) for word in words if word)} on {attempt.node or 'an unknown node'}")
        for line in tail(attempt.path / "log").splitlines():
            say(f"  {line}")
    for one in folder.submissions():
        if id in one.cells:
            said = tail(folder.submission(one.number) / f"{one.cells.index(id)}.log")
            for line in said.splitlines():
                say(f"job {one.job}_{one.cells.index(id)}: {line}")
    return OK


def run_gather(asked: Namespace) -> int:
    """Gather the records and make the page."""
    _, folder, scheduler = _submitted(asked)
    results = Path(asked.RESULTS).absolute()
    with folder.hold():
        settle_intents(folder, scheduler, say)
        found = current(folder, folder.cells(), scheduler, say)
        status = gather(folder, found.cells, results, ROOT, say)
    waiting = sum(one.kind in ("queued", "running", "planned") for one in found.cells)
    if waiting:
        say(f"         {waiting} cells are not measured yet; gather again when they are")
    return max(status, make_page(results, Path(asked.SITE).absolute(), asked.LOCALE))


def make_page(results: Path, site: Path, locale: str) -> int:
    """Have the driver make the page; returns its exit status."""
    command = [sys.executable, "-m", "erabench", "page", "--results", str(results), "--site", str(site)]
    command += ["--locale", locale] if locale else []
    environ = {key: value for key, value in os.environ.items() if key not in ("MACHINE", "STACK", "RESULTS", "SITE")}
    return subprocess.run(command, cwd=ROOT, env=environ, check=False).returncode


def run_cancel(asked: Namespace) -> int:
    """Stop everything that is queued or running; what is finished stays."""
    fleet, folder, scheduler = _submitted(asked)
    with folder.hold():
        settle_intents(folder, scheduler, say)
        found = survey(folder, folder.cells(), scheduler)
        active = [one for one in found.submissions if one.outcome == "submitted" and not one.cancelled]
        folder.append(event="cancel", submissions=[one.number for one in active])
        scheduler.cancel(active)
        after = current(folder, folder.cells(), scheduler, say)
    print(render(after.cells, f"{fleet.path}: cancelled", _log_command(asked, after.cells)))
    return OK


COMMANDS = {
    "fleet": Command(run_fleet, "measure on many machines through their scheduler", ("FLEET", "DRY", "AGAIN")),
    "fleet-status": Command(run_status, "show what became of each cell of a fleet", ("FLEET", "CELL")),
    "fleet-gather": Command(
        run_gather, "gather a fleet's results and write the page", ("FLEET", "RESULTS", "SITE", "LOCALE")
    ),
    "fleet-cancel": Command(run_cancel, "stop a fleet's jobs; finished rows are kept", ("FLEET",)),
}
