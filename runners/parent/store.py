"""Results on disk: written whole, found again, and never lost to a shorter or a failed run.

<out>/<machine>/<stack>/<model>.<device>.json            the result the page shows
<out>/<machine>/<stack>/.kept/<model>.<device>.<profile>.json   the last good one of another profile or run
"""

import contextlib
import errno
import json
import os
import shutil
from typing import Any, Callable, Dict, Iterator, Optional

from runners.contract import UsageError
from runners.machine.files import locked, atomic_write


def result_path(out: str, record: Dict[str, Any]) -> str:
    """Where a record belongs."""
    name = "{}.{}.json".format(record["model"]["key"], record["device"])
    return os.path.join(out, record["machine"], record["stack"], name)


def write_whole(path: str, text: str) -> None:
    """Write a file so that it is there whole or not at all; raises ``UsageError`` if it cannot be written."""
    try:
        with atomic_write(path) as file:
            file.write(text.encode("utf-8"))
    except OSError as error:
        raise UsageError(_cannot_write(path, error))


def _cannot_write(path: str, error: OSError) -> str:
    cure = "free some space and run again" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "choose another RESULTS"
    return "cannot write '{}': {}; {}; nothing that was there is lost".format(path, error.strerror, cure)


def check_writable(out: str) -> None:
    """Raise ``UsageError`` now rather than after an hour of measuring."""
    probe = os.path.join(out, ".writing-probe-{}".format(os.getpid()))
    write_whole(probe, "")
    os.unlink(probe)


def save(out: str, record: Dict[str, Any]) -> str:
    """Write a record to its place; a good one of another profile, or one that a failure replaces, is kept aside."""
    path = result_path(out, record)
    old = read(path)
    good = old is not None and old.get("status") == "ok"
    if good and (old.get("profile") != record["profile"] or record["status"] != "ok"):
        set_aside(path, str(old.get("profile")))
    write_whole(path, json.dumps(record, indent=1, sort_keys=True, allow_nan=False) + "\n")
    return path


def discard(checkpoints: str) -> None:
    """Remove a row's checkpoints: what was trained to its end, or is to be trained anew, is not gone on from."""
    shutil.rmtree(checkpoints, ignore_errors=True)


def set_aside(path: str, profile: str) -> None:
    """Move a file of another profile out of the way, where ``kept_path`` says."""
    kept = kept_path(path, profile)
    os.makedirs(os.path.dirname(kept), exist_ok=True)
    os.rename(path, kept)


def find_reusable(out: str, record: Dict[str, Any]) -> Optional[Dict[str, Any]]:
    """A finished result with the record's fingerprint, brought to its place if it was kept aside."""
    path = result_path(out, record)
    kept = kept_path(path, record["profile"])
    for candidate in (path, kept):
        found = read(candidate)
        if found is not None and _is_same(found, record):
            if candidate == kept:
                save(out, found)
                os.unlink(kept)
            return found
    return None


def _is_same(found, record):
    provenance = found.get("provenance")
    return (
        found.get("status") == "ok"
        and found.get("schema_version") == record["schema_version"]
        and isinstance(provenance, dict)
        and provenance.get("fingerprint") == record["provenance"]["fingerprint"]
    )


def kept_path(path: str, profile: str) -> str:
    """Where a file of that profile lies while another's has its place."""
    folder, name = os.path.split(path)
    return os.path.join(folder, ".kept", "{}.{}.json".format(name[: -len(".json")], profile))


def read(path: str) -> Optional[Dict[str, Any]]:
    """A JSON object, or ``None`` where there is none that can be read: a broken file is measured again."""
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


@contextlib.contextmanager
def only_bench(out: str, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the results folder, so that two benches never measure into it at once; waits, and says so."""
    waiting = "another bench is measuring into '{}'; waiting for it to end".format(out)
    with locked(os.path.join(out, ".lock"), lambda: say(waiting)):
        yield
