"""The interface of an engine: virtual environments (``erabench.bench.venvs``) or containers."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Protocol

from images.stack import ROOT

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


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


def clean() -> dict[str, str]:
    """The user's variables without those that change what Python imports."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}


@contextmanager
def stops_go_to(interrupt: Callable[[], None]) -> Iterator[None]:
    """Inside the block, Ctrl-C and other stop signals call ``interrupt`` instead of ending this process."""
    under_nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    heeded = [number for number in STOPS if not (under_nohup and number == signal.SIGHUP)]
    before = {number: signal.signal(number, lambda *_: interrupt()) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def supervise(
    command: Sequence[str],
    environment: dict[str, str],
    interrupt: Callable[[subprocess.Popen[str]], None] = lambda process: process.send_signal(signal.SIGINT),
) -> Ended:
    """Run a command in a session of its own and return how it ended: 130 after a stop signal.

    Such a signal reaches the command only through ``interrupt``, and once: on Ctrl-C in one session, Compose would
    abandon a run before the runner in it has the signal.
    """
    process: subprocess.Popen[str] | None = None
    is_stopped = False

    def stop() -> None:
        nonlocal is_stopped
        is_stopped = True
        if process:
            interrupt(process)

    with stops_go_to(stop):
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip
        if is_stopped:  # before it was started
            interrupt(process)
        output, _ = process.communicate()
    status = process.returncode
    return Ended(130 if is_stopped or status == -signal.SIGINT else 128 - status if status < 0 else status, output)
