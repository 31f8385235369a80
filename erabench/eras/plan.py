"""What `make eras` measures, and how far it has come.

An edition is one framework of one year, "2018/keras". The journal lies beside the results, so that a bench over the
years that was stopped, or killed, continues with the same order and seed: only then are they measured side by side.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from erabench import options
from erabench.bench.rounds import Measured, Row
from erabench.frameworks import frameworks
from images import stack
from images.files import read_json, sha256_of, write_json
from images.stack import ROOT, RUNNERS, Problem

ROWS = ("lstm", "lstm-pytorch", "densenet-24x3", "ar", "ar-ols", "ar-polyfit", "sarimax")  # two cores: 70 minutes
NAME = ".eras.json"  # the report skips names that begin with a dot

Editions = dict[str, list[str]]  # edition -> its rows


def chosen(eras: str, nets: str, names: str) -> Editions:
    """The editions of the years, nets and frameworks that are listed. Raises Problem.

    Where nothing is listed they are those of all years, of ``ROWS``, and of all frameworks.
    """
    years = [options.one_of("ERA", year, stack.eras()) for year in options.listed(eras)] or stack.eras()
    by_row = {framework.name: framework.nets for framework in frameworks()}
    known = list(dict.fromkeys(net for rows in by_row.values() for net in rows.values()))
    wanted = [options.one_of("NET", net, known) for net in options.listed(nets)]
    only = [options.one_of("FRAMEWORK", name, list(by_row)) for name in options.listed(names)] or list(by_row)
    found = {}
    for year in sorted(years):
        for framework in (name for name in stack.frameworks(year) if name in only):
            rows = [row for row, net in by_row[framework].items() if (net in wanted if wanted else row in ROWS)]
            if rows:
                found[f"{year}/{framework}"] = rows
    if not found:
        asked = f"ERA={eras} NET={nets} FRAMEWORK={names}"
        raise Problem(f"{asked}: no framework with a lock in these years has rows of these nets; choose others")
    return found


def identity(editions: Editions, arguments: Sequence[str]) -> str:
    """A hash of all that decides what is measured: rows, arguments, locks, and the runners' code."""
    locks = (lock for edition in editions for lock in stack.locks(*edition.split("/")))
    hashes = {str(file.relative_to(ROOT)): sha256_of(file) for file in {*RUNNERS.rglob("*.py"), *locks}}
    return hashlib.sha256(json.dumps([editions, list(arguments), hashes], sort_keys=True).encode()).hexdigest()


class Journal:
    """The seed of a bench over the years, and what every row that was measured in a round reported."""

    def __init__(self, path: Path, identity: str, force: bool) -> None:
        self.path = path
        found: dict[str, Any] = {} if force else read(path)
        if found.get("identity") != identity:
            seed = random.SystemRandom().randrange(1, 2**31)
            found = {"identity": identity, "seed": seed, "force": force, "done": {}}
        self.content = found
        self.save()

    @property
    def seed(self) -> int:
        return int(self.content["seed"])

    @property
    def force(self) -> bool:
        """Whether its first round measures again what is complete."""
        return bool(self.content.get("force"))

    def find(self, number: str, rows: Sequence[Row]) -> dict[Row, Measured]:
        """What those of the rows reported that are finished in this round."""
        done = self.content["done"]
        return {row: Measured(**done[call]) for row in rows if (call := " ".join([number, *row])) in done}

    def forget(self, row: Row) -> None:
        """Drop every report of a row, whose record is gone."""
        done = self.content["done"]
        self.content["done"] = {call: told for call, told in done.items() if tuple(call.split()[1:]) != row}

    def finish(self, number: str, report: Mapping[Row, Measured]) -> None:
        """Keep what the rows reported, but for those that failed: they are tried again. Raises Problem."""
        good = {row: now for row, now in report.items() if now.status in ("ok", "skipped")}
        self.content["done"] |= {" ".join([number, *row]): now._asdict() for row, now in good.items()}
        self.save()

    def save(self) -> None:
        """Replace the file. Raises Problem."""
        try:
            write_json(self.path, self.content)
        except OSError as error:
            cure = "free some space and run the same command again; what is measured is kept"
            raise Problem(f"cannot write '{self.path}': {error.strerror}; {cure}") from error


def read(path: Path) -> dict[str, Any]:
    """The journal there is; nothing where there is none, or none that can be read."""
    found = read_json(path) or {}
    done, fields = found.get("done"), set(Measured._fields)
    valid = isinstance(done, dict) and all(isinstance(one, dict) and set(one) == fields for one in done.values())
    return found if valid and isinstance(found.get("seed"), int) else {}
