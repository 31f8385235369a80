"""Files that are there whole or not at all, and folders that one process holds at a time."""

import contextlib
import fcntl
import os
import tempfile
from typing import Any, Callable, Iterator


@contextlib.contextmanager
def atomic_write(path: str) -> Iterator[Any]:
    """A binary file to write, which takes ``path``'s place when the block ends and never before.

    After an exception what was at ``path`` is still there, and nothing else is. Makes the folder. Raises ``OSError``.
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
    """Hold a file's lock, after ``on_wait`` where another process has it. The kernel frees it with the process."""
    with open(path, "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
