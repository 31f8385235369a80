"""The command that measures a cell, and the environment it runs in."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fleet.plan import Cell
from images.stack import ROOT

OUTSIDE = (
    "STACK", "ENGINE", "MODEL", "DEVICE", "PROFILE", "MACHINE", "RESULTS", "SITE", "VENVS", "DATA_DIR", "FORCE",
    "THREADS", "LOCALE", "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "GNUMAKEFLAGS", "VIRTUAL_ENV",
    "PYTHONPATH", "PYTHONHOME",
)  # fmt: skip


def bench_command(order: Mapping[str, Any], cell: Cell, results: Path, site: Path, venvs: Path) -> Sequence[str]:
    """Return what `make bench` runs for a cell, without make between: it turns every exit status into 2."""
    options = {
        "stack": cell.stack,
        "engine": cell.engine,
        "model": ",".join(cell.rows),
        "device": ",".join(cell.devices),
        "profile": cell.profile,
        "machine": cell.type,
        "results": str(results),
        "site": str(site),
        "venvs": str(venvs),
        **({"data-dir": order["data"]} if order["data"] else {}),
    }
    program = order["bench"] or [sys.executable, "-m", "erabench", "bench"]
    return [*program, *(word for key, value in options.items() for word in (f"--{key}", value))]


def bench_environment(order: Mapping[str, Any], cache: Path) -> dict[str, str]:
    """Return this process's environment without what the submitting shell or its make would pass on."""
    found = {key: value for key, value in os.environ.items() if key not in OUTSIDE}
    found.setdefault("UV_CACHE_DIR", str(cache))
    if order["commit"] and not (ROOT / ".git").exists():
        found["ERABENCH_COMMIT"] = order["commit"]
    return found
