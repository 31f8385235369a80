"""The engine of ``make eras``: it runs editions such as "2018/keras", each in the environment of its year."""

from __future__ import annotations

import functools
import json
import subprocess
import time
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path

from erabench import options
from erabench.bench.rounds import Measured, Row, duration, parse
from erabench.bench.run import opened
from erabench.choose import choose, has_python
from erabench.containers.image import ImageProblem
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
        """Run those rows of the edition ``framework`` that the journal has no report of for this round."""
        edition, number, wanted = framework, value(arguments, "--round"), measured_by(framework, arguments)
        for row in wanted:
            if not self.record(row).is_file():
                self.journal.forget(row)
        known = self.journal.find(number, wanted)
        lacking = [row for row in wanted if row not in known]
        if not lacking:
            self.pace.note(edition, number, known, None)
            return Ended(0, as_output(known))
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
        status = 0
        for call in calls(arguments, lacking):
            ended = engine.run(name, [*call, "--stack", year, "--engine", engine.name])
            report = parse(edition, ended.output)
            known |= report
            if not report or ended.status not in (0, 1):
                break
            self.journal.finish(number, report)
            status = max(status, ended.status)
        else:
            ended = Ended(status, as_output(known))
        self.pace.note(edition, number, known, time.monotonic() - began)
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
        status, reason = "failed", {"key": "environment-failed", "values": {"text": brief(problem)}}
        if isinstance(problem, PythonMissing):
            version = {"version": settings(year)["PYTHON_VERSIONS"]}
            status, reason = "skipped", {"key": "python-missing", "values": version}
        engine = self.engines[year].name if year in self.engines else "venv"
        rows = measured_by(edition, arguments)
        lacking = [row for row in rows if (read_json(self.record(row)) or {}).get("status") != "ok"]  # a good one stays
        for call in calls(arguments, lacking):
            words = [str(locks.host().interpreter), "-s", "-m", "runners", framework, *call]
            words += ["--stack", year, "--engine", engine, "--results", str(self.results)]
            words += ["--data", str(options.data_folder(self.asked))]
            ended = supervise([*words, "--absent", json.dumps({"status": status, "reason": reason})], clean())
            if ended.status not in (0, 1):
                return ended
        self.pace.wanted[edition] = 0
        return Ended(1, as_output(dict.fromkeys(rows, Measured(status, 0, 0, 0.0))))

    def record(self, row: Row) -> Path:
        """The file of a row's result on a device."""
        edition, key, device = row
        return self.results / self.machine / edition.partition("/")[0] / f"{key}.{device}.json"


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

    def note(self, edition: str, number: str, report: Mapping[Row, Measured], seconds: float | None) -> None:
        """Note a round; ``seconds`` None if its report was already there."""
        self.done[edition] = int(number)
        self.wanted[edition] = max((now.wanted for now in report.values() if now.status == "ok"), default=0)
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


def measured_by(edition: str, arguments: Sequence[str]) -> list[Row]:
    """The rows that a call is for, each on each device."""
    rows, devices = (value(arguments, option).split(",") for option in ("--rows", "--devices"))
    return [(edition, row, device) for row in rows for device in devices]


def calls(arguments: Sequence[str], rows: Sequence[Row]) -> list[list[str]]:
    """The call's arguments for these of its rows only: one call, unless some rows lack other devices than the rest."""
    devices: dict[str, list[str]] = {}  # by row
    for _, row, device in rows:
        devices.setdefault(row, []).append(device)
    groups: dict[str, list[str]] = {}  # devices -> rows
    for row, names in devices.items():
        groups.setdefault(",".join(names), []).append(row)
    found = []
    for joined, keys in groups.items():
        words = list(arguments)
        words[words.index("--rows") + 1], words[words.index("--devices") + 1] = ",".join(keys), joined
        found.append(words)
    return found


def as_output(report: Mapping[Row, Measured]) -> str:
    """A report as the runners print it."""
    rows = [{"row": key, "device": device, **now._asdict()} for (_, key, device), now in report.items()]
    return json.dumps({"rows": rows})


def brief(problem: Problem) -> str:
    """A problem in one line, for a record: without a log, the machine's folders, and the host of a registry."""
    if isinstance(problem, ImageProblem):
        return problem.brief
    return without_paths(str(problem).splitlines()[0])[:500]
