"""The engine of ``make eras``: it runs editions such as "2018/keras", each in the environment of its year."""

from __future__ import annotations

import functools
import json
import subprocess
import time
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from erabench import options
from erabench.bench.rounds import Measured, duration, parse
from erabench.bench.run import opened
from erabench.choose import choose, has_python
from erabench.engine import Ended, Engine, clean, supervise
from erabench.environments import locks
from erabench.eras.plan import Editions, Journal
from erabench.eras.room import Room, exists, remove
from erabench.terminal import say
from images.files import read_json
from images.stack import Problem, settings, without_paths

REASONS = {  # key -> names of values, as in runners/contract.py
    "python-missing": ("version",),
    "environment-failed": ("text",),
}
PYTHON_TIMEOUT_S = 600.0  # for uv to fetch an interpreter


class PythonMissing(Problem):
    """There is no Python of that time, no container engine in its place, and uv cannot get one."""


class EraEngine:
    """Prepares an edition's environment when it is run; the environments stay as long as the disk has room."""

    def __init__(self, asked: Namespace, editions: Editions, results: Path, machine: str, journal: Journal) -> None:
        self.asked, self.results, self.machine, self.journal = asked, results, machine, journal
        self.engines: dict[str, Engine] = {}  # by year
        self.room = Room(editions)
        self.pace = Pace(list(editions))

    def run(self, framework: str, arguments: Sequence[str]) -> Ended:
        """Run the rows of the edition ``framework``, unless the journal has the report of this very call."""
        edition, number = framework, value(arguments, "--round")
        if not all(self.record(edition, *one).is_file() for one in measured_by(arguments)):
            self.journal.forget(edition)
        known = self.journal.find(number, edition)
        if known is not None:
            self.pace.note(edition, number, known.output, None)
            return known
        say(self.pace.line(edition, number))
        began = time.monotonic()
        year, _, name = edition.partition("/")
        try:
            engine = self.ready(year, name)
        except KeyboardInterrupt:
            return Ended(130, "")
        except Problem as problem:
            say(f"{year} {name}: {problem}")
            return self.absent(edition, problem, arguments)
        ended = engine.run(name, [*arguments, "--stack", year, "--engine", engine.name])
        if ended.status == 0 and parse(edition, ended.output):
            self.journal.finish(number, edition, ended.output.strip().splitlines()[-1])
        self.pace.note(edition, number, ended.output, time.monotonic() - began)
        return ended

    def ready(self, year: str, framework: str) -> Engine:
        """The year's engine with the framework's environment complete. Raises Problem."""
        if year not in self.engines:
            choice = choose(self.engine_for(year), year)
            self.engines[year] = opened(choice, self.results, options.data_folder(self.asked))
        engine = self.engines[year]
        if engine.name != "venv":
            engine.prepare(framework)
            return engine
        edition = f"{year}/{framework}"
        if not exists(edition):
            self.room.make(edition)
        try:
            engine.prepare(framework)
        except Problem as problem:
            if "disk is full" not in str(problem) or not self.room.make(edition, everything=True):
                remove(edition)  # what there is of it
                raise
            engine.prepare(framework)
        self.room.note(edition)
        return engine

    def engine_for(self, year: str) -> str:
        """ENGINE, else venv where there is a Python of that year, else a container engine. Raises PythonMissing."""
        if self.asked.ENGINE not in ("", "venv"):
            return str(self.asked.ENGINE)
        if has_python(year) or fetched_python(year):
            return "venv"
        found = self.asked.ENGINE or choose("", year).engine
        if found == "venv":
            version = settings(year)["PYTHON_VERSIONS"]
            raise PythonMissing(f"no Python {version} on this machine; install one (uv python install {version})")
        return str(found)

    def absent(self, edition: str, problem: Problem, arguments: Sequence[str]) -> Ended:
        """Record the edition's rows with the reason, but for those that have a good record; return their report."""
        year, _, framework = edition.partition("/")
        status, reason = "failed", {"key": "environment-failed", "values": {"text": first_line(str(problem))}}
        if isinstance(problem, PythonMissing):
            version = {"version": settings(year)["PYTHON_VERSIONS"]}
            status, reason = "skipped", {"key": "python-missing", "values": version}
        engine = self.engines[year].name if year in self.engines else "venv"
        lacking: dict[str, list[str]] = {}
        for row, device in measured_by(arguments):
            if (read_json(self.record(edition, row, device)) or {}).get("status") != "ok":  # a good one stays
                lacking.setdefault(device, []).append(row)
        for device, rows in lacking.items():
            words = [str(locks.host().interpreter), "-s", "-m", "runners", framework, *arguments]
            words[words.index("--rows") + 1], words[words.index("--devices") + 1] = ",".join(rows), device
            words += ["--stack", year, "--engine", engine, "--results", str(self.results)]
            words += ["--data", str(options.data_folder(self.asked))]
            ended = supervise([*words, "--absent", json.dumps({"status": status, "reason": reason})], clean())
            if ended.status not in (0, 1):
                return ended
        nothing = Measured(status, 0, 0, False, 0.0, 0.0)._asdict()
        report = [{"row": row, "device": device, **nothing} for row, device in measured_by(arguments)]
        self.pace.wanted[edition] = 0
        return Ended(1, json.dumps({"rows": report}))

    def record(self, edition: str, row: str, device: str) -> Path:
        """The file of a row's result on a device."""
        return self.results / self.machine / edition.partition("/")[0] / f"{row}.{device}.json"


