"""What a new attempt starts from: finished records and checkpoints of the attempts before it."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fleet.files import atomic_write
from fleet.folder import Attempt
from fleet.node.hardware import differs
from fleet.results.records import read_record


def copy_finished(
    earlier: Sequence[Attempt], results: Path, profile: str, hardware: Mapping[str, Any]
) -> dict[str, str]:
    """Copy the newest finished records, and the newest checkpoints of other rows; returns the source of each record.

    An attempt on a node of other hardware is left alone: its processes must not be mixed with this node's. Records of
    another profile, from before the fleet file was edited, are left out too.
    """
    copied: dict[str, str] = {}
    order = sorted(earlier, key=lambda one: (one.submission, one.restart), reverse=True)
    for attempt in order:
        found = attempt.state.get("hardware")
        if not isinstance(found, dict) or differs(found, hardware):
            continue
        source = attempt.path / "results"
        for path in sorted(source.glob("*/*/**/*.json")):
            name = str(path.relative_to(source))
            if name not in copied and ".checkpoints" not in path.parts:
                with contextlib.suppress(OSError):
                    content = path.read_bytes()
                    record = read_record(content, finished=True)
                    if record is not None and record.get("profile") == profile:
                        atomic_write(results / name, content)
                        copied[name] = attempt.state.get("copied", {}).get(name) or attempt.path.name
        for folder in sorted(source.glob("*/*/.checkpoints/*")):
            target = results / folder.relative_to(source)
            if not target.exists():
                with contextlib.suppress(OSError, shutil.Error):
                    shutil.copytree(folder, target)
    return copied
