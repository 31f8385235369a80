"""Files that are complete or absent, locks, and text that is safe on a terminal."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any


class Problem(Exception):
    """Something the user has to fix. The message names what is wrong, the value, and what to do."""


class Unanswered(Problem):
    """The scheduler gave no answer, so nothing is known about its jobs."""


def atomic_write(path: Path, content: bytes | str, mode: int = 0o644, durable: bool = True) -> None:
    """Replace a file so that it is complete or unchanged, after a power failure too if ``durable``. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, partial = tempfile.mkstemp(prefix=".writing-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        os.chmod(partial, mode)
        os.rename(partial, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(partial)
        raise


def write_json(path: Path, content: object) -> None:
    """Replace a JSON file so that it is complete or unchanged. Raises OSError."""
    atomic_write(path, json.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n")


def read_json(path: Path) -> dict[str, Any] | None:
    """Return a file's JSON object, None if there is none that can be read."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def sha256(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal. Raises OSError."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@contextlib.contextmanager
def locked(path: Path, on_wait: Callable[[], None]) -> Iterator[int]:
    """Hold a file's lock and yield its descriptor; calls ``on_wait`` first if another process has it.

    The lock belongs to the open file: a child that inherits the descriptor keeps it after this process has died.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def printable(text: object) -> str:
    """Return text of another machine without anything that a terminal would obey."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))


def tail(path: Path, size: int = 16_384) -> str:
    """Return the end of a text file, "" if it cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - size))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
