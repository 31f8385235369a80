"""These tests need a container engine and minutes: `make test-containers` runs them, `make test` does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import Project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A small project without an image."""
    made = Project(tmp_path / "project", "tiny")
    made.forget()
    yield made
    made.forget()


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A small project with its image, built once for the tests that leave it as it is."""
    made = Project(tmp_path_factory.mktemp("built"), "built")
    bundle = made.folder / "ca.pem"
    bundle.write_text(Path("/etc/ssl/certs/ca-certificates.crt").read_text() + "# a-private-authority\n")
    done = made.run("build", CA_BUNDLE=str(bundle))
    assert (done.returncode, "is ready" in done.stderr) == (0, True), done.stderr
    yield made
    made.forget()
