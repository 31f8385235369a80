"""The engine and the stack are chosen by what answers, and the reason is printed in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from machines import GTX_1080, Machine

from erabench import hardware
from erabench.choose import choose_engine
from images import stack as stacks

NO_DAEMON = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
NO_DRIVER = (
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA "
    "driver is installed and running.\n"
)
OLD_SMI = 'Field "compute_cap" is not a valid field to query.\n'
DOCKER, PODMAN, SILENT_DOCKER = "echo 27.3.1", "echo crun", f"echo '{NO_DAEMON}' >&2; exit 1"
OLD_PODMAN = '[ "$1" = info ] && echo crun'  # before 4.7, without `podman compose`
ONLY_DOCKER = 'case $1 in info) echo 27.3.1 ;; *) echo "docker: no such command" >&2; exit 1 ;; esac'  # no Compose
PROGRAM = """
import sys
from erabench.choose import choose
from images.stack import Problem
try:
    print(choose(*sys.argv[1:]))
except Problem as problem:
    sys.exit(str(problem))
"""


def chosen(machine: Machine, engine: str = "", stack: str = "", **environ: str) -> str:
    """What was chosen and why, or why nothing was."""
    done = machine.python("-c", PROGRAM, engine, stack, **environ)
    return (done.stdout or done.stderr).rstrip("\n")


@pytest.mark.parametrize(
    ("commands", "engine"),
    [
        ({}, "venv (no container engine is installed)"),
        ({"docker": DOCKER, "podman": PODMAN}, "docker (it answers)"),
        ({"docker": SILENT_DOCKER, "podman": PODMAN}, "podman (it answers)"),
        ({"docker": SILENT_DOCKER}, f"venv (docker does not answer ({NO_DAEMON}))"),
        ({"docker": "exec /bin/sleep 60"}, "venv (docker does not answer (no answer within 2 s))"),
        ({"docker": ONLY_DOCKER}, "venv (docker has no Compose (`docker compose version` fails))"),
        (
            {"podman": OLD_PODMAN, "podman-compose": "echo podman-compose version: 1.0.3"},
            "venv (podman has no Compose (`podman compose version` fails, and podman-compose 1.2 or later is not "
            "installed))",
        ),
        (
            {"podman": OLD_PODMAN, "podman-compose": "echo podman-compose version 1.6.0; echo podman version 4.3.1"},
            "podman (it answers)",
        ),
    ],
    ids=[
        "a machine with nothing runs in virtual environments",
        "docker comes before podman",
        "podman if docker has no daemon",
        "a docker client without a daemon is named as the reason",
        "an engine that hangs is given two seconds",
        "docker without compose is no engine",
        "podman-compose 1.0 ignores what seals a run",
        "a new podman-compose serves an old podman",
    ],
)
def test_the_first_engine_that_answers_and_has_compose_is_taken(
    machine: Machine, commands: dict[str, str], engine: str
) -> None:
    """Otherwise the reason is printed, so that the user can start one. Without a GPU the stack is that of the CPU."""
    for name, script in commands.items():
        machine.has(name, script)
    assert chosen(machine) == f"engine {engine}, stack cpu (no NVIDIA GPU)"


@pytest.mark.parametrize(
    ("gpus", "environ", "stack"),
    [
        ("5.2, 570.86.15, NVIDIA GPU\n", {}, "gtx1080 (NVIDIA GPU, compute capability 5.2)"),
        ("6.1, 570.86.15, NVIDIA GPU\n", {}, "gtx1080 (NVIDIA GPU, compute capability 6.1)"),
        ("7.0, 570.86.15, NVIDIA GPU\n", {}, "gtx1080 (NVIDIA GPU, compute capability 7.0)"),
        ("7.5, 570.86.15, NVIDIA GPU\n", {}, "current (NVIDIA GPU, compute capability 7.5)"),
        ("8.9, 570.86.15, NVIDIA GPU\n", {}, "current (NVIDIA GPU, compute capability 8.9)"),
        ("12.0, 570.86.15, NVIDIA GPU\n", {}, "current (NVIDIA GPU, compute capability 12.0)"),
        (
            GTX_1080 + "8.9, 535.183.01, NVIDIA GeForce RTX 4090\n",
            {},
            "gtx1080 (NVIDIA GeForce GTX 1080, compute capability 6.1, the first of 2 GPUs)",
        ),
        (GTX_1080, {"CUDA_VISIBLE_DEVICES": ""}, "cpu (CUDA_VISIBLE_DEVICES hides every GPU)"),
        (GTX_1080, {"CUDA_VISIBLE_DEVICES": "-1"}, "cpu (CUDA_VISIBLE_DEVICES hides every GPU)"),
        (NO_DRIVER, {}, f"cpu (nvidia-smi lists no GPU: {NO_DRIVER[:120]})"),
    ],
)
def test_the_stack_follows_the_first_gpu_that_is_visible(
    machine: Machine, gpus: str, environ: dict[str, str], stack: str
) -> None:
    """Up to 7.0 the era's machine code runs; above, today's. Where there is none, nvidia-smi's words are the reason."""
    machine.prints("docker", "27.3.1\n")
    machine.prints("nvidia-smi", gpus, status=9 if gpus == NO_DRIVER else 0)
    assert chosen(machine, **environ) == f"engine docker (it answers), stack {stack}"


