"""Records on disk: written atomically, found again, and never lost to a shorter or a failed run.

<results>/<machine>/<stack>/<row>.<device>.json                 the record that the page shows
<results>/<machine>/<stack>/tuning/<row>.<device>.json          what `--tune` found
<results>/<machine>/<stack>/.kept/<row>.<device>.<profile>.json the last good one of another profile or run
"""

import contextlib
import errno
import fcntl
import json
import os
import re
import shutil
import tempfile
from typing import Any, Callable, Dict, Iterator, Optional

from runners.contract import UsageError
from runners.machine.files import atomic_write

Document = Dict[str, Any]

_SERIES = re.compile(r"\[\n\s+([^][{}\"]+?)\n\s*\]")  # of numbers, as json.dumps indents it: one line is enough


class Place:
    """Where one row's document lies, and the one that another profile's may have been moved to."""

    def __init__(self, folder: str, row: str, device: str) -> None:
        self._folder, self._name = folder, "{}.{}".format(row, device)
        self.path = os.path.join(folder, self._name + ".json")

    def kept_path(self, label: str) -> str:
        return os.path.join(self._folder, ".kept", "{}.{}.json".format(self._name, label))

    def save(self, document: Document) -> None:
        """Write the document. A good one of another profile, or one that a failure replaces, is set aside."""
        with _usage_error(self.path):
            self._make_room(document)
        text = json.dumps(document, indent=1, sort_keys=True, allow_nan=False) + "\n"
        write(self.path, _SERIES.sub(lambda found: "[{}]".format(" ".join(found.group(1).split())), text))

    def find(self, document: Document, is_complete: Callable[[Document], bool]) -> Optional[Document]:
        """Return the complete document with the same fingerprint, restored to its place if it was set aside."""
        kept = self.kept_path(document["profile"])
        for candidate in (self.path, kept):
            found = read(candidate)
            if found is None or not _is_same(found, document) or not is_complete(found):
                continue
            if candidate == kept:
                self.save(found)
                os.unlink(kept)
            return found
        return None

    def _make_room(self, document: Document) -> None:
        old = read(self.path)
        if old is None:
            return
        is_replaced = old.get("profile") == document["profile"] and _is_good(document)
        is_worth_keeping = _is_good(old) and not is_replaced
        if is_worth_keeping or not _has_version_of(old, document):
            self._set_aside(self.path, old, document)

    def _set_aside(self, path: str, old: Document, document: Document) -> None:
        label = _label(old.get("profile"))
        if not _has_version_of(old, document):
            label += ".v" + _label(old.get("schema_version"))
        kept = self.kept_path(label)
        earlier = read(kept)
        if earlier is not None and not _has_version_of(earlier, old):
            self._set_aside(kept, earlier, old)
        os.makedirs(os.path.dirname(kept), exist_ok=True)
        os.rename(path, kept)


def _is_good(document: Document) -> bool:
    """A result has a status; a tuning has a reason where it could not be finished."""
    return document.get("status", "ok") == "ok" and document.get("reason") is None


def _has_version_of(one: Document, other: Document) -> bool:
    return one.get("schema_version") == other.get("schema_version")


def _label(value: Any) -> str:
    """A value of a document that this version did not write, as part of a file's name."""
    return "".join(letter for letter in str(value) if letter.isalnum())[:20]


def _is_same(found: Document, document: Document) -> bool:
    provenance = found.get("provenance")
    return (
        _has_version_of(found, document)
        and isinstance(provenance, dict)
        and provenance.get("fingerprint") == document["provenance"]["fingerprint"]
    )


def write(path: str, text: str) -> None:
    """Write a file completely or not at all; raises ``UsageError`` if it cannot be written."""
    with _usage_error(path), atomic_write(path) as file:
        file.write(text.encode("utf-8"))


@contextlib.contextmanager
def _usage_error(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        fix = "free some space and run again" if full else "choose another RESULTS"
        raise UsageError("cannot write '{}': {}; {}; nothing is lost".format(path, error.strerror, fix))


def read(path: str) -> Optional[Document]:
    """Return a JSON object, or ``None`` where there is none that can be read: a broken file is measured again."""
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def check_writable(results: str) -> None:
    """Raise ``UsageError`` now rather than after an hour of measuring."""
    with _usage_error(results):
        os.makedirs(results, exist_ok=True)
        with tempfile.TemporaryFile(dir=results) as probe:
            probe.write(b"?")
            probe.flush()
            os.fsync(probe.fileno())  # the disk may be full


def discard(checkpoints: str) -> None:
    """Remove a row's checkpoints: of a training that has ended, or that is to start again."""
    shutil.rmtree(checkpoints, ignore_errors=True)


@contextlib.contextmanager
def results_lock(results: str, say: Callable[[str], None]) -> Iterator[None]:
    """Lock the results folder, so that two benches never measure into it together; prints a line while waiting.

    Raises ``UsageError`` if the lock cannot be written, as where it is another user's.
    """
    path = os.path.join(results, ".lock")
    with _usage_error(path):
        file = open(path, "a")  # noqa: SIM115 (the kernel frees the lock when the file is closed, also by a kill)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another bench is measuring into '{}'; waiting for it to end".format(results))
            fcntl.flock(file, fcntl.LOCK_EX)
    with file:
        yield
