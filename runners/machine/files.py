"""Files that are complete or absent, and files of the kernel."""

import contextlib
import os
import tempfile
from typing import Any, Iterator, Optional


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


def read_text(*path: str) -> Optional[str]:
    """Return a file's text without white space at its ends; ``None`` where it cannot be read."""
    try:
        with open(os.path.join(*path), encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return None
