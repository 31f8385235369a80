"""Prepared data sets on disk: one process prepares, files are complete or absent, the manifest is written last."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from images import files

Say = Callable[[str], None]


class Unusable(Exception):
    """A source or a data set cannot be used; the message has the reason."""


def locked(folder: Path, say: Say) -> AbstractContextManager[int]:
    """Make ``folder`` and hold its lock, which the kernel frees with the process. Raises OSError."""
    return files.locked(folder / "lock", lambda: say("another run is fetching it; waiting for that one"))


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write ``manifest.json``, which makes the content of ``folder`` valid. Raises OSError."""
    files.write_json(folder / "manifest.json", manifest)


def read_manifest(folder: Path, fields: tuple[str, ...]) -> dict[str, Any] | None:
    """Return ``manifest.json``; None if it is missing or damaged, or one of ``fields`` is not text."""
    manifest = files.read_json(folder / "manifest.json")
    return manifest if manifest and all(isinstance(manifest.get(field), str) for field in fields) else None
