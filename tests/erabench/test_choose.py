"""The engine and the stack are chosen by what answers, and the reason is printed in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from machines import GTX_1080, Machine

from erabench import hardware
from erabench.choose import choose_engine
from images import stack as stacks

NO_DAEMON = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n"
NO_DRIVER = (
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA "
    "driver is installed and running.\n"
)
OLD_SMI = 'Field "compute_cap" is not a valid field to query.\n'
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


def test_a_machine_with_nothing_runs_in_virtual_environments_on_the_cpu(machine: Machine) -> None:
    """That is the default."""
    assert chosen(machine) == "engine venv (no container engine is installed), stack cpu (no NVIDIA GPU)"


def test_docker_is_taken_if_it_answers(machine: Machine) -> None:
    """Docker comes before Podman."""
    machine.prints("docker", "27.3.1\n")
    machine.prints("podman", "crun\n")
    assert chosen(machine) == "engine docker (it answers), stack cpu (no NVIDIA GPU)"


def test_podman_is_taken_if_docker_has_no_daemon(machine: Machine) -> None:
    """A Docker client without its daemon is no engine."""
    machine.prints("docker", NO_DAEMON, status=1, stream=2)
    machine.prints("podman", "crun\n")
    assert chosen(machine).startswith("engine podman (it answers)")


def test_a_docker_client_without_a_daemon_is_named_as_the_reason(machine: Machine) -> None:
    """So that the user can start it."""
    machine.prints("docker", NO_DAEMON, status=1, stream=2)
    assert chosen(machine) == (
        "engine venv (docker does not answer (Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is "
        "the docker daemon running?)), stack cpu (no NVIDIA GPU)"
    )


def test_an_engine_that_hangs_is_given_two_seconds(machine: Machine) -> None:
    """A daemon that does not answer does not hold up the bench."""
    machine.has("docker", "exec /bin/sleep 60")
    assert "engine venv (docker does not answer (no answer within 2 s))" in chosen(machine)


def test_docker_without_compose_is_no_engine(machine: Machine) -> None:
    """compose.yaml defines how a container runs."""
    machine.has("docker", 'case $1 in info) echo 27.3.1 ;; *) echo "docker: no such command" >&2; exit 1 ;; esac')
    assert "docker has no Compose (`docker compose version` fails)" in chosen(machine)


def test_an_old_podman_compose_is_no_compose(machine: Machine) -> None:
    """podman-compose 1.0 ignores what seals a run."""
    machine.has("podman", '[ "$1" = info ] && echo crun')
    machine.prints("podman-compose", "podman-compose version: 1.0.3\n")
    assert "podman-compose 1.2 or later is not installed" in chosen(machine)


def test_a_new_podman_compose_serves_an_old_podman(machine: Machine) -> None:
    """Podman before 4.7 has no `podman compose`."""
    machine.has("podman", '[ "$1" = info ] && echo crun')
    machine.prints("podman-compose", "podman-compose version 1.6.0\npodman version 4.3.1\n")
    assert chosen(machine).startswith("engine podman")


@pytest.mark.parametrize(
    ("capability", "stack"),
    [
        ("5.2", "gtx1080"),
        ("6.1", "gtx1080"),
        ("7.0", "gtx1080"),
        ("7.5", "current"),
        ("8.9", "current"),
        ("12.0", "current"),
    ],
)
def test_the_stack_follows_the_compute_capability(machine: Machine, capability: str, stack: str) -> None:
    """Up to 7.0 the era's machine code runs; above, today's."""
    machine.prints("docker", "27.3.1\n")
    machine.prints("nvidia-smi", f"{capability}, 570.86.15, NVIDIA GPU\n")
    said = f"engine docker (it answers), stack {stack} (NVIDIA GPU, compute capability {capability})"
    assert chosen(machine) == said


def test_of_several_gpus_the_first_decides(machine: Machine) -> None:
    """It is the one that frameworks take."""
    machine.prints("docker", "27.3.1\n")
    machine.prints("nvidia-smi", GTX_1080 + "8.9, 535.183.01, NVIDIA GeForce RTX 4090\n")
    said = "stack gtx1080 (NVIDIA GeForce GTX 1080, compute capability 6.1, the first of 2 GPUs)"
    assert said in chosen(machine)


def test_the_visible_gpu_decides_where_one_is_chosen(machine: Machine) -> None:
    """nvidia-smi itself lists all, so it is asked for that one."""
    asked = (
        'case "$*" in *--id=1) echo "9.0, 535.1, NVIDIA H100";; *) echo "6.1, 535.1, NVIDIA GeForce GTX 1080";; esac'
    )
    machine.has("nvidia-smi", asked)
    code = "from erabench.choose import choose_stack; print(*choose_stack(''))"
    assert machine.python("-c", code).stdout.startswith("gtx1080 NVIDIA GeForce GTX 1080")
    assert machine.python("-c", code, CUDA_VISIBLE_DEVICES="1,0").stdout.startswith("current NVIDIA H100")


def test_a_driver_that_does_not_run_is_no_gpu(machine: Machine) -> None:
    """nvidia-smi's own words are the reason."""
    machine.prints("nvidia-smi", NO_DRIVER, status=9)
    assert "stack cpu (nvidia-smi lists no GPU: NVIDIA-SMI has failed because it couldn't commun" in chosen(machine)


def test_an_old_nvidia_smi_is_backed_by_the_driver_library(
    machine: Machine, nvml: Callable[[str], dict[str, str]]
) -> None:
    """nvidia-smi of the era lacks the compute capability; the driver's library has it."""
    machine.prints("docker", "27.3.1\n")
    machine.prints("nvidia-smi", OLD_SMI, status=2)
    said = "stack gtx1080 (NVIDIA GeForce GTX 1080, compute capability 6.1)"
    assert said in chosen(machine, **nvml("card\n"))


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


@pytest.mark.parametrize(
    ("engine", "stack", "said"),
    [
        ("", "gtx980", "STACK=gtx980: no such stack; choose from: 2018, 2019, "),
        ("lxc", "", "ENGINE=lxc: no such engine; choose from: docker, podman, venv"),
        (
            "docker",
            "",
            "ENGINE=docker: docker is not installed; fix that, or choose ENGINE=venv, which needs no container engine",
        ),
    ],
)
def test_what_is_asked_for_and_missing_is_an_error(machine: Machine, engine: str, stack: str, said: str) -> None:
    """Nothing is guessed, and no other is taken instead."""
    assert chosen(machine, engine, stack).startswith(said)


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


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_a_gpu_that_is_hidden_is_none(machine: Machine, hidden: str) -> None:
    """Neither the stack nor the GPU's rows follow it."""
    machine.prints("nvidia-smi", GTX_1080)
    assert chosen(machine, CUDA_VISIBLE_DEVICES=hidden).endswith("stack cpu (CUDA_VISIBLE_DEVICES hides every GPU)")
