"""Every version of every document that was ever written, and how an old one is made a new one.

The history stands in ``schema/README.md``. A new version adds a schema file, a row here and an upgrade of the
version before it; nothing else in the report knows that there ever were others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson

Record = dict[str, Any]

_FOLDER = Path(__file__).parent / "schema"


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a document: its schema, and what turns it into the next version's (None: the newest)."""

    schema: Path
    upgrade: Callable[[Record], Record] | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of document: how a problem speaks of it, and every version of it that was ever written."""

    noun: str
    again: str  # what makes another one
    place: str  # below the results folder
    sign: str  # a field that every one has, and no other kind
    versions: Mapping[int, Version]

    @property
    def newest(self) -> int:
        """The version that is written today."""
        return max(self.versions)


@dataclass(frozen=True, slots=True)
class Violation:
    """One place where a record does not keep to its schema."""

    place: str  # "timing.train.samples_s[2]"; empty for the record itself
    message: str


RESULT = Kind(
    "result",
    "measure again",
    "<machine>/<stack>/<model>.<device>.json",
    "timing",
    {1: Version(_FOLDER / "result.schema.json")},
)
TUNING = Kind(
    "tuning",
    "tune again (make tune)",
    "<machine>/<stack>/tuning/<model>.<device>.json",
    "attempts",
    {1: Version(_FOLDER / "tuning.schema.json")},
)
KINDS = (RESULT, TUNING)


@cache
def _validator(schema: Path) -> jsonschema_rs.Draft202012Validator:
    """The compiled schema. jsonschema-rs, since jsonschema takes 5 ms a record (50 s for 10,000), this 0.03 ms."""
    return jsonschema_rs.Draft202012Validator(orjson.loads(schema.read_bytes()))


def violations(record: Record, kind: Kind, version: int) -> Iterator[Violation]:
    """Where ``record`` does not keep to the schema of ``version``; nothing if it is valid."""
    validator = _validator(kind.versions[version].schema)
    if validator.is_valid(record):
        return
    for error in validator.iter_errors(record):
        yield Violation(_place(error.instance_path), error.message)


def upgraded(record: Record, kind: Kind, version: int) -> Record:
    """``record``, valid in ``version``, as the newest version would have written it."""
    while (upgrade := kind.versions[version].upgrade) is not None:
        record = upgrade(record)
        version += 1
    return record


def _place(path: list[str | int]) -> str:
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return steps.removeprefix(".")
