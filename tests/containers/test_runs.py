"""A run is sealed, its records name what it ran in, and nothing that goes wrong leaves anything behind."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab import BASES, ENGINE, ROOT, Project, engine, needed

from erabench.containers.command import image_id
from erabench.containers.sealed import compose_files, compose_run, variables
from images.recipe import recipe

needed()

CLASSICAL = {"ar", "ar-ols", "ar-polyfit"}
PROGRAM = """
import sys
from pathlib import Path
from erabench.bench.venvs import VenvEngine
from erabench.containers import Containers
from images.stack import Problem
name, stack, framework, results, data, *words = sys.argv[1:]
folders = Path(results), Path(data)
engine = VenvEngine(stack, *folders) if name == "venv" else Containers(name, stack, *folders)
try:
    engine.prepare(framework)
    ended = engine.run(framework, words)
except Problem as problem:
    sys.exit(f"erabench: {problem}")
print(ended.output, end="")
sys.exit(ended.status)
"""
PROBE = """
import glob, json, os, socket

def writable(folder):
    try:
        with open(os.path.join(folder, "probe"), "w"):
            return True
    except OSError:
        return False

status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
print(json.dumps({
    "user": [os.getuid(), os.getgid()],
    "host": socket.gethostname(),
    "capabilities": [status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd")],
    "no new privileges": status["NoNewPrivs"],
    "network": [name for _, name in socket.if_nameindex()],
    "writable": [name for name in "/ /erabench/runners /data /opt/erabench /results /tmp".split() if writable(name)],
    "sockets": glob.glob("/var/run/*.sock") + glob.glob("/run/*.sock"),
}))
"""


class Bench:
    """Runs of the project's own rows on the CPU, with a results folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.results, self.data = folder / "results", folder / "data"

    def start(
        self,
        *words: str,
        engine: str = ENGINE,
        stack: str = "cpu",
        rows: str = "ar,ar-ols",
        stderr: int = subprocess.PIPE,
        **environ: str,
    ) -> subprocess.Popen[str]:
        """Start a smoke run as the driver does."""
        base = BASES["3.6" if stack == "gtx1080" else "3.11"]
        framework = "keras" if rows == "lstm" else "classical"
        command = [
            sys.executable, "-c", PROGRAM, engine, stack, framework, str(self.results), str(self.data), "--rows", rows,
            "--devices", "cpu", "--profile", "smoke", "--machine", "lab", "--stack", stack, "--engine", engine, *words,
        ]  # fmt: skip
        return subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "BASE": base, **environ},
            stdout=subprocess.PIPE, stderr=stderr, text=True, start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip

    def run(self, *words: str, **options: str) -> tuple[int, str, str]:
        """Exit status, standard output and standard error of a run."""
        process = self.start(*words, **options)
        output, errors = process.communicate()
        return process.returncode, output, errors

    def records(self) -> dict[str, dict[str, Any]]:
        return {path.name.split(".")[0]: json.loads(path.read_text()) for path in self.results.glob("*/*/*.json")}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A bench with no results yet; no container is left by it."""
    yield Bench(tmp_path)
    assert engine("ps", "--all", "--quiet", "--filter", "name=erabench-") == ""


def test_rows_agree_to_seven_digits_in_todays_and_in_the_era_s_container(tmp_path: Path) -> None:
    """Every row names the image and lock that it ran in."""
    losses = {}
    for stack in ("cpu", "gtx1080"):
        bench = Bench(tmp_path / stack)
        status, output, errors = bench.run(stack=stack, rows=",".join(sorted(CLASSICAL)))
        assert (status, [row["status"] for row in json.loads(output)["rows"]]) == (0, ["ok"] * 3), errors
        records = bench.records()
        assert set(records) == CLASSICAL
        image = image_id(ENGINE, f"erabench/classical:{stack}")
        for record in records.values():
            assert (record["status"], record["engine"], record["stack"]) == ("ok", ENGINE, stack)
            assert record["provenance"]["image"] == f"{image} on {BASES['3.6' if stack == 'gtx1080' else '3.11']}"
            assert re.fullmatch("[0-9a-f]{64}", record["provenance"]["lock_sha256"])
        scores = {row: record["quality"]["scores"] for row, record in records.items()}
        losses[stack] = {(row, s["protocol"], s["name"]): s["loss"] for row in scores for s in scores[row]}
    assert losses["gtx1080"] == pytest.approx(losses["cpu"], rel=0.5e-7)
    assert losses["cpu"]["ar", "recursive", ""] == pytest.approx(0.01347857, abs=0.5e-8)


@pytest.mark.skipif(os.environ.get("TEST_NETS") != "1", reason="minutes more: TEST_NETS=1 makes Keras twice")
@pytest.mark.parametrize("stack", ["cpu", "gtx1080"])
def test_a_net_learns_the_same_in_an_environment_and_in_a_container(stack: str, tmp_path: Path) -> None:
    """With the same lock, seed and threads on the CPU: to the last digit."""
    learned = []
    for name in ("venv", ENGINE):
        bench = Bench(tmp_path / name)
        status, _, errors = bench.run(engine=name, stack=stack, rows="lstm")
        assert status == 0, errors
        quality = bench.records()["lstm"]["quality"]
        learned.append((quality["scores"], quality["forecasts"], quality["history"]["loss"]))
    assert learned[0] == learned[1]


def test_a_run_is_sealed(built: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No network, no capability, no privilege to gain, nothing writable but results and scratch, no engine socket."""
    made = recipe("cpu", "classical")._replace(stack=built.name)
    environ = variables(ENGINE, made, tmp_path / "results", tmp_path / "data")
    ended = compose_run(ENGINE, made, environ, compose_files(ENGINE, made, False), ["-c", PROBE])
    assert json.loads(ended.output or "{}") == {
        "user": [os.getuid(), os.getgid()],
        "host": "erabench",
        "capabilities": ["0000000000000000"] * 4,
        "no new privileges": "1",
        "network": ["lo"],
        "writable": ["/results", "/tmp"],
        "sockets": [],
    }
    owner = (tmp_path / "results" / "probe").stat()
    assert (owner.st_uid, owner.st_gid) == (os.getuid(), os.getgid())


