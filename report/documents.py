"""Reads JSON documents that others wrote: safely, checked against their schema, every fault with its cure.

They come from other machines, so nothing in them is trusted here: neither that a file is JSON, nor that it is where
its own words put it, nor that a link stays inside the folder.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import orjson

from report.versions import KINDS, Kind, Record, upgraded, violations

LARGEST_FILE_BYTES = 64 * 1024 * 1024
"""A record with 2,000 samples a phase has 0.2 MB; anything this large is not one."""

DEEPEST = 64
"""Objects and lists within one another. A record has some 8; what follows (the schema, orjson, Python) has limits."""

_VIOLATIONS_SHOWN = 10
_NESTS = frozenset((dict, list))


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """A file that could not be used. ``file`` is relative to the results folder; texts are as found, not escaped."""

    file: str
    message: str
    cure: str

    def __str__(self) -> str:
        return f"{self.file}: {self.message}; {self.cure}"


@dataclass(frozen=True, slots=True)
class Mark:
    """A warning about one phase's figure, shown beside it."""

    key: str
    phase: Literal["train", "predict", "quality", "all"]
    reason: str
    figures: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))  # those in the reason


class Unusable(Exception):
    """Says what is wrong with one file, once or more, and the cure."""

    def __init__(self, cure: str, *messages: str) -> None:
        super().__init__(*messages)
        self.cure = cure
        self.messages = messages


def read_document(path: Path, inside: Path, kind: Kind) -> Record:
    """The document at ``path``, valid, as the newest version of its kind has it.

    ``inside`` is the resolved folder that no link may leave. Raises Unusable.
    """
    record = _parse(read_bytes(path, inside, kind.noun, kind.again), kind)
    return upgraded(record, kind, _checked_version(record, kind))


def require_place(name: str, own: str) -> None:
    """Raises Unusable where a document is not at the place that its own words give it: it may be there twice."""
    if name != own:
        raise Unusable(
            "keep one file a machine, stack, model and device, under its own name",
            f"says it is {own}, which is not where it lies",
        )


def marks(records: Iterable[Record]) -> tuple[Mark, ...]:
    """The marks of a document, frozen."""
    return tuple(Mark(**frozen(record)) for record in records)


def frozen(value: Any) -> Any:
    """``value`` with every object a read-only mapping and every list a tuple."""
    if isinstance(value, dict):
        return MappingProxyType({name: frozen(inner) for name, inner in value.items()})
    if isinstance(value, list):
        if value and isinstance(value[0], (dict, list)):
            return tuple(frozen(inner) for inner in value)
        return tuple(value)
    return value


def read_bytes(path: Path, inside: Path, noun: str, again: str) -> bytes:
    """The file at ``path``, which must be an ordinary one of an ordinary size. Raises Unusable.

    ``inside`` is the resolved folder that no link may leave; ``noun`` says what the file is, ``again`` what makes
    another one.
    """
    try:
        if path.is_symlink() and not path.resolve(strict=True).is_relative_to(inside):
            raise Unusable("copy the file here instead", f"is a link that leaves the folder, to {os.readlink(path)}")
        with open(path, "rb", opener=_open_now) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise Unusable("delete it", "is no ordinary file")
            if status.st_size > LARGEST_FILE_BYTES:
                raise Unusable(f"delete it and {again}", f"has {status.st_size:,} bytes, too many for a {noun}")
            return file.read()
    except (OSError, RuntimeError) as error:  # RuntimeError: a circle of links, before Python 3.13
        reason = getattr(error, "strerror", None) or str(error)
        raise Unusable(f"make the file readable, or delete it and {again}", f"cannot be read ({reason})") from None


def _open_now(name: str, flags: int) -> int:
    """Opens without waiting: a pipe with nobody at its other end must not hang the report."""
    return os.open(name, flags | os.O_NONBLOCK)


def _parse(content: bytes, kind: Kind) -> Record:
    """The file as a JSON object. orjson takes a sixth of json's time, and refuses NaN, Infinity and lone surrogates."""
    if not content.strip(b"\0 \t\r\n"):
        raise Unusable(f"delete it and {kind.again}", "is empty")
    try:
        record = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Unusable(
            f"the file is cut short or broken: delete it and {kind.again}", f"is not JSON ({error.msg}, {where})"
        ) from None
    if not isinstance(record, dict):
        raise Unusable("move the file elsewhere", f"is no {kind.noun} of erabench but {_short(record)}")
    if _is_deeper(record, DEEPEST):
        raise Unusable(f"delete it and {kind.again}", f"holds more than {DEEPEST} objects or lists within one another")
    return record


def _is_deeper(value: Any, most: int) -> bool:
    level = [value]
    for _ in range(most):
        held = [one.values() if isinstance(one, dict) else one for one in level]
        level = [
            inner for one in held if not _NESTS.isdisjoint(map(type, one)) for inner in one if type(inner) in _NESTS
        ]
    return bool(level)


def _checked_version(record: Record, kind: Kind) -> int:
    version = record.get("schema_version")
    if type(version) is not int or version < 1:
        raise Unusable(
            "move the file elsewhere",
            f"is no {kind.noun} of erabench (schema_version is {_short(version)})"
            if "schema_version" in record
            else f"is no {kind.noun} of erabench (it has no schema_version)",
        )
    for other in KINDS:
        if kind.sign not in record and other.sign in record:
            raise Unusable(f"move the file to {other.place}", f"is no {kind.noun} but a {other.noun}")
    if version not in kind.versions:
        raise Unusable(
            "update the project" if version > kind.newest else kind.again,
            f"was made by a newer erabench (schema {version}; this one reads up to {kind.newest})"
            if version > kind.newest
            else f"has the unknown schema version {version}",
        )
    messages = [
        f"{violation.place or 'the record'}: {_short(violation.message, 200, quote=False)}"
        for violation in violations(record, kind, version)
    ]
    if messages:
        more = len(messages) - _VIOLATIONS_SHOWN
        shown = messages[:_VIOLATIONS_SHOWN] + ([f"and {more:,} more places"] if more > 0 else [])
        raise Unusable(f"not what schema {version} asks for: delete the file and {kind.again}", *shown)
    return version


def _short(value: object, most: int = 60, quote: bool = True) -> str:
    text = repr(value) if quote else str(value)
    return text if len(text) <= most else text[: most - 1] + "…"