def test_the_visible_gpu_decides_where_one_is_chosen(machine: Machine) -> None:
    """nvidia-smi itself lists all, so it is asked for that one."""
    asked = (
        'case "$*" in *--id=1) echo "9.0, 535.1, NVIDIA H100";; *) echo "6.1, 535.1, NVIDIA GeForce GTX 1080";; esac'
    )
    machine.has("nvidia-smi", asked)
    code = "from erabench.choose import choose_stack; print(*choose_stack(''))"
    assert machine.python("-c", code).stdout.startswith("gtx1080 NVIDIA GeForce GTX 1080")
    assert machine.python("-c", code, CUDA_VISIBLE_DEVICES="1,0").stdout.startswith("current NVIDIA H100")


def test_an_old_nvidia_smi_is_backed_by_the_driver_library(machine: Machine, nvml: dict[str, str]) -> None:
    """nvidia-smi of the era lacks the compute capability; the driver's library has it."""
    machine.prints("docker", "27.3.1\n")
    machine.prints("nvidia-smi", OLD_SMI, status=2)
    said = "stack gtx1080 (NVIDIA GeForce GTX 1080, compute capability 6.1)"
    assert said in chosen(machine, **nvml)


def test_an_old_gpu_without_container_and_old_python_gets_the_cpu_stack(machine: Machine) -> None:
    """The bench runs all the same, and names what is missing."""
    machine.prints("nvidia-smi", GTX_1080)
    assert chosen(machine) == (
        "engine venv (no container engine is installed), stack cpu (NVIDIA GeForce GTX 1080, compute capability 6.1: "
        "that is for stack gtx1080, but Python 3.6 is missing)"
    )


def test_the_era_stack_is_refused_on_a_newer_gpu_unless_forced(machine: Machine) -> None:
    """It has no machine code for it; FORCE_STACK=1 and nothing else overrules that."""
    machine.prints("nvidia-smi", "8.9, 570.86.15, NVIDIA GeForce RTX 4090\n")
    assert chosen(machine, stack="gtx1080") == (
        "STACK=gtx1080: no machine code for NVIDIA GeForce RTX 4090 (compute capability 8.9; the stack ends at 7.0), "
        "so runs hang or give wrong results; choose STACK=current, or FORCE_STACK=1 to run it anyway"
    )
    assert "stack gtx1080 (asked for)" in chosen(machine, "venv", "gtx1080", FORCE_STACK="1")
    assert "no machine code" in chosen(machine, "venv", "gtx1080", FORCE_STACK="0")


def test_an_engine_that_is_asked_for_and_missing_is_an_error(machine: Machine) -> None:
    """Nothing is guessed, and no other is taken instead."""
    assert chosen(machine, "docker") == (
        "ENGINE=docker: docker is not installed; fix that, or choose ENGINE=venv, which needs no container engine"
    )


def test_a_stack_without_bases_is_no_stack_for_containers(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless BASE names one."""
    machine.prints("docker", "27.3.1\n")
    monkeypatch.setenv("PATH", str(machine.bin))
    monkeypatch.delenv("BASE", raising=False)
    monkeypatch.setattr(stacks, "STACKS", tmp_path / "stacks")
    (tmp_path / "stacks" / "bare").mkdir(parents=True)
    (tmp_path / "stacks" / "bare" / "stack.env").write_text("PYTHON_VERSIONS=3.11 3.12 3.13\n")
    (tmp_path / "stacks" / "bare" / "keras.lock").touch()
    assert choose_engine("", "bare") == ("venv", "stack bare names no base image for keras (set BASE)")
    monkeypatch.setenv("BASE", "some/base")
    assert choose_engine("", "bare") == ("docker", "it answers")


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("NVIDIA GeForce GTX 1080", "gtx-1080"),
        ("NVIDIA H100 80GB HBM3", "h100-80gb-hbm3"),
        ("AMD EPYC", "amd-epyc"),
        ("Intel(R) Core(TM) i7-6700K CPU @ 4.00GHz", "intel-core-i7-6700k"),
        ("AMD Ryzen 7 5800X 8-Core Processor", "amd-ryzen-7-5800x"),
    ],
)
def test_the_machine_is_named_by_its_hardware(name: str, plain: str) -> None:
    """No host name and no user name gets into results."""
    assert hardware.plain(name) == plain


def test_a_gpu_names_the_machine_and_else_the_processor_does(machine: Machine) -> None:
    """The name can be a folder."""
    program = "from erabench.hardware import machine_name; print(machine_name())"
    assert machine.python("-c", program).stdout.rstrip().endswith("cpu")
    machine.prints("nvidia-smi", GTX_1080)
    assert machine.python("-c", program).stdout == "gtx-1080\n"
