"""Made-up machines and a small project."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from machines import ROOT, Machine
from made_up import Bench


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with no engine and no GPU."""
    return Machine(tmp_path)


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A bench in which everything works."""
    return Bench(tmp_path, monkeypatch)


@pytest.fixture
def nvml(tmp_path: Path) -> dict[str, str]:
    """Compile the stand-in for NVIDIA's driver library; gives the variables that make a program load it."""
    (source,) = (ROOT / "tests" / "runners").rglob("nvml_standin.c")
    try:
        subprocess.run(["cc", "-shared", "-fPIC", "-o", tmp_path / "libnvidia-ml.so.1", source], check=True)
    except FileNotFoundError:
        pytest.skip("there is no C compiler to make the stand-in of libnvidia-ml.so.1")
    (tmp_path / "state").write_text("card\n")
    return {"LD_LIBRARY_PATH": str(tmp_path), "NVML_STANDIN_STATE": str(tmp_path / "state")}
