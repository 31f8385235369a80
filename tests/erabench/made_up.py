"""Made-up engines, and a bench with them: what the driver does with what the runners report."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import pytest

from erabench import data, page
from erabench.bench import run as module
from erabench.choose import Choice
from erabench.engine import Ended
from erabench.environments import locks
from erabench.options import OPTIONS
from images.stack import Problem


def report(*rows: tuple[str, str, int, int]) -> str:
    """What the runners print about rows on the CPU: key, status, processes, and how many are wanted."""
    fields = ("row", "status", "processes", "wanted")
    found = [{**dict(zip(fields, row, strict=True)), "device": "cpu", "timing_seconds": 1.0} for row in rows]
    return json.dumps({"rows": found})


class Engine:
    """An engine that prepares or refuses, and whose rows end with a status."""

    def __init__(self, name: str) -> None:
        self.name, self.status = name, "ok"
        self.refuses: dict[str, Problem] = {}
        self.ran: dict[str, list[str]] = {}

    def prepare(self, framework: str) -> None:
        if framework in self.refuses:
            raise self.refuses[framework]

    def run(self, framework: str, arguments: Sequence[str]) -> Ended:
        self.ran[framework] = list(arguments)
        if self.status == "interrupted":
            return Ended(130, report())
        rows = arguments[arguments.index("--rows") + 1].split(",")
        return Ended(0, report(*((row, self.status, 1, 1) for row in rows)))


class Bench:
    """A bench with made-up engines, and what came of it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.engines = {"venv": Engine("venv"), "docker": Engine("docker")}
        self.fetched: list[str] = []
        self.problems: dict[str, str | None] = {}
        self.pages = 0
        self.folder = folder
        monkeypatch.setattr(module, "choose", lambda engine, _: Choice(engine or "docker", "why", "cpu", "why"))
        monkeypatch.setattr(module, "opened", lambda choice, *_: self.engines[choice.engine])
        monkeypatch.setattr(locks, "host", lambda: None)
        monkeypatch.setattr(data, "fetch", self.fetch)
        monkeypatch.setattr(page, "make", self.page)

    def fetch(self, names: Sequence[str], *_: object) -> dict[str, str | None]:
        self.fetched = list(names)
        return self.problems

    def page(self, *_: object) -> int:
        self.pages += 1
        return 0

    def run(self, tune: bool = False, **variables: str) -> int:
        """The exit status of a bench that has results of earlier ones."""
        (self.folder / "m" / "cpu").mkdir(parents=True, exist_ok=True)
        (self.folder / "m" / "cpu" / "ar.cpu.json").touch()
        return module.bench(self.asked(**variables), tune)

    def asked(self, **variables: str) -> Namespace:
        """These variables, as a command of the driver gets them."""
        return Namespace(**{**dict.fromkeys(OPTIONS, ""), "RESULTS": str(self.folder), **variables})