class Pace:
    """How far the rounds have come, and the time left: a round of a framework takes as long as its last one did."""

    def __init__(self, editions: Sequence[str]) -> None:
        self.done = dict.fromkeys(editions, 0)  # rounds
        self.wanted: dict[str, int] = {}  # rounds of an edition, once a report says how many processes its rows want
        self.seconds: dict[str, float] = {}  # by framework

    def line(self, edition: str, number: str) -> str:
        """What is about to start: year, framework, round, and the time left where it can be estimated."""
        year, _, framework = edition.partition("/")
        at = f"{year} {framework}, round {number}"
        if not self.seconds:
            return at
        most, mean = max(self.wanted.values()), sum(self.seconds.values()) / len(self.seconds)
        left = sum(
            max(0, self.wanted.get(other, most) - done) * self.seconds.get(other.partition("/")[2], mean)
            for other, done in self.done.items()
        )
        return f"{at} of {most}; about {duration(left)} left"

    def note(self, edition: str, number: str, output: str, seconds: float | None) -> None:
        """Note a round; ``seconds`` None if its report was already there."""
        self.done[edition] = int(number)
        report = parse(edition, output).values()
        self.wanted[edition] = max((now.wanted for now in report if now.status == "ok"), default=0)
        if seconds is not None:
            self.seconds[edition.partition("/")[2]] = seconds


@functools.cache
def fetched_python(year: str) -> bool:
    """Whether uv could get a Python for the year's locks."""
    version = settings(year)["PYTHON_VERSIONS"].split()[0]
    say(f"no Python {version} for {year} on this machine; asking uv for one")
    command = [str(locks.uv()), "python", "install", "--quiet", version]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PYTHON_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0 and has_python(year)


def value(arguments: Sequence[str], option: str) -> str:
    """The value of an option."""
    return arguments[arguments.index(option) + 1]


def measured_by(arguments: Sequence[str]) -> list[tuple[str, str]]:
    """The rows that a call is for, each on each device."""
    rows, devices = (value(arguments, option).split(",") for option in ("--rows", "--devices"))
    return [(row, device) for row in rows for device in devices]


def first_line(text: str) -> str:
    """The first line, for a record: without the machine's folders."""
    return without_paths(text.splitlines()[0])[:500]