def test_a_row_that_needs_more_than_the_memory_limit_is_a_result(bench: Bench) -> None:
    """The kernel kills the row's process; the record has the reason, and the next row is measured."""
    status, output, errors = bench.run(rows="ar,ar-ols", MEMORY_LIMIT="80m")
    assert status == 1, errors
    assert {row["row"] for row in json.loads(output)["rows"]} == {"ar", "ar-ols"}
    record = bench.records()["ar"]
    assert (record["status"], record["reason"]["key"]) == ("out_of_memory", "killed-for-memory")


def test_a_container_that_is_killed_names_its_memory_limit(bench: Bench) -> None:
    """Here not even the parent fits."""
    status, _, errors = bench.run(MEMORY_LIMIT="7m")
    assert status == 137, errors
    assert "erabench: the container was killed; its memory limit is 7m (MEMORY_LIMIT)" in errors


def test_a_results_folder_that_cannot_be_written_is_named(bench: Bench) -> None:
    """Before a container starts."""
    bench.results.write_text("")
    status, _, errors = bench.run()
    assert status != 0
    assert f"erabench: RESULTS={bench.results}: cannot be written (" in errors
    assert errors.strip().endswith("choose another RESULTS")


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_run_keeps_what_is_finished_and_leaves_nothing_running(bench: Bench, stop: int) -> None:
    """Ctrl-C, a job scheduler's signal, and a closed terminal."""
    running = bench.start(rows="ar,ar-ols,ar-polyfit")
    for _ in range(900):
        if bench.records() or running.poll() is not None:
            break
        time.sleep(0.1)
    os.killpg(running.pid, stop)
    output, errors = running.communicate(timeout=60)
    assert running.returncode == 130, errors
    assert "stopped; what is finished is kept" in errors
    assert "Traceback" not in errors
    assert json.loads(output)["rows"]
    assert {record["status"] for record in bench.records().values()} == {"ok"}


def test_a_terminal_shows_the_moving_line_of_the_container(bench: Bench) -> None:
    """And standard output has the JSON line alone."""
    leader, follower = pty.openpty()
    running = bench.start(rows="ar-ols", stderr=follower)
    os.close(follower)
    shown = b""
    with contextlib.suppress(OSError):  # the terminal ends with its last process
        while part := os.read(leader, 10_000):
            shown += part
    output = running.communicate()[0]
    assert (running.returncode, len(output.splitlines())) == (0, 1)
    assert b"\r\x1b[K" in shown


def test_of_two_runs_at_once_the_second_waits(bench: Bench) -> None:
    """They never measure at the same time."""
    bench.run(rows="ar-ols")
    both = [bench.start("--force", rows="ar-ols") for _ in range(2)]
    errors = [process.communicate(timeout=300)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], errors
    assert sum("another bench is measuring" in text for text in errors) == 1, errors


@pytest.mark.parametrize("names", [[], ["gpu"], ["gpu-cdi"], ["podman"], ["podman", "gpu-podman"]], ids="+".join)
def test_every_form_of_the_compose_files_is_accepted_and_stays_sealed(names: list[str]) -> None:
    """An override adds the GPU or the user namespace and removes nothing of the seal."""
    files = [
        part for name in ["compose", *(f"compose.{name}" for name in names)] for part in ("--file", f"{name}.yaml")
    ]
    if ENGINE != "docker":
        pytest.skip("podman-compose does not print its reading of the files as JSON")
    config = ["docker", "compose", *files, "config", "--format", "json"]
    chosen = {**os.environ, "CUDA_VISIBLE_DEVICES": "1"}
    (service,) = json.loads(subprocess.check_output(config, cwd=ROOT, env=chosen))["services"].values()
    assert (service["read_only"], service["cap_drop"], service["user"]) == (True, ["ALL"], "10001:10001")
    assert service["network_mode"] == "none"
    assert "no-new-privileges:true" in service["security_opt"]
    assert {mount["target"] for mount in service["volumes"] if not mount.get("read_only")} == {"/results"}
    assert not any("sock" in mount["source"] for mount in service["volumes"])
    assert service["mem_limit"] == service["memswap_limit"]
    assert service["pids_limit"] == 4096
    reserved = service.get("deploy", {}).get("resources", {}).get("reservations", {}).get("devices", [])
    has_gpu = any("gpu" in name for name in names)
    assert bool(reserved or service.get("devices")) == has_gpu
    assert service.get("environment", {}).get("CUDA_VISIBLE_DEVICES") == ("1" if has_gpu else None)
