"""A throw-away Slurm cluster for tests, and a fleet run on it. The cluster's program is named by TEST_SLURM."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
STUB = Path(__file__).resolve().parent / "stub_bench.py"
CGROUPS = Path("/sys/fs/cgroup/memory/cgroup.procs")  # of version 1, which the cluster can use
NODES = ("cpu1", "cpu2", "p100", "h100")
TYPES = {"epyc": "--constraint=epyc", "p100": "--gres=gpu:p100:1", "h100": "--gres=gpu:h100:1"}


class Lab:
    """The cluster: nodes cpu1, cpu2 (feature epyc), p100 and h100."""

    def __init__(self, program: str, folder: Path, port: int, **settings: str) -> None:
        self.program, self.run = program, folder
        self.environ = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin", "PORT": str(port), **settings}
        self.call("up")
        self.environ["SLURM_CONF"] = str(folder / "slurm.conf")

    def call(self, *words: str, **settings: str) -> str:
        """Run the lab's program."""
        command = [self.program, *words, str(self.run)]
        done = subprocess.run(command, env={**self.environ, **settings}, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def slurm(self, *command: str) -> str:
        """Run a command of Slurm."""
        return subprocess.run(command, env=self.environ, capture_output=True, text=True, check=True).stdout

    def set(self, name: str, value: object) -> str:
        """Change a setting of the running cluster; returns the former value."""
        path = self.run / "slurm.conf"
        head, former, tail = re.split(rf"(?m)^{name}=(.*)$", path.read_text())
        path.write_text(f"{head}{name}={value}{tail}")
        self.slurm("scontrol", "reconfigure")
        return former

    def stop_controller(self) -> None:
        """Kill slurmctld as a power failure would."""
        os.kill(int((self.run / "pid" / "slurmctld").read_text()), signal.SIGKILL)

    def start_controller(self, saved: Path) -> None:
        """Start slurmctld from an earlier copy of its saved state."""
        shutil.rmtree(self.run / "state")
        shutil.copytree(saved, self.run / "state")
        with (self.run / "log" / "slurmctld.out").open("ab") as log:
            process = subprocess.Popen(
                ["slurmctld", "-D", "-i", "-f", str(self.run / "slurm.conf")], env=self.environ, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        (self.run / "pid" / "slurmctld").write_text(str(process.pid))
        until(lambda: subprocess.run(["scontrol", "ping"], env=self.environ, capture_output=True).returncode == 0, 20)

    def idle(self) -> None:
        """Cancel all jobs, and wait until every node is alive and idle."""
        self.slurm("scancel", "--user=root")
        until(self._are_idle, 60)

    def _are_idle(self) -> bool:
        """Revive dead nodes, since a revived one dies again where a killed process still holds its port."""
        dead = [node for node in NODES if not self._process(node).exists()]
        for node in dead:
            self.call("revive", node)
        return not dead and self.slurm("sinfo", "-h", "-N", "-o", "%T").split() == ["idle"] * len(NODES)

    def _process(self, node: str) -> Path:
        return Path("/proc", (self.run / "pid" / f"slurmd.{node}").read_text().strip())


class Run:
    """A fleet file in a folder of its own, and the commands on it."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.folder, self.environ = folder, dict(environ)
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "fleet.toml"
        self.behave({})

    def behave(self, behaviour: Mapping[str, Any]) -> None:
        """Say how the stub bench behaves."""
        (self.folder / "behaviour.json").write_text(json.dumps(behaviour))

    def write(self, *types: str, fleet: str = "", slurm: str = "", **more: str) -> None:
        """Write the fleet file: the lab's types by name, with more lines for each type."""
        text = f'[fleet]\nscheduler = "slurm"\nprofile = "quick"\n{fleet}\n'
        if "time =" not in fleet:
            text += 'time = "00:10:00"\n'
        text += f"bench = {json.dumps(['python3', str(STUB), '--home', str(self.folder)])}\n[slurm]\n{slurm}\n"
        for name in types:
            text += f'[[node]]\ntype = "{name}"\nstacks = ["cpu"]\n{more.get(name, "")}\n'
            if "slurm =" not in more.get(name, ""):
                text += f'slurm = ["{TYPES.get(name, "--constraint=epyc")}"]\n'
        self.file.write_text(text)

    def command(self, name: str, *options: str, status: int | None = 0) -> str:
        """Run a command of the fleet; returns what it printed."""
        done = subprocess.run(self.words(name, *options), cwd=ROOT, env=self.environ, capture_output=True, text=True)
        text = done.stdout + done.stderr
        assert status is None or done.returncode == status, text
        return text

    def words(self, name: str, *options: str) -> list[str]:
        """Return the command line."""
        return [sys.executable, "-m", "fleet", name, "--fleet", str(self.file), *options]

    def until(self, pattern: str, seconds: float = 60) -> str:
        """Ask for the status until it matches; returns it."""
        found = [""]

        def fits() -> bool:
            found[0] = self.command("fleet-status")
            return re.search(pattern, found[0]) is not None

        until(fits, seconds, lambda: found[0])
        return found[0]

    def gather(self) -> Path:
        """Gather; returns the results folder."""
        results, site = self.folder / "results", self.folder / "site"
        self.command("fleet-gather", "--results", str(results), "--site", str(site), status=None)
        return results

    def page(self) -> str:
        """Return the page that gathering has made."""
        (page,) = (self.folder / "site").rglob("*.markdown")
        return page.read_text()

    def ledger(self, *events: str) -> list[dict[str, Any]]:
        """Return the stub's notes of these events."""
        path = self.folder / "ledger.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [line for line in lines if line["event"] in (events or (line["event"],))]

    def states(self) -> dict[str, dict[str, Any]]:
        """Return the state file of every attempt: <cell>/<attempt> -> state."""
        cells = self.folder / "fleet.run" / "cells"
        paths = cells.glob("*/*/*/state.json")
        return {str(path.parent.relative_to(cells)): json.loads(path.read_text()) for path in paths}

    def journal(self, event: str) -> list[dict[str, Any]]:
        """Return the journal's events of a kind."""
        path = self.folder / "fleet.run" / "journal.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [line for line in lines if line["event"] == event]

    def remove(self) -> None:
        """Forget the run."""
        shutil.rmtree(self.folder / "fleet.run", ignore_errors=True)


def until(fits: Callable[[], bool], seconds: float, text: Callable[[], str] = str) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not fits():
        assert time.monotonic() < deadline, f"not within {seconds} s\n{text()}"
        time.sleep(0.25)
