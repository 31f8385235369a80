"""Where a node builds its environments: its own folder, and a cache that nodes of one type share."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

from fleet.node.place import Place

WAIT_SECONDS = 60.0


@contextlib.contextmanager
def own_venvs(base: str | Path, type_name: str, place: Place) -> Iterator[tuple[Path, Path]]:
    """Yield the node's folder, held by this attempt, and the type's uv cache.

    If an attempt that the scheduler no longer counts still holds the folder, or the disk has no locks, yield a folder
    of this attempt alone.
    """
    home = Path(base) / type_name
    node = re.sub(r"[^A-Za-z0-9.-]", "-", place.node) or "node"
    folder = home / node
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        if not _hold(lock):
            folder = home / f"{node}.{place.job}_{place.task}.{place.restart}"
        yield folder, home / "uv-cache"
    finally:
        os.close(lock)


def _hold(lock: int) -> bool:
    """Take a lock, waiting a minute for an attempt that is about to stop itself."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(1)
        except OSError:  # a file system without locks
            return False
    return False
