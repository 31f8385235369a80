"""Made-up machines, on which the driver runs with captured texts in place of real commands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GTX_1080 = "6.1, 535.183.01, NVIDIA GeForce GTX 1080\n"


class Machine:
    """A made-up machine: a PATH with nothing on it but the commands that a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.environ = {"PATH": str(self.bin), "HOME": str(folder)}

    def has(self, name: str, script: str) -> None:
        """Put a command on PATH."""
        (self.bin / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.bin / name).chmod(0o755)

    def prints(self, name: str, text: str, status: int = 0) -> None:
        """Put a command on PATH that prints a captured text, whatever it is asked."""
        (self.folder / f"{name}.txt").write_text(text)
        self.has(name, f"/bin/cat '{self.folder}/{name}.txt'; exit {status}")

    def run(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run the driver on this machine."""
        return self.python("-m", "erabench", *arguments, **environ)

    def python(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run Python on this machine."""
        variables = {**self.environ, **environ}
        command = [sys.executable, "-s", *arguments]
        return subprocess.run(command, env=variables, cwd=ROOT, capture_output=True, text=True, timeout=60)
