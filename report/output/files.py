"""Files that are complete or absent."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Open a file for bytes that replaces ``path`` once it is complete and on the disk.

    Missing folders are made. If the block raises, the old file stays. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            yield file  # type: ignore[misc]  # a BinaryIO in all but name
            file.flush()
            os.fsync(file.fileno())
            os.chmod(file.name, 0o644)  # a temporary file is private, a page is not
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise


def write(path: Path, content: str | bytes) -> None:
    """Write ``content``; a file that already has it keeps its date. Raises OSError."""
    data = content.encode() if isinstance(content, str) else content
    if not holds(path, [data]):
        with atomic_write(path) as file:
            file.write(data)


def holds(path: Path, parts: Iterable[bytes]) -> bool:
    """Return whether there is a file of these parts, one after the other."""
    try:
        with path.open("rb") as file:
            return all(file.read(len(part)) == part for part in parts) and not file.read(1)
    except OSError:
        return False
