"""What a node needs and does not see: the code, the submission, and earlier results of its cells."""

from __future__ import annotations

import functools
import gzip
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from fleet.config import Fleet
from fleet.folder import Folder, attempts
from fleet.node import exits
from fleet.plan import Cell
from fleet.schedulers import Order
from images.stack import Problem, commit, output

START = """\
setup() {{
{setup}
}}
setup || {{ echo "erabench: the setup command failed with status $?" >&2; exit {setup_failed}; }}
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {{
  echo "erabench: python3 is missing or older than 3.11; load one in setup" >&2; exit {no_python}; }}
"""
CODE = ("Makefile", "pyproject.toml", "compose*.yaml", "erabench", "fleet", "images", "runners", "report")
LEFT_OUT = ("__pycache__", ".pyc", "images/tests.", "report/schema")


def submission_content(fleet: Fleet, order: Order) -> str:
    """Return submission.json: all that an attempt reads."""
    content = {
        "version": 1,
        "number": order.number,
        "commit": commit(),
        "bench": list(fleet.bench),
        "data": fleet.data,
        "venvs": fleet.venvs,
        "cells": [asdict(cell) for cell in order.cells],
    }
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def start_script(setup: str) -> str:
    """Return how a job's shell script begins: the type's own commands, and the check of Python."""
    return START.format(setup=setup or ":", **exits.BY_NAME)


def code_files(root: Path, stacks: Sequence[str]) -> list[Path]:
    """Return the project's files that a node needs for these stacks: those git knows, else all that look like it."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *CODE]
    found = [root / name for name in output(*command).split("\0") if name]
    if not found:
        found = [path for pattern in CODE for top in root.glob(pattern) for path in (top, *top.rglob("*"))]

    def needed(path: Path) -> bool:
        name = str(path.relative_to(root))
        of_stack = name.split("/")[2] if name.startswith("images/stacks/") else ""
        return path.is_file() and of_stack in ("", *stacks) and not any(part in name for part in LEFT_OUT)

    return sorted({path for path in found if needed(path)})


@functools.cache
def code_archive(root: Path, stacks: tuple[str, ...]) -> bytes:
    """Return a .tar.gz of the project under project/; the same content gives the same bytes."""
    files = {f"project/{path.relative_to(root)}": path.read_bytes() for path in code_files(root, stacks)}
    if not files:
        raise Problem(f"{root}: no code found to send to the nodes")
    return pack(files)


def order_archive(fleet: Fleet, folder: Folder, order: Order, at_most: int) -> bytes:
    """Return a .tar.gz of submission.json and earlier results of its cells, as far as they fit into so many bytes."""
    content = submission_content(fleet, order).encode()
    return pack({"submission.json": content, **earlier_results(folder, order.cells, at_most - 20_000)})


def pack(files: Mapping[str, bytes]) -> bytes:
    """Return a .tar.gz of files by name."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755 if content.startswith(b"#!") else 0o644
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def earlier_results(folder: Folder, cells: Sequence[Cell], at_most: int) -> dict[str, bytes]:
    """Return the states and records of earlier attempts by path, newest first, as far as they fit."""
    found: dict[str, bytes] = {}
    for cell in cells:
        for attempt in reversed(attempts(folder.cell(cell.id))):
            names = [attempt.path / "state.json", *sorted(attempt.path.glob("results/*/*/*.json"))]
            for path in (path for path in names if path.is_file()):
                content = path.read_bytes()
                at_most -= len(gzip.compress(content, 1)) + 512
                if at_most < 0:
                    return found
                found[f"cells/{path.relative_to(folder.path / 'cells')}"] = content
    return found
