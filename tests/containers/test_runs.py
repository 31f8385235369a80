"""A run is sealed, its results say what it ran in, and nothing that goes wrong leaves anything behind."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

import pytest
from lab import BASES, ENGINE, ROOT, engine, needed, results

needed()

AUTOREGRESSIVE = ("ar", "ar-ols", "ar-polyfit")
SCHEMA = json.loads((ROOT / "report" / "schema" / "result.schema.json").read_text())
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
    "capabilities": [status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd")],
    "no new privileges": status["NoNewPrivs"],
    "network": [name for _, name in socket.if_nameindex()],
    "writable": [name for name in "/ /erabench/runners /data /opt/erabench /results /tmp".split() if writable(name)],
    "sockets": glob.glob("/var/run/*.sock") + glob.glob("/run/*.sock"),
}))
"""


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder for all runs: DATA_DIR, else one that the first run fills."""
    return Path(os.environ.get("DATA_DIR") or tmp_path_factory.mktemp("data"))


class Bench:
    """The project's own make, with a results folder of its own."""

    def __init__(self, data: Path, folder: Path) -> None:
        self.folder, self.data = folder, data
        self.results = folder / "results"

    def command(self, stack: str, *targets: str, **variables: str) -> list[str]:
        base = BASES["3.6" if stack == "gtx1080" else "3.11"]
        words = {
            "STACK": stack,
            "ENGINE": ENGINE,
            "BASE": base,
            "PYTHON": sys.executable,
            "MACHINE": "lab",
            "RESULTS": str(self.results),
            "DATA_DIR": str(self.data),
            "PROFILE": "smoke",
            "DEVICE": "cpu",
            **variables,
        }
        return [
            "make",
            "-C",
            str(ROOT),
            "--no-print-directory",
            "-k",
            *targets,
            *(f"{k}={v}" for k, v in words.items()),
        ]

    def run(self, stack: str, *targets: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(stack, *targets, **variables), capture_output=True, text=True)

    def start(self, stack: str, *targets: str, **variables: str) -> subprocess.Popen[str]:
        """Start make as a shell does: as the leader of a process group that gets the Ctrl-C as a whole."""
        return subprocess.Popen(
            self.command(stack, *targets, **variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


@pytest.fixture
def bench(data: Path, tmp_path: Path) -> Bench:
    """A bench with no results yet."""
    return Bench(data, tmp_path)


@functools.cache
def finished(stack: str, engine_name: str, data: Path, folder: Path) -> tuple[int, str, dict[str, Any]]:
    """Exit status, words and results of a smoke run of everything (without PyTorch in a venv)."""
    bench = Bench(data, folder)
    if engine_name == "venv":
        done = bench.run(stack, "run-classical", "run-keras", ENGINE="venv", BASE="")
    else:
        done = bench.run(stack, "run-classical", "run-keras", "run-pytorch")
    return done.returncode, done.stdout + done.stderr, results(bench.results)


@pytest.fixture(scope="session")
def smoke(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A smoke run, once a stack and engine."""
    folders: dict[str, Path] = {}

    def of(stack: str, engine_name: str = ENGINE) -> tuple[int, str, dict[str, Any]]:
        folder = folders.setdefault(stack + engine_name, tmp_path_factory.mktemp(f"{stack}-{engine_name}"))
        return finished(stack, engine_name, data, folder)

    return of


@pytest.mark.parametrize("stack", ["cpu", "gtx1080"])
def test_all_three_frameworks_run_in_their_containers(stack: str, smoke: Any) -> None:
    """Every row is there, valid, and says which image it ran in."""
    validator = pytest.importorskip("jsonschema_rs", reason="there is no JSON Schema validator").validator_for(SCHEMA)
    status, words, found = smoke(stack)
    assert status == 0, words[-3000:]
    listed = subprocess.check_output([sys.executable, "-m", "runners", "--list"], cwd=ROOT, text=True).splitlines()[1:]
    assert sorted(found) == sorted(line.split()[0] for line in listed)
    for model, record in found.items():
        assert (model, [error.message for error in validator.iter_errors(record)]) == (model, [])
        assert (model, record["status"], record["engine"], record["stack"]) == (model, "ok", ENGINE, stack)
        image = engine("image", "inspect", "--format", "{{.Id}}", f"erabench/{record['framework']}:{stack}")
        base = BASES["3.6" if stack == "gtx1080" else "3.11"]
        assert record["provenance"]["image"] == f"{image} on {base}"
        assert re.fullmatch("[0-9a-f]{64}", record["provenance"]["lock_sha256"])


def test_the_autoregressive_rows_agree_to_seven_digits_everywhere(smoke: Any) -> None:
    """In a virtual environment, in today's container and in the era's."""
    rows = [smoke("cpu", "venv")[2], smoke("cpu")[2], smoke("gtx1080")[2]]
    for model in AUTOREGRESSIVE:
        scores = [
            [(s["protocol"], s["name"], s["loss"], s["accuracy"]) for s in row[model]["quality"]["scores"]]
            for row in rows
        ]
        for other in scores[1:]:
            assert [score[:2] for score in other] == [score[:2] for score in scores[0]]
            assert [score[2:] for score in other] == [pytest.approx(score[2:], rel=0.5e-7) for score in scores[0]]


@pytest.mark.parametrize("stack", ["cpu", "gtx1080"])
def test_the_nets_learn_the_same_bit_for_bit_in_a_venv_and_in_a_container(stack: str, smoke: Any) -> None:
    """Same lock, seed and threads on the CPU: the same scores, losses and forecasts to the last digit."""
    status, words, outside = smoke(stack, "venv")
    if status != 0 and "this needs Python" in words:
        pytest.skip(words.strip().splitlines()[-1])
    inside = smoke(stack)[2]
    for model in ("lstm", "lstm-aug", "bilstm"):
        learnt = [record[model]["quality"] for record in (outside, inside)]
        assert learnt[0]["history"]["loss"], model
        for part in ("scores", "forecasts"):
            assert (model, part, learnt[0][part]) == (model, part, learnt[1][part])
        assert (model, learnt[0]["history"]["loss"]) == (model, learnt[1]["history"]["loss"])


def test_nothing_is_measured_again_while_nothing_changed_and_anew_with_another_image(bench: Bench) -> None:
    """A rebuilt image's results are not the old one's."""
    bench.run("cpu", "run-classical", MODEL="ar-ols")
    first = (bench.results / "lab/cpu/ar-ols.cpu.json").read_bytes()
    again = bench.run("cpu", "run-classical", MODEL="ar-ols")
    assert "unchanged" in again.stdout + again.stderr
    assert (bench.results / "lab/cpu/ar-ols.cpu.json").read_bytes() == first
    # Another base is another recipe, so another image.
    engine("tag", BASES["3.11"], "erabench/other-name:test")
    bench.run("cpu", "run-classical", MODEL="ar-ols", BASE="erabench/other-name:test")
    assert (bench.results / "lab/cpu/ar-ols.cpu.json").read_bytes() != first
    engine("rmi", "erabench/other-name:test")


def test_a_run_is_sealed(bench: Bench) -> None:
    """No network, no capability, no privilege to gain, nothing writable but results and scratch, no engine socket."""
    assert bench.run("cpu", "build-classical").returncode == 0
    program = (
        "import sys; sys.argv[1:] = []; import run, recipe; made = recipe.recipe('cpu', 'classical'); "
        f"sys.exit(run.Container('{ENGINE}', made).run('classical', ['-c', {PROBE!r}]))"
    )
    environ = {**os.environ, "BASE": BASES["3.11"], "RESULTS": str(bench.results), "DATA_DIR": str(bench.data)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environ, cwd=ROOT / "images", capture_output=True, text=True
    )
    assert json.loads(done.stdout or "{}") == {
        "user": [os.getuid(), os.getgid()],
        "capabilities": ["0000000000000000"] * 4,
        "no new privileges": "1",
        "network": ["lo"],
        "writable": ["/results", "/tmp"],
        "sockets": [],
    }, done.stderr
    owner = (bench.results / "probe").stat()
    assert (owner.st_uid, owner.st_gid) == (os.getuid(), os.getgid())


def test_a_run_that_needs_more_than_the_memory_limit_is_a_result(bench: Bench) -> None:
    """The kernel kills the child; the row says so, and the bench goes on."""
    done = bench.run("cpu", "run-classical", MODEL="ar,ar-ols", MEMORY_LIMIT="80m")
    found = results(bench.results)
    assert done.returncode != 0
    assert found["ar"]["status"] == "out_of_memory"
    assert "memory" in found["ar"]["reason"]
    assert "ar-ols" in found


def test_a_results_folder_that_cannot_be_written_is_named(bench: Bench, tmp_path: Path) -> None:
    """Before anything is measured."""
    (tmp_path / "file").write_text("")
    done = bench.run("cpu", "run-classical", RESULTS=str(tmp_path / "file"))
    assert done.returncode != 0
    assert f"RESULTS={tmp_path}/file cannot be written: " in done.stderr
    assert "choose another RESULTS" in done.stderr
    assert "Traceback" not in done.stderr


def containers() -> str:
    """The containers of this project that there are, running or not."""
    return engine("ps", "--all", "--quiet", "--filter", "name=erabench-")


def test_ctrl_c_stops_a_run_and_leaves_nothing_running(bench: Bench) -> None:
    """What is finished is kept."""
    running = bench.start("cpu", "run-classical", MODEL="ar,ar-ols,ar-polyfit")
    first = bench.results / "lab" / "cpu" / "ar.cpu.json"
    for _ in range(900):
        if first.exists() or running.poll() is not None:
            break
        time.sleep(0.1)
    os.killpg(running.pid, signal.SIGINT)
    words = running.communicate(timeout=60)[0]
    assert running.returncode != 0, words
    assert "stopped; what is finished is kept" in words
    assert "Traceback" not in words
    assert containers() == ""
    assert results(bench.results)["ar"]["status"] == "ok"


def test_ctrl_c_at_a_terminal_stops_make_as_a_whole(bench: Bench) -> None:
    """A terminal hands it to the container alone, so make has to be told."""
    run = bench.command("cpu", "run-classical", "run-pytorch", MODEL="ar,ar-ols,ar-polyfit,densenet-24x3")
    assert bench.run("cpu", "build-classical", "build-pytorch").returncode == 0
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        run, stdin=follower, stdout=follower, stderr=follower, preexec_fn=lambda: own_terminal(follower)
    )
    os.close(follower)
    words = b""
    while b"ar " not in words:
        words += os.read(leader, 10_000)
    os.write(leader, b"\x03")
    with contextlib.suppress(OSError):  # the terminal ends with its last process
        while part := os.read(leader, 10_000):
            words += part
    assert process.wait(timeout=60) != 0
    assert b"stopped; what is finished is kept" in words
    assert b"densenet" not in words
    assert containers() == ""


def own_terminal(terminal: int) -> None:
    """Make a terminal that of a new session, as a terminal window does for its shell."""
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a CI job may have been told to ignore it


def test_of_two_benches_at_once_the_second_waits_and_says_so(bench: Bench) -> None:
    """They never measure at the same time."""
    assert bench.run("cpu", "build-classical").returncode == 0
    both = [bench.start("cpu", "run-classical", MODEL="ar,ar-ols", FORCE="1") for _ in range(2)]
    words = [process.communicate(timeout=300)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], words
    assert sum("another bench is measuring" in text for text in words) == 1
    assert containers() == ""


def test_the_container_starts_within_a_second(bench: Bench) -> None:
    """From the command to the runner's first line, beside the framework's import."""
    assert bench.run("cpu", "build-classical").returncode == 0
    image = "erabench/classical:cpu"
    times = []
    for _ in range(5):
        began = time.monotonic()
        assert (
            engine("run", "--rm", "--network", "none", "--read-only", image, "-c", "print('first line')")
            == "first line"
        )
        times.append(time.monotonic() - began)
    print(f"container start: {sorted(times)[2]:.2f} s")
    assert sorted(times)[2] <= (1.0 if os.environ.get("QUIET_MACHINE") == "1" else 5.0)


@pytest.mark.parametrize(
    ("framework", "stack", "most"), [("classical", "cpu", 450), ("classical", "gtx1080", 300), ("keras", "cpu", 2000)]
)
def test_an_image_is_no_larger_than_it_must(framework: str, stack: str, most: int, bench: Bench) -> None:
    """Megabytes above the base."""
    assert bench.run(stack, f"build-{framework}").returncode == 0
    base = BASES["3.6" if stack == "gtx1080" else "3.11"]
    sizes = [
        int(engine("image", "inspect", "--format", "{{.Size}}", name))
        for name in (f"erabench/{framework}:{stack}", base)
    ]
    megabytes = (sizes[0] - sizes[1]) / 1e6
    print(f"{framework} in {stack}: {megabytes:.0f} MB above its base")
    assert megabytes <= most


@pytest.mark.parametrize("names", [[], ["gpu"], ["gpu-cdi"], ["podman"], ["podman", "gpu-podman"]], ids="+".join)
def test_every_form_of_the_compose_files_is_accepted_and_stays_sealed(names: list[str]) -> None:
    """An override adds the card or the user namespace and takes nothing of the seal away."""
    files = [
        part for name in ["compose", *(f"compose.{name}" for name in names)] for part in ("--file", f"{name}.yaml")
    ]
    if ENGINE != "docker":
        pytest.skip("podman-compose does not print its reading of the files as JSON")
    services = json.loads(
        subprocess.check_output(["docker", "compose", *files, "config", "--format", "json"], cwd=ROOT)
    )
    for name, service in services["services"].items():
        assert (service["read_only"], service["cap_drop"], service["user"]) == (True, ["ALL"], "10001:10001")
        assert (service["network_mode"] == "none", name) in [(True, name), (False, "fetch")]
        assert "no-new-privileges:true" in service["security_opt"]
        writable = {mount["target"] for mount in service["volumes"] if not mount.get("read_only")}
        assert writable == {"report": {"/site"}, "fetch": {"/data"}}.get(name, {"/results"})
        assert not any("sock" in mount["source"] for mount in service["volumes"])
        assert service["mem_limit"] == service["memswap_limit"]
        assert service["pids_limit"] == 4096
    card = services["services"]["keras"]
    reserved = card.get("deploy", {}).get("resources", {}).get("reservations", {}).get("devices", [])
    assert bool(reserved or card.get("devices")) == any("gpu" in name for name in names)
