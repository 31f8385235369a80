"""Records that stand for what a cell did not measure, so that the page shows a failure instead of a gap."""

from __future__ import annotations

import functools
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from fleet.files import tail
from fleet.results.records import Found
from fleet.status import CellStatus
from images.stack import ROOT, without_paths

# Outcome of a cell -> status of its rows, key of the reason
ENDED_BADLY = {
    "failed": ("failed", "cell-failed"),
    "timeout": ("timeout", "cell-time-limit"),
    "out of memory": ("out_of_memory", "cell-out-of-memory"),
    "stopped": ("failed", "cell-stopped"),
    "lost": ("failed", "cell-lost"),
    "refused": ("failed", "cell-refused"),
}
UNKNOWN = "0" * 64


def missing_records(statuses: Sequence[CellStatus], found: Sequence[Found]) -> dict[str, bytes]:
    """Return a record for each row and device of cells that ended badly: path below the machine's folder -> content."""
    have = {(one.cell.id, one.name) for one in found}
    models = {one.record["model"].get("key"): one.record["model"] for one in found}
    records = {}
    for one in statuses:
        for row in one.cell.rows if one.kind in ENDED_BADLY else ():
            for device in one.cell.devices:
                name = f"{row}.{device}.json"
                if (one.cell.id, name) in have or device not in one.cell.offered:
                    continue
                model = models.get(row) or listed_models().get(row) or _bare(row)
                record = _record(one, device, model)
                records[f"{one.cell.stack}/{name}"] = (json.dumps(record, indent=1, sort_keys=True) + "\n").encode()
    return records


def _record(one: CellStatus, device: str, model: dict[str, Any]) -> dict[str, Any]:
    status, key = ENDED_BADLY[one.kind]
    log = tail(one.attempt.path / "log", 4000) if one.attempt else ""
    return {
        "schema_version": 2,
        "machine": one.cell.type,
        "stack": one.cell.stack,
        "engine": one.cell.engine,
        "profile": one.cell.profile,
        "framework": one.cell.framework,
        "device": device,
        "model": {**model, "parameters": None, "details": None},
        "status": status,
        "reason": {"key": key, "values": {"text": without_paths(one.reason or one.kind)[:500]}},
        "log": without_paths(log) or None,
        "settings": {},
        "processes": [],
        **dict.fromkeys(("quality", "epoch", "test_set", "data", "environment", "execution")),
        "provenance": {
            **dict.fromkeys(("git_commit", "git_clean", "lock_sha256", "image")),
            "code_sha256": UNKNOWN,
            "fingerprint": hashlib.sha256(one.cell.fingerprint.encode()).hexdigest(),
        },
    }


@functools.cache
def listed_models() -> dict[str, dict[str, Any]]:
    """Return the rows as `python3 -m runners --list` prints them, in the page's order."""
    command = [sys.executable, "-s", "-m", "runners", "--list"]
    try:
        lines = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        return {}
    rows = [re.split(r"\s{2,}", line.strip()) for line in lines[1:]]
    names = ("title", "params", "library", "dataset")
    return {
        key: {"key": key, **dict(zip(names, rest, strict=True)), "order": order}
        for order, (key, _framework, *rest) in enumerate(rows, 1)
        if len(rest) == len(names)
    }


def _bare(row: str) -> dict[str, Any]:
    return {"key": row, "title": row, "params": "-", "library": "-", "dataset": "unknown", "order": 1000}
