"""These tests need a container engine and minutes: `make test-containers` runs them, `make test` does not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from lab import Project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A small project; its images are gone afterwards."""
    made = Project(tmp_path / "project")
    made.forget()
    yield made
    made.forget()
