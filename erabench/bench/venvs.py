"""The engine ``venv``: each framework in a virtual environment made from the stack's lock."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from erabench.engine import Ended, clean, supervise
from erabench.environments import locks
from erabench.environments.build import Environment
from images.files import sha256_of


class VenvEngine:
    """Runs frameworks in virtual environments of one stack."""

    name = "venv"

    def __init__(self, stack: str, results: Path, data: Path) -> None:
        self.stack, self.results, self.data = stack, results, data
        self.made: dict[str, Environment] = {}

    def prepare(self, framework: str) -> None:
        """Make the framework's environment. Raises Problem."""
        self.made[framework] = locks.made(locks.of_stack(self.stack, framework))

    def run(self, framework: str, arguments: Sequence[str]) -> Ended:
        """Run the framework's rows."""
        environment = self.made[framework]
        command = [
            str(environment.interpreter), "-s", "-m", "runners", framework, *arguments,
            "--results", str(self.results), "--data", str(self.data), "--lock-sha256", sha256_of(environment.locks[-1]),
        ]  # fmt: skip
        return supervise(command, clean())
