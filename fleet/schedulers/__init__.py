"""What the fleet needs of a scheduler."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fleet.config import NodeType
from fleet.files import Unanswered, atomic_write, printable
from fleet.folder import Submission
from fleet.plan import Cell
from images.stack import Problem

Key = tuple[int, int]  # submission, task


class Refused(Problem):
    """The scheduler understood and said no."""


@dataclass(frozen=True)
class Task:
    """A task as the scheduler has it."""

    phase: str  # "queued", "running" or "ended"
    outcome: str = ""  # of an ended one: done, failed, timeout, out of memory, stopped, lost
    reason: str = ""
    node: str = ""
    seconds: int = 0  # running for so long
    restart: int = 0
    stuck: bool = False  # queued, but it cannot start as things are
    held: bool = False  # queued again after its node died, and delayed


@dataclass(frozen=True)
class Order:
    """Cells to submit as one job."""

    number: int
    name: str
    type: NodeType
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Prepared:
    """A submission: its command, the files it needs, and both as text for people."""

    command: Sequence[str]
    files: Mapping[Path, str]
    text: str

    def write(self) -> None:
        """Write the files. Raises OSError."""
        for path, content in self.files.items():
            atomic_write(path, content, 0o755)


class Scheduler(Protocol):
    """Slurm, Kubernetes, or a stand-in."""

    @property
    def largest(self) -> int:
        """How many tasks one job may have."""

    def nodes(self, one: NodeType) -> list[str]:
        """Return the names of a type's nodes. Raises Problem if its selector does not determine them."""

    def check(self, orders: Sequence[Order]) -> list[str]:
        """Return what the scheduler would refuse, without submitting anything. Raises Unanswered."""

    def prepare(self, order: Order) -> Prepared:
        """Return what a submission consists of."""

    def submit(self, prepared: Prepared, lock: int) -> str:
        """Submit what was prepared and written; returns the job's id. Raises Refused, Unanswered."""

    def live(self, submissions: Sequence[Submission]) -> dict[Key, Task]:
        """Return the tasks that the scheduler knows. Raises Unanswered."""

    def past(self, submissions: Sequence[Submission]) -> dict[Key, Task]:
        """Return what accounting knows of tasks that ended, {} without accounting."""

    def job_ids(self, submissions: Sequence[Submission]) -> dict[int, str]:
        """Return the jobs of submissions that the scheduler has, by their unique name. Raises Unanswered."""

    def release(self, tasks: Sequence[tuple[Submission, int]]) -> None:
        """Let tasks start now that the scheduler holds back after a node's death."""

    def cancel(self, submissions: Sequence[Submission]) -> list[str]:
        """Stop jobs in order: what is queued at once, what is running with time to save; return what was lost."""

    def log(self, submission: Submission, task: int) -> str:
        """Return the end of a running cell's log if it is not in the run's folder, else ""."""

    def fetch(self, wanted: Mapping[Key, tuple[Cell, str]], submissions: Sequence[Submission]) -> list[str]:
        """Bring attempts that ended into the run's folder; returns what could not be brought."""


def ask(command: Sequence[str], timeout: float = 60, stdin: bytes | None = None, keep: tuple[int, ...] = ()) -> str:
    """Run a scheduler's command; returns its output. Raises Refused with its message, Unanswered if it hangs."""
    return run(command, timeout, stdin, keep).decode("utf-8", "replace")


def run(command: Sequence[str], timeout: float = 60, stdin: bytes | None = None, keep: tuple[int, ...] = ()) -> bytes:
    """Like ``ask``, for output that is not text. ``keep`` are descriptors that the command inherits."""
    if shutil.which(command[0]) is None:
        raise Unanswered(f"{command[0]}: not found; run this where the scheduler's commands are (a login node)")
    try:
        done = subprocess.run(
            command, input=stdin or b"", capture_output=True, timeout=timeout, pass_fds=keep, check=False
        )
    except subprocess.TimeoutExpired:
        raise Unanswered(f"{command[0]} gave no answer within {timeout:.0f} s; try again later") from None
    except OSError as error:
        raise Unanswered(f"{command[0]}: cannot be run: {error.strerror}") from None
    if done.returncode:
        text = done.stderr.decode("utf-8", "replace") or done.stdout.decode("utf-8", "replace")
        message = printable(" ".join(text.split())[:600]) or f"exit status {done.returncode}"
        raise (Unanswered if _is_absence(message) else Refused)(f"{command[0]}: {message}")
    return done.stdout


def _is_absence(message: str) -> bool:
    """Whether a message is not an answer: the scheduler, not the request, is at fault."""
    signs = (
        "unable to contact slurm controller", "connection refused", "connection timed out", "no route to host",
        "socket timed out", "zero bytes were transmitted", "configuration source", "i/o timeout", "was refused",
        "protocol authentication error", "unable to connect to the server", "no such host", "tls handshake timeout",
        "service unavailable", "etcdserver:", "communication connection failure", "controller not responding",
    )  # fmt: skip
    return any(sign in message.lower() for sign in signs)
