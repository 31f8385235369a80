"""One attempt: check the node, start from what earlier attempts finished, run the bench, stop it cleanly if asked to.

Everything goes into the attempt's own folder, so a copy that goes on running after Slurm has started the next attempt
(its slurmd died) changes nothing there; it also stops itself once it sees its successor.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from shutil import which
from types import FrameType
from typing import Any

from fleet.files import tail
from fleet.folder import Attempt, attempts
from fleet.node import exits
from fleet.node.bench import bench_command, bench_environment
from fleet.node.earlier import copy_finished
from fleet.node.hardware import hardware, memory_kills, unexpected
from fleet.node.place import Place
from fleet.node.stream import Stream
from fleet.node.venvs import own_venvs
from fleet.plan import Cell
from fleet.results.records import FINISHED
from images.files import read_json, sha256_of, write_json
from images.stack import ROOT

POLL_SECONDS = 0.5
LOOK_AROUND_SECONDS = 5.0
GRACE_SECONDS = 20.0
SIGNALS = {
    signal.SIGUSR1: ("timeout", "the time limit was reached"),
    signal.SIGINT: ("stopped", "stopped on request"),
    signal.SIGTERM: ("stopped", "stopped by the scheduler"),
}


def main(run: Path, submission: Path) -> int:
    """Run the attempt that the environment describes; returns one of `exits`."""
    os.umask(0o022)
    place = Place.of()
    order = read_json(submission / "submission.json")
    if order is None or order.get("version") != 1:
        print(f"erabench: {submission}/submission.json cannot be read", file=sys.stderr)
        return exits.NO_PROJECT
    if (submission / "abandoned").exists():
        print("erabench: this submission was abandoned before its job started", file=sys.stderr)
        return exits.ABANDONED
    cell = Cell.from_json(order["cells"][place.task])
    try:
        return Supervisor(run, submission, order, cell, place).run()
    except OSError as error:
        print(f"erabench: cannot write the attempt's results: {error}", file=sys.stderr)
        return exits.CANNOT_WRITE


class Supervisor:
    """Owns an attempt's folder and the bench that fills it."""

    def __init__(self, run: Path, submission: Path, order: Mapping[str, Any], cell: Cell, place: Place) -> None:
        self.order, self.cell, self.place, self.submission = order, cell, place, submission
        self.base, self.cells = run, run / "cells" / cell.id
        name = f"{order['number']:04d}-{place.job}_{place.task}.{place.restart}"
        self.me = Attempt(self.cells / name, order["number"], place.job, place.task, place.restart)
        self.results, self.stream = self.me.path / "results", Stream(self.me.path)
        self.began = time.monotonic()
        self.stop: tuple[str, str] | None = None
        self.state: dict[str, Any] = {
            "version": 1,
            "cell": cell.id,
            "node": place.node,
            "clock": time.time(),  # of this node; for people, never for ordering
            "phase": "starting",
        }

    def run(self) -> int:
        """Measure the cell. Raises OSError if the attempt's folder cannot be written."""
        for number in SIGNALS:
            signal.signal(number, self._on_signal)
        self.results.mkdir(parents=True, exist_ok=True)
        (self.me.path / "log").touch()
        found = hardware()
        self._save(hardware=found)
        problem = unexpected(found, self.cell.expect)
        if problem:
            return self._end("failed", f"node {self.place.node}: {problem}", exits.MISMATCH)
        folders = [place / "cells" / self.cell.id for place in (self.submission, self.base)]
        earlier = [one for folder in folders for one in attempts(folder)]
        others = [one for one in earlier if one.path != self.me.path]
        copied = copy_finished(others, self.results, self.cell.profile, found)
        with own_venvs(self.order["venvs"] or self.base / "venvs", self.cell.type, self.place) as (venvs, cache):
            command = bench_command(self.order, self.cell, self.results, self.me.path / "site", venvs)
            if which(command[0]) is None:
                return self._end("failed", f"{command[0]}: not found on the node", exits.NO_COMMAND)
            self._save(phase="running", copied=copied)
            status = self._bench(command, bench_environment(self.order, cache))
        return self._conclude(status)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.stop = self.stop or SIGNALS[signal.Signals(number)]

    def _bench(self, command: Any, environ: dict[str, str]) -> int:
        """Run the bench to its end, or until something asks it to stop."""
        limit = self.began + self.cell.seconds if self.place.by_log else float("inf")
        if self.place.by_log:
            self.stream.send_changes()
        look_around = time.monotonic() + LOOK_AROUND_SECONDS
        with (self.me.path / "log").open("ab") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT, env=environ,
                start_new_session=True,
            )  # fmt: skip
            while process.poll() is None and self.stop is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(POLL_SECONDS)
                if time.monotonic() >= limit:
                    self.stop = SIGNALS[signal.SIGUSR1]
                if time.monotonic() >= look_around:
                    look_around = time.monotonic() + LOOK_AROUND_SECONDS
                    if self.place.by_log:
                        self.stream.send_changes()
                    if self._has_successor():
                        self.stop = ("lost", "a later attempt has taken over")
            if process.poll() is None:
                _stop(process)
            # a bench that waits for a hung disk or GPU does not even end when killed
            return -signal.SIGKILL if process.returncode is None else process.returncode

    def _has_successor(self) -> bool:
        mine = (self.me.submission, self.me.restart)
        return any((one.submission, one.restart) > mine for one in attempts(self.cells))

    def _conclude(self, status: int) -> int:
        """Name the outcome from the bench's exit status and its records."""
        if status == 0:
            return self._end("done", "", exits.DONE)
        rows = self._rows()
        bad = {name: row for name, row in rows.items() if row not in FINISHED}
        ended_by = -status if status < 0 else status - 128
        if self.stop is None and ended_by in SIGNALS:  # the scheduler's signal reached the bench first
            self.stop = SIGNALS[signal.Signals(ended_by)]
        if self.stop is not None:
            outcome, reason = self.stop
            reason = f"{reason}; {len(rows) - len(bad)} of {len(self.cell.expected)} rows finished"
            return self._end(outcome, reason, exits.TIMEOUT if outcome == "timeout" else exits.STOPPED)
        if bad and len(rows) == len(self.cell.expected):
            kinds = {"timeout": "timeout", "out_of_memory": "out of memory"}
            outcome = kinds.get(next(iter(bad.values())), "failed") if len(set(bad.values())) == 1 else "failed"
            return self._end(outcome, f"rows: {', '.join(bad)}", exits.ROWS_FAILED)
        words = f"exit status {status}" if status > 0 else f"killed by {signal.Signals(-status).name}"
        reason = f"{words}: {last_words(self.me.path / 'log')}".rstrip(": ")
        if status == -signal.SIGKILL and memory_kills():
            return self._end("out of memory", reason, exits.ROWS_FAILED)
        return self._end("failed", reason, status if 0 < status < 126 else exits.ROWS_FAILED)

    def _rows(self) -> dict[str, str]:
        folder = self.results / self.cell.type / self.cell.stack
        found = {name: read_json(folder / f"{name}.json") for name in self.cell.expected}
        return {name: str(record.get("status")) for name, record in found.items() if record is not None}

    def _end(self, outcome: str, reason: str, status: int) -> int:
        files = {
            str(path.relative_to(self.results)): sha256_of(path)
            for path in sorted(self.results.glob("*/*/**/*.json"))
            if path.is_file()
        }
        self._save(
            phase="finished",
            outcome=outcome,
            reason=reason,
            exit_status=status,
            seconds=round(time.monotonic() - self.began, 3),
            rows=self._rows(),
            files=files,
        )
        if not self.place.by_log:
            return status
        self.stream.send_all()
        _leave_message(self.state)
        return exits.DONE  # the cell has come to its end; another pod would only measure it again

    def _save(self, **changes: Any) -> None:
        self.state.update(changes)
        write_json(self.me.path / "state.json", self.state)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the bench as Ctrl-C would, which keeps what is finished; then with stronger signals."""
    for number, patience in ((signal.SIGINT, GRACE_SECONDS), (signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
            return


def _leave_message(state: Mapping[str, Any]) -> None:
    """Report to Kubernetes how the cell ended, in at most 4 KB."""
    kept = {key: state.get(key) for key in ("outcome", "exit_status", "seconds")}
    with contextlib.suppress(OSError):
        Path("/dev/termination-log").write_text(json.dumps({**kept, "reason": str(state.get("reason"))[:2000]}))


def last_words(log: Path) -> str:
    """Return what a bench said last: its last error, else its last line."""
    lines = [line.strip() for line in tail(log).splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("erabench:")]
    return (errors or lines or [""])[-1][:300]
