"""An attempt on a node, started as Slurm would start it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from fake_scheduler import leave_attempt, started
from fleet_lab import ROOT, STUB, until

from fleet.folder import attempts
from fleet.node import exits
from fleet.node.hardware import differs, hardware, unexpected
from fleet.schedulers import Order
from fleet.schedulers.slurm_files import submission_files


class Node:
    """A submission's folder, and attempts on it."""

    def __init__(self, folder: Path, **behaviour: Any) -> None:
        (folder / "behaviour.json").write_text(json.dumps({"": {"seconds": 0.05} | behaviour}))
        bench = [sys.executable, str(STUB), "--home", str(folder)]
        trial = started(folder, "epyc", bench=bench, rows=["lstm", "bilstm"])
        self.run = trial.folder
        (self.cell,) = self.run.cells()
        order = Order(1, "erabench-x-0001", trial.fleet.types[0], [self.cell])
        for path, text in submission_files(trial.fleet, self.run, order)[2].items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def start(self, restart: int = 0, **environ: str) -> subprocess.Popen[bytes]:
        """Start an attempt."""
        environ |= {"SLURM_ARRAY_JOB_ID": "1", "SLURM_ARRAY_TASK_ID": "0", "SLURMD_NODENAME": "cpu1"}
        environ |= {"SLURM_RESTART_COUNT": str(restart)} if restart else {}
        command = [sys.executable, "-m", "fleet.node", str(self.run.path), str(self.run.submission(1))]
        return subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environ}, stderr=subprocess.PIPE)

    def state(self, number: int = -1) -> dict[str, Any]:
        """Return an attempt's state, by default the newest one's."""
        return attempts(self.run.cell(self.cell.id))[number].state

    def measured(self) -> list[str]:
        """Return the rows that were measured, in order."""
        lines = [json.loads(line) for line in (self.run.path.parent / "ledger.jsonl").read_text().splitlines()]
        return [line["row"] for line in lines if line["event"] == "measured"]


def test_an_attempt_runs_the_bench_with_the_cells_own_variables(tmp_path: Path) -> None:
    """Nothing of the submitting shell decides what is measured; every file is listed with its SHA-256."""
    node = Node(tmp_path)
    assert node.start(MODEL="sarimax", MAKEFLAGS="-n", STACK="gtx1080").wait() == exits.DONE
    seen = json.loads((tmp_path / "seen-epyc.json").read_text())
    assert [seen[name] for name in ("model", "stack", "engine", "device", "machine")] == [
        "lstm,bilstm", "cpu", "venv", "cpu", "epyc",
    ]  # fmt: skip
    assert not {"MODEL", "MAKEFLAGS", "STACK"} & set(seen["environ"])
    assert seen["venvs"] == f"{node.run.path}/venvs/epyc/cpu1"
    assert seen["environ"]["UV_CACHE_DIR"] == os.environ.get("UV_CACHE_DIR", f"{node.run.path}/venvs/epyc/uv-cache")
    state = node.state()
    assert (state["outcome"], state["node"], state["rows"]) == ("done", "cpu1", {"lstm.cpu": "ok", "bilstm.cpu": "ok"})
    assert sorted(state["files"]) == ["epyc/cpu/bilstm.cpu.json", "epyc/cpu/lstm.cpu.json"]


def test_finished_rows_and_checkpoints_of_equal_nodes_are_taken_over(tmp_path: Path) -> None:
    """Attempts on other hardware and records of another profile are left alone: they are never mixed."""
    node = Node(tmp_path)
    path = leave_attempt(node.run, node.cell, restart=0, phase="running", rows=["lstm.cpu"], hardware=hardware())
    (path / "results/epyc/cpu/.checkpoints/bilstm").mkdir(parents=True)
    (path / "results/epyc/cpu/.checkpoints/bilstm/state").write_text("epoch 3")
    assert node.start(1).wait() == 0
    assert node.measured() == ["bilstm"]
    assert node.state()["copied"] == {"epyc/cpu/lstm.cpu.json": "0001-1_0.0"}
    profile = json.loads((path / "results/epyc/cpu/lstm.cpu.json").read_text()) | {"profile": "full"}
    for attempt in attempts(node.run.cell(node.cell.id)):
        (attempt.path / "results/epyc/cpu/lstm.cpu.json").write_text(json.dumps(profile))
    assert node.start(2).wait() == 0
    assert node.measured() == ["bilstm", "lstm"]
    other = hardware() | {"gpus": ["Tesla P100"]}
    for attempt in attempts(node.run.cell(node.cell.id)):
        (attempt.path / "state.json").write_text(json.dumps(attempt.state | {"hardware": other}))
    assert node.start(3).wait() == 0
    assert node.measured() == ["bilstm", "lstm", "lstm", "bilstm"]


