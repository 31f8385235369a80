"""Files that are complete or absent, and text that is safe on a terminal."""

from __future__ import annotations

import os
from pathlib import Path

from images import files
from images.stack import Problem


class Unanswered(Problem):
    """The scheduler gave no answer, so nothing is known about its jobs."""


def atomic_write(path: Path, content: bytes | str, mode: int = 0o644, durable: bool = True) -> None:
    """Replace a file so that it is complete or unchanged, after a power failure too if ``durable``. Raises OSError."""
    with files.atomic_write(path, mode, durable) as file:
        file.write(content.encode() if isinstance(content, str) else content)


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
