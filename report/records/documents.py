"""Reads JSON documents that others wrote: safely, checked against their type, each fault with its fix.

They come from other machines, so nothing in them is trusted: neither that a file is JSON, nor that a link stays inside
the folder, nor that a number is one.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from report.records.common import Record

LARGEST_FILE_BYTES = 64 * 1024 * 1024
"""A record of ten processes with 2,000 samples per phase has 2 MB; anything this large is not one."""

_BLANK = b"\0 \t\r\n"
_PLACE = re.compile(r"^(.*?)(?: - at `\$\.?(.*)`)?$", re.DOTALL)


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """A file that could not be used as it is. ``file`` is relative to the results folder; nothing is escaped."""

    file: str
    message: str
    cure: str

    def __str__(self) -> str:
        return f"{self.file}: {self.message}; {self.cure}"


class Unusable(Exception):
    """One file cannot be used: the fault and the fix."""

    def __init__(self, cure: str, message: str) -> None:
        super().__init__(message)
        self.cure = cure
        self.message = message


T = TypeVar("T", bound=Record)


@dataclass(frozen=True)
class Kind(Generic[T]):
    """A kind of document: how a problem speaks of it, its type, and what makes each older version the next one."""

    noun: str
    again: str  # what makes another one
    type: type[T]
    upgrades: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]]  # by the version that they upgrade

    @property
    def newest(self) -> int:
        """The version that is written today."""
        return max(self.upgrades) + 1


class _Header(msgspec.Struct):
    schema_version: Any = msgspec.UNSET
    attempts: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET  # only a tuning has them


def decode(content: bytes, kind: Kind[T]) -> T:
    """Return the document in ``content``, upgraded from whatever version it has. Raises Unusable."""
    if not content.strip(_BLANK):
        raise Unusable(f"delete it and {kind.again}", "is empty")
    with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # a fault is named below
        return msgspec.json.decode(content, type=kind.type)
    version: int | None = None
    try:
        version = _version(content, kind)
        record = msgspec.json.decode(content)
        for number in range(version, kind.newest):
            record = kind.upgrades[number](record)
        return msgspec.convert(record, kind.type)
    except msgspec.ValidationError as error:
        if version is None:
            raise Unusable("move the file elsewhere", f"is no {kind.noun} of erabench ({error})") from None
        raise _invalid(_placed(str(error)), kind, version) from None
    except RecursionError:
        raise Unusable(f"delete it and {kind.again}", "has too many objects or lists within one another") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        cure = f"the file is cut short or broken: delete it and {kind.again}"
        raise Unusable(cure, f"is not JSON ({_short(str(error))})") from None
    except (LookupError, TypeError, ValueError, AttributeError) as error:  # an upgrade did not find what it needs
        what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise _invalid(what, kind, version or 0) from None


def _version(content: bytes, kind: Kind[T]) -> int:
    header = msgspec.json.decode(content, type=_Header)
    version = header.schema_version
    if version is msgspec.UNSET:
        raise Unusable("move the file elsewhere", f"is no {kind.noun} of erabench (it has no schema_version)")
    if type(version) is not int or version < 1:
        shown = _short(repr(version))
        raise Unusable("move the file elsewhere", f"is no {kind.noun} of erabench (schema_version is {shown})")
    if (header.attempts is msgspec.UNSET) == (kind.noun == "tuning"):
        other = "result" if kind.noun == "tuning" else "tuning"
        raise Unusable(f"move the file to where a {other} lies", f"is no {kind.noun} but a {other}")
    if version > kind.newest:
        made = f"was made by a newer erabench (schema {version}; this one reads up to {kind.newest})"
        raise Unusable("update the project", made)
    return version


def read_bytes(path: str, inside: Path, kind: Kind[T]) -> bytes:
    """Read the file at ``path``, which must be an ordinary one of an ordinary size. Raises Unusable.

    ``inside`` is the resolved folder that no link may leave.
    """
    try:
        if os.path.islink(path) and not Path(path).resolve(strict=True).is_relative_to(inside):
            raise Unusable("copy the file here instead", f"is a link that leaves the folder, to {os.readlink(path)}")
        with open(path, "rb", opener=_open_now) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise Unusable("delete it", "is no ordinary file")
            if status.st_size > LARGEST_FILE_BYTES:
                much = f"has {status.st_size:,} bytes, too many for a {kind.noun}"
                raise Unusable(f"delete it and {kind.again}", much)
            return file.read()
    except (OSError, RuntimeError) as error:  # RuntimeError: a circle of links, before Python 3.13
        reason = getattr(error, "strerror", None) or str(error)
        raise Unusable(f"make the file readable, or delete it and {kind.again}", f"cannot be read ({reason})") from None


def _open_now(name: str, flags: int) -> int:
    """Open without waiting: a pipe with nobody at its other end must not hang the report."""
    return os.open(name, flags | os.O_NONBLOCK)


def _invalid(message: str, kind: Kind[T], version: int) -> Unusable:
    return Unusable(f"not what schema {version} asks for: delete the file and {kind.again}", _short(message, 300))


def _placed(message: str) -> str:
    """Put the place first: "processes[0].train.samples_s[2]: Expected `float`, got `str`"."""
    found = _PLACE.fullmatch(message)
    what, place = found.groups() if found else (message, None)
    return f"{place}: {what}" if place else what


def _short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
