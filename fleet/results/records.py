"""Records as the fleet needs them: which are valid. The report defines what they mean."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from fleet.plan import Cell

SCHEMA_VERSIONS = (1, 2)
FINISHED = ("ok", "skipped")
STATUSES = (*FINISHED, "failed", "timeout", "out_of_memory")


@dataclass(frozen=True)
class Found:
    """The record chosen for a row and device of a cell."""

    cell: Cell
    name: str  # <row>.<device>.json
    content: bytes
    record: dict[str, Any]
    node: str  # where its first process ran


def read_record(content: bytes, finished: bool = False) -> dict[str, Any] | None:
    """Return a record if it is one (and, on request, finished), else None."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    valid = (
        isinstance(found, dict)
        and found.get("schema_version") in SCHEMA_VERSIONS
        and found.get("status") in (FINISHED if finished else STATUSES)
        and isinstance(found.get("model"), dict)
    )
    return found if valid else None
