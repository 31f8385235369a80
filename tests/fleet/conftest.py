"""Clusters for the fleet's tests. TEST_SLURM names the program that starts them (slurm-lab); it needs root."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fleet_lab import CGROUPS, Lab, Run


@pytest.fixture(scope="session")
def start_lab() -> Iterator[Callable[..., Lab]]:
    """Start clusters, each in a short path (a socket's may have 107 characters) and on ports of its own."""
    program = os.environ.get("TEST_SLURM")
    if not program:
        pytest.skip("TEST_SLURM does not name a program that starts a Slurm cluster")
    if os.geteuid() != 0:
        pytest.skip("a Slurm cluster can only be started by root")
    started: list[Lab] = []

    def start(**settings: str) -> Lab:
        folder = Path(tempfile.mkdtemp(prefix="fleet-", dir="/tmp"))
        folder.chmod(0o755)  # the database runs as a user of its own
        port = random.SystemRandom().randrange(20_000, 32_000)
        started.append(Lab(str(Path(program).resolve()), folder, port, **settings))
        return started[-1]

    yield start
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda lab: lab.call("down"), started))
    for lab in started:
        shutil.rmtree(lab.run, ignore_errors=True)


@pytest.fixture(scope="session")
def lab(start_lab: Callable[..., Lab]) -> Lab:
    """A cluster without accounting."""
    return start_lab()


@pytest.fixture(scope="session")
def accounting(start_lab: Callable[..., Lab]) -> Lab:
    """A cluster whose finished jobs sacct remembers, and squeue only for seconds.

    It alone uses control groups: those of two clusters on one machine have the same names.
    """
    cgroup = {"CGROUP": "1"} if CGROUPS.exists() else {}
    lab = start_lab(DBD="1", **cgroup)
    lab.set("MinJobAge", 2)
    return lab


@pytest.fixture
def run(lab: Lab, tmp_path: Path) -> Iterator[Run]:
    """A fleet on the cluster without accounting, whose nodes are idle at first."""
    yield Run(tmp_path / "run", lab.environ)
    lab.idle()
