"""Records as the fleet sees them: enough to tell a valid one; the report owns their meaning."""

from __future__ import annotations

import json
from typing import Any

SCHEMA_VERSIONS = (1, 2)
FINISHED = ("ok", "skipped")
STATUSES = (*FINISHED, "failed", "timeout", "out_of_memory")


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
