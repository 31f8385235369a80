"""``make bench`` and ``make tune``: plan, prepare, fetch, measure in rounds, and make the page."""

from __future__ import annotations

import os
import random
import re
import shutil
from argparse import Namespace
from collections.abc import Callable, Iterable
from pathlib import Path

from erabench import data, options, page
from erabench.bench.rounds import Outcome, Row, run_rounds
from erabench.bench.venvs import VenvEngine
from erabench.choose import Choice, choose
from erabench.containers import Containers
from erabench.containers.image import BaseUnavailable
from erabench.engine import Engine
from erabench.environments import locks
from erabench.frameworks import datasets, select, select_nets, tunable
from erabench.hardware import gpus, machine_name
from erabench.terminal import say
from images.stack import Problem, frameworks
from images.stack import commit as project_commit

OK, ROW_FAILED, NOT_PREPARED, INTERRUPTED = 0, 1, 2, 130


def bench(asked: Namespace, tune: bool = False) -> int:
    """Measure the selected rows and write the page; return the exit status. Raises Problem for a wrong argument."""
    chosen = select(options.listed(asked.MODEL))
    if tune:
        chosen = tunable(chosen, f"MODEL={asked.MODEL}")
    return measure(asked, chosen, ["--tune"] if tune else [])


def compare_frameworks(asked: Namespace) -> int:
    """Measure one net in every framework, prove that it is the same, and write the page; return the exit status.

    A framework that nobody named and that the stack has no lock for is left out. With TUNED=1, each framework's speed
    settings are tried too. Raises Problem for a wrong argument.
    """
    chosen = select_nets(options.listed(asked.NET), options.listed(asked.FRAMEWORK))
    if not asked.FRAMEWORK:
        stack = choose(asked.ENGINE, asked.STACK).stack
        for name in sorted(chosen.keys() - set(frameworks(stack))):
            say(f"{name}: stack {stack} has no lock for it; left out: {', '.join(chosen.pop(name))}")
    given = " ".join(f"{name}={value}" for name in ("NET", "FRAMEWORK") if (value := getattr(asked, name)))
    to_tune = tunable(chosen, given) if options.switched_on("TUNED") else {}
    status = measure(asked, chosen, ["--prove"])
    for references in Path(asked.RESULTS or "results").glob("*/*/.checkpoints/references"):
        shutil.rmtree(references, ignore_errors=True)
    return max(status, measure(asked, to_tune, ["--tune"])) if to_tune and status != INTERRUPTED else status


def measure(asked: Namespace, chosen: dict[str, list[str]], kind: list[str]) -> int:
    """Measure these rows in rounds, or tune them, and write the page; return the exit status. Raises Problem."""
    arguments = [*checked(asked), *kind]
    results = options.writable("RESULTS", Path(asked.RESULTS or "results"))
    choice = choose(asked.ENGINE, asked.STACK)
    say(str(choice))
    locks.host()
    engine, stack, ready = prepare(choice, chosen, asked, results)
    status = OK if len(ready) == len(chosen) else NOT_PREPARED
    if ready:
        fetch(datasets(ready), options.data_folder(asked))
        arguments += ["--stack", stack, "--engine", engine.name, "--commit", commit()]
        seed = random.SystemRandom().randrange(2**31)
        outcome = run_rounds(engine.run, ready, arguments, seed, options.switched_on("FORCE"))
        status = max(status, summarize(outcome))
    if any(results.glob("*/*/*.json")):
        status = max(status, page.make(asked))
    return status


def checked(asked: Namespace) -> list[str]:
    """The runners' arguments for what was asked. Raises Problem for the first value that is wrong."""
    found = options.listed(asked.DEVICE) or ["cpu", *(["gpu"] if gpus()[0] else [])]
    devices = [options.one_of("DEVICE", device, options.DEVICES) for device in found]
    profile = options.one_of("PROFILE", asked.PROFILE or "quick", options.PROFILES)
    machine = asked.MACHINE or machine_name()
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", machine):
        raise Problem(f"MACHINE={machine}: cannot name a folder; use letters, digits, '.', '_' and '-'")
    if asked.THREADS and not (asked.THREADS.isdecimal() and int(asked.THREADS)):
        raise Problem(f"THREADS={asked.THREADS}: give a number from 1, or leave it out")
    threads = ["--threads", asked.THREADS] if asked.THREADS else []
    return ["--devices", ",".join(devices), "--profile", profile, "--machine", machine, *threads]


def prepare(
    choice: Choice, chosen: dict[str, list[str]], asked: Namespace, results: Path
) -> tuple[Engine, str, dict[str, list[str]]]:
    """Prepare the engine; return it with its stack and the frameworks that are ready. Raises Problem.

    Without ENGINE, an engine that cannot get a base image is replaced by virtual environments. For these, the machine
    may ask for another stack.
    """
    engine = opened(choice, results, options.data_folder(asked))
    ready = {}
    for framework, rows in chosen.items():
        try:
            if framework not in frameworks(choice.stack):
                raise Problem(f"stack {choice.stack} has no lock for {framework}; its rows are left out")
            engine.prepare(framework)
            ready[framework] = rows
        except BaseUnavailable as problem:
            if asked.ENGINE:
                raise
            say(f"{str(problem).splitlines()[0]}; continuing with ENGINE=venv")
            return prepare(choose("venv", asked.STACK), chosen, asked, results)
        except Problem as problem:
            say(str(problem))
    return engine, choice.stack, ready


def opened(choice: Choice, results: Path, cache: Path) -> Engine:
    """The chosen engine. Raises Problem."""
    if choice.engine == "venv":
        return VenvEngine(choice.stack, results, cache)
    return Containers(choice.engine, choice.stack, results, cache, bool(gpus()[0]))


def fetch(names: Iterable[str], folder: Path) -> None:
    """Fetch the data sets. If one is not available, its rows fail with a reason; the others are measured."""
    for problem in data.fetch(names, folder, say).values():
        if problem:
            say(problem)


def commit() -> str:
    """The project's commit; that of code which came to a fleet's node without its repository is in a variable."""
    return os.environ.pop("ERABENCH_COMMIT", "") or project_commit()


def by_device(row: Row) -> str:
    """What a row is called in a message: ``lstm cpu``."""
    _, key, device = row
    return f"{key} {device}"


def summarize(outcome: Outcome, name: Callable[[Row], str] = by_device) -> int:
    """Print which rows failed; return the exit status."""
    failed = [
        f"{name(row)} ({now.status.replace('_', ' ')})"
        for row, now in outcome.rows.items()
        if now.status not in ("ok", "skipped")
    ]
    if failed:
        say(f"{len(failed)} of {len(outcome.rows)} rows failed: {', '.join(failed)}; the page has the reasons")
    if outcome.interrupted:
        return INTERRUPTED
    return ROW_FAILED if failed or outcome.broken else OK
