"""What the bench needs of an engine: virtual environments (``erabench.venvs``) or containers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Ended(NamedTuple):
    """How a run of ``python -m runners`` ended."""

    status: int  # its exit status; 130 after Ctrl-C
    output: str  # its standard output; the last line is the JSON report


class Engine(Protocol):
    """One way to isolate a framework."""

    name: str  # "venv", "docker", "podman": recorded with every result

    def prepare(self, framework: str) -> None:
        """Build the framework's environment or image if it is missing or out of date. Raises Problem."""

    def run(self, framework: str, arguments: Sequence[str]) -> Ended:
        """Run ``python -m runners FRAMEWORK`` with these arguments; standard error is the display.

        The engine adds what only it knows: --results, --data, --lock-sha256 and --image. SIGINT, SIGTERM and SIGHUP
        become one SIGINT for the runner, and the call returns after it ended.
        """
