"""Files that are complete or absent, folders that one process holds at a time, and files of the kernel."""

import contextlib
import fcntl
import os
import tempfile
from typing import Any, Callable, Iterator, Optional


@contextlib.contextmanager
def atomic_write(path: str) -> Iterator[Any]:
    """Yield a binary file that replaces ``path`` when the block ends.

    After an exception ``path`` is as it was and nothing else is left. Makes the folder. Raises ``OSError``.
    """
    folder = os.path.dirname(path) or "."
    os.makedirs(folder, exist_ok=True)
    descriptor, partial = tempfile.mkstemp(prefix=".writing-", dir=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(partial, 0o644)
        os.rename(partial, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(partial)
        raise


@contextlib.contextmanager
def locked(path: str, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold a file's lock; calls ``on_wait`` first if another process has it. The kernel frees it with the process."""
    with open(path, "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def read_text(*path: str) -> Optional[str]:
    """Return a file's text without white space at its ends; ``None`` where it cannot be read."""
    try:
        with open(os.path.join(*path), encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return None