def test_a_node_that_is_not_what_the_file_expects_measures_nothing(tmp_path: Path) -> None:
    """The reason names the node, what was expected and what was found."""
    node = Node(tmp_path)
    path = node.run.submission(1) / "submission.json"
    order = json.loads(path.read_text())
    order["cells"][0]["expect"] = {"gpu": "H100"}
    path.write_text(json.dumps(order))
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "nvidia-smi").write_text("#!/bin/sh\necho 'Tesla P100-PCIE-16GB, 16280, 535.1'\n")
    (tools / "nvidia-smi").chmod(0o755)
    assert node.start(PATH=f"{tools}:{os.environ['PATH']}").wait() == exits.MISMATCH
    assert node.state()["reason"] == "node cpu1: expected gpu 'H100', found 'Tesla P100-PCIE-16GB'"


@pytest.mark.parametrize(
    ("number", "to_bench", "status", "outcome", "reason"),
    [
        (signal.SIGUSR1, False, exits.TIMEOUT, "timeout", "the time limit was reached"),
        (signal.SIGINT, False, exits.STOPPED, "stopped", "stopped on request"),
        (signal.SIGTERM, False, exits.STOPPED, "stopped", "stopped by the scheduler"),
        (signal.SIGINT, True, exits.STOPPED, "stopped", "stopped on request"),
        (signal.SIGTERM, True, exits.STOPPED, "stopped", "stopped by the scheduler"),
    ],
)
def test_a_signal_stops_the_bench_and_keeps_finished_rows(
    tmp_path: Path, number: signal.Signals, to_bench: bool, status: int, outcome: str, reason: str
) -> None:
    """A limit, a cancellation and the scheduler's end are told apart, also if the bench has the signal before us."""
    node = Node(tmp_path, seconds=[0.05, 600])
    process = node.start()
    until(lambda: (tmp_path / "ledger.jsonl").exists() and node.measured() == ["lstm"], 30)
    start = json.loads((tmp_path / "ledger.jsonl").read_text().splitlines()[0])
    os.kill(start["pid"] if to_bench else process.pid, number)
    assert process.wait() == status
    assert (node.state()["outcome"], node.state()["reason"]) == (outcome, f"{reason}; 1 of 2 rows finished")
    assert node.state()["rows"] == {"lstm.cpu": "ok"}


def test_a_bench_that_does_not_listen_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Patience ends; nothing of the bench is left running."""
    from fleet.node import attempt

    monkeypatch.setattr(attempt, "GRACE_SECONDS", 0.3)
    command = [sys.executable, "-c", "import signal, time; signal.signal(2, signal.SIG_IGN); print(1); time.sleep(60)"]
    process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE)
    process.stdout.readline()
    attempt._stop(process)
    assert process.returncode == -signal.SIGTERM


def test_a_failed_row_and_a_failed_bench_are_told_apart(tmp_path: Path) -> None:
    """With a record for every row the rows are named; otherwise the bench's last words are."""
    node = Node(tmp_path, fail=["bilstm"], exit=1)
    assert node.start().wait() == exits.ROWS_FAILED
    assert (node.state()["outcome"], node.state()["reason"]) == ("failed", "rows: bilstm.cpu")
    (tmp_path / "behaviour.json").write_text('{"": {"exit": 3, "seconds": 0}}')
    assert node.start(1).wait() == 3
    assert node.state()["reason"].startswith("exit status 3: erabench: the stub ends with 3")


def test_an_abandoned_submission_does_nothing(tmp_path: Path) -> None:
    """A job that reached the scheduler after its submission was given up leaves no attempt."""
    node = Node(tmp_path)
    (node.run.submission(1) / "abandoned").touch()
    assert node.start().wait() == exits.ABANDONED
    assert attempts(node.run.cell(node.cell.id)) == []


def test_a_folder_that_cannot_be_written_is_told_by_the_exit_status(tmp_path: Path) -> None:
    """The message is on standard error, which is the job's log."""
    node = Node(tmp_path)
    (node.run.path / "cells").write_text("a file where a folder belongs")
    process = node.start()
    _, errors = process.communicate()
    assert process.returncode == exits.CANNOT_WRITE
    assert b"erabench: cannot write the attempt's results: " in errors


def test_two_attempts_never_build_into_one_folder(tmp_path: Path) -> None:
    """An attempt waits for a leftover that stops itself; environments belong to one node at a time."""
    node = Node(tmp_path, seconds=[0.05, 600])
    first = node.start()
    until(lambda: (tmp_path / "ledger.jsonl").exists(), 30)
    (tmp_path / "behaviour.json").write_text('{"": {"seconds": 0}}')
    began = time.monotonic()
    assert node.start(1).wait() == 0
    assert time.monotonic() - began < 60
    assert first.wait() == exits.STOPPED
    assert node.state(0)["reason"].startswith("a later attempt has taken over")


def test_hardware_is_compared_with_room_for_memory() -> None:
    """Two percent of memory is firmware; anything else is another machine."""
    one = {"cpu": "EPYC", "logical_cpus": 8, "gpus": ["H100"], "driver": "580", "memory_bytes": 100.0}
    assert not differs(one, one | {"memory_bytes": 98.5})
    assert differs(one, one | {"memory_bytes": 97})
    assert differs(one, one | {"gpus": ["H100", "H100"]})
    assert unexpected(one, {"gpu": "h100", "gpus": "1", "driver": "58", "cpu": "epyc"}) == ""
    assert unexpected(one, {"gpus": "2"}) == "expected gpus '2', found '1'"
