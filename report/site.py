"""The page's files below a site's folder: written whole, or held against what is there."""

from __future__ import annotations

import difflib
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from report.files import whole_file
from report.load import Result
from report.page import PAGE_NAME
from report.tuning import Tuning

PAGE_FILE = Path("pages", f"{PAGE_NAME}.markdown")
ASSETS = Path("pages", PAGE_NAME)
"""Beside the page, so that its links are relative and hold in Jekyll, on GitHub and in a file browser alike.

The folder is the report's own: what an earlier page linked to and this one does not is deleted from it.
"""

_DIFFERENCES_SHOWN = 40


def write_text(path: Path, text: str) -> None:
    """Writes ``text`` whole or not at all; a file that says the same is left alone, and keeps its date."""
    content = text.encode()
    with suppress(OSError):
        if path.read_bytes() == content:
            return
    with whole_file(path) as file:
        file.write(content)


def copy_records(records: Iterable[Result | Tuning], folder: Path) -> set[Path]:
    """Puts every record's JSON below ``folder`` where it lies below the results; returns the paths there.

    Hard links where the file system allows, since 10,000 copies take ten seconds: runners replace a record by
    renaming, so that the linked file stays what the page was made from. Else copies, which get their originals'
    times; by these the next run knows either and leaves it alone.
    """
    placed = set()
    made = ""
    for record in records:
        place = folder / record.file
        placed.add(place)
        name, parent = str(place), os.path.dirname(place)
        original = os.lstat(record.path)
        if _is_copy(name, original):
            continue
        if parent != made:
            os.makedirs(parent, exist_ok=True)
            made = parent
        partial = f"{parent}/.{place.name}.part"
        with suppress(FileNotFoundError):
            os.unlink(partial)
        if not _linked(record.path, original, partial):
            with open(record.path, "rb") as source, open(partial, "wb") as target:
                target.write(source.read())
            os.utime(partial, ns=(original.st_atime_ns, original.st_mtime_ns))
        os.replace(partial, name)
    return placed


def _linked(original: Path, status: os.stat_result, name: str) -> bool:
    if not stat.S_ISREG(status.st_mode):
        return False  # a link to the link would be one that leads nowhere from there
    try:
        os.link(original, name)
    except OSError:  # another file system, or one without links, or somebody else's file
        return False
    return True


def _is_copy(name: str, original: os.stat_result) -> bool:
    try:
        there = os.lstat(name)
    except OSError:
        return False
    return (there.st_size, there.st_mtime_ns) == (original.st_size, original.st_mtime_ns)


def prune(folder: Path, wanted: set[Path]) -> None:
    """Deletes what an earlier report left in ``folder``: its files that are not ``wanted``, and folders left empty."""
    for path in stale(folder, wanted):
        path.unlink()
    for parent, _, _ in os.walk(folder, topdown=False):
        with suppress(OSError):
            os.rmdir(parent)


def stale(folder: Path, wanted: set[Path]) -> Iterator[Path]:
    """Files in ``folder`` of the kinds that a report makes, which are not ``wanted``."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".json", ".svg", ".csv", ".parquet") and path.is_file() and path not in wanted:
            yield path


def differences(made: Path, there: Path) -> Iterator[str]:
    """How the files below ``there`` differ from those just ``made``; a unified diff for the page itself."""
    wanted = {path.relative_to(made) for path in made.rglob("*") if path.is_file()}
    for name in sorted(wanted):
        old, new = there / name, made / name
        if not old.is_file():
            yield f"missing: {old}"
        elif old.read_bytes() != new.read_bytes():
            yield from _difference(old, new) if name == PAGE_FILE else [f"differs: {old}"]
    for path in stale(there / ASSETS, {there / name for name in wanted}):
        yield f"no longer belongs to the page: {path}"


def _difference(old: Path, new: Path) -> Iterator[str]:
    before = old.read_text(encoding="utf-8", errors="replace").splitlines()
    after = new.read_text(encoding="utf-8").splitlines()
    lines = list(difflib.unified_diff(before, after, str(old), "made from the results", lineterm=""))
    yield from lines[:_DIFFERENCES_SHOWN]
    if len(lines) > _DIFFERENCES_SHOWN:
        yield f"... and {len(lines) - _DIFFERENCES_SHOWN} more lines"
