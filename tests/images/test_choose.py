"""The engine and the stack are chosen from what answers, and the reason is said in one line."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable

import pytest
from machines import GTX_1080, ROOT, Machine

NO_DAEMON = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n"
NO_DRIVER = (
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA "
    "driver is installed and running.\n"
)
OLD_SMI = 'Field "compute_cap" is not a valid field to query.\n'


def chosen(machine: Machine, engine: str = "", stack: str = "", **environ: str) -> tuple[int, str, str]:
    done = machine.run("choose.py", "--engine", engine, "--stack", stack, **environ)
    return done.returncode, done.stdout, done.stderr


def test_a_machine_with_nothing_runs_in_virtual_environments_on_the_cpu(machine: Machine) -> None:
    """The embedded default."""
    said = "erabench: engine venv (no container engine is installed), stack cpu (no NVIDIA GPU)\n"
    assert chosen(machine) == (0, "ENGINE=venv STACK=cpu\n", said)


def test_docker_is_taken_where_it_answers(machine: Machine) -> None:
    """Docker comes before Podman."""
    machine.prints("docker", "27.3.1\n")
    machine.prints("podman", "crun\n")
    said = "erabench: engine docker (it answers), stack cpu (no NVIDIA GPU)\n"
    assert chosen(machine) == (0, "ENGINE=docker STACK=cpu\n", said)


def test_podman_is_taken_where_docker_has_no_daemon(machine: Machine) -> None:
    """A Docker client without its daemon is no engine."""
    machine.prints("docker", NO_DAEMON, status=1, stream=2)
    machine.prints("podman", "crun\n")
    assert chosen(machine)[1] == "ENGINE=podman STACK=cpu\n"


def test_a_docker_client_without_a_daemon_is_named_as_the_reason(machine: Machine) -> None:
    """So that the person can start it."""
    machine.prints("docker", NO_DAEMON, status=1, stream=2)
    said = (
        "erabench: engine venv (docker does not answer (Cannot connect to the Docker daemon at "
        "unix:///var/run/docker.sock. Is the docker daemon running?)), stack cpu (no NVIDIA GPU)\n"
    )
    assert chosen(machine) == (0, "ENGINE=venv STACK=cpu\n", said)


def test_an_engine_that_hangs_is_given_two_seconds(machine: Machine) -> None:
    """A daemon that does not answer does not hold up the bench."""
    machine.has("docker", "exec /bin/sleep 60")
    began = time.monotonic()
    status, choice, said = chosen(machine)
    assert (status, choice) == (0, "ENGINE=venv STACK=cpu\n")
    assert "docker does not answer (not within 2 s)" in said
    assert time.monotonic() - began < 10


def test_docker_without_compose_is_no_engine(machine: Machine) -> None:
    """compose.yaml says how a container runs."""
    machine.has("docker", 'case $1 in info) echo 27.3.1 ;; *) echo "docker: no such command" >&2; exit 1 ;; esac')
    assert "docker has no Compose (`docker compose version` fails)" in chosen(machine)[2]


def test_an_old_podman_compose_is_no_compose(machine: Machine) -> None:
    """podman-compose 1.0 ignores what seals a run."""
    machine.has("podman", '[ "$1" = info ] && echo crun')
    machine.prints("podman-compose", "podman-compose version: 1.0.3\n")
    assert "there is no podman-compose 1.2 or later" in chosen(machine)[2]


def test_a_new_podman_compose_serves_an_old_podman(machine: Machine) -> None:
    """Podman before 4.7 has no `podman compose`."""
    machine.has("podman", '[ "$1" = info ] && echo crun')
    machine.prints("podman-compose", "podman-compose version 1.6.0\npodman version 4.3.1\n")
    assert chosen(machine)[1] == "ENGINE=podman STACK=cpu\n"


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
    machine.prints("nvidia-smi", f"{capability}, 570.86.15, NVIDIA card\n")
    said = f"erabench: engine docker (it answers), stack {stack} (NVIDIA card, compute capability {capability})\n"
    assert chosen(machine) == (0, f"ENGINE=docker STACK={stack}\n", said)


def test_of_several_cards_the_first_decides(machine: Machine) -> None:
    """It is the one that frameworks take."""
    machine.prints("docker", "27.3.1\n")
    machine.prints("nvidia-smi", GTX_1080 + "8.9, 535.183.01, NVIDIA GeForce RTX 4090\n")
    assert "stack gtx1080 (NVIDIA GeForce GTX 1080, compute capability 6.1, the first of 2 cards)" in chosen(machine)[2]


def test_a_driver_that_does_not_run_is_no_card(machine: Machine) -> None:
    """nvidia-smi's own words are the reason."""
    machine.prints("nvidia-smi", NO_DRIVER, status=9)
    status, choice, said = chosen(machine)
    assert (status, choice) == (0, "ENGINE=venv STACK=cpu\n")
    assert "stack cpu (nvidia-smi lists no GPU: NVIDIA-SMI has failed because it couldn't communicate with" in said


def test_an_old_nvidia_smi_is_backed_by_the_driver_library(
    machine: Machine, nvml: Callable[[str], dict[str, str]]
) -> None:
    """nvidia-smi of the era knows no compute capability; the driver's library does."""
    machine.prints("docker", "27.3.1\n")
    machine.prints("nvidia-smi", OLD_SMI, status=2)
    said = chosen(machine, **nvml("card\n"))[2]
    assert "stack gtx1080 (NVIDIA GeForce GTX 1080, compute capability 6.1)" in said


def test_an_old_card_without_container_and_old_python_gets_the_cpu_stack(machine: Machine) -> None:
    """The bench runs all the same, and says what is missing."""
    machine.prints("nvidia-smi", GTX_1080)
    said = (
        "erabench: engine venv (no container engine is installed), stack cpu (NVIDIA GeForce GTX 1080, compute "
        "capability 6.1: that is for stack gtx1080, but there is no Python 3.6 here)\n"
    )
    assert chosen(machine) == (0, "ENGINE=venv STACK=cpu\n", said)


def test_the_era_stack_is_refused_on_a_newer_card(machine: Machine) -> None:
    """It has no machine code for it."""
    machine.prints("nvidia-smi", "8.9, 570.86.15, NVIDIA GeForce RTX 4090\n")
    said = (
        "erabench: STACK=gtx1080: it has no machine code for NVIDIA GeForce RTX 4090 (compute capability 8.9, and the "
        "stack ends at 7.0): runs hang or give wrong results. Take STACK=current, or FORCE_STACK=1 to run it all the "
        "same.\n"
    )
    assert chosen(machine, stack="gtx1080") == (2, "", said)


def test_the_refusal_can_be_overruled(machine: Machine) -> None:
    """By FORCE_STACK=1 and nothing else."""
    machine.prints("nvidia-smi", "8.9, 570.86.15, NVIDIA GeForce RTX 4090\n")
    assert chosen(machine, "venv", "gtx1080", FORCE_STACK="1")[:2] == (0, "ENGINE=venv STACK=gtx1080\n")
    assert chosen(machine, "venv", "gtx1080", FORCE_STACK="0")[0] == 2


def test_an_unknown_stack_is_named_with_those_there_are(machine: Machine) -> None:
    """A stack is a folder."""
    said = "erabench: STACK=gtx980: there is no such stack. Take one of: cpu, current, gtx1080.\n"
    assert chosen(machine, stack="gtx980") == (2, "", said)


def test_an_unknown_engine_is_named_with_those_there_are(machine: Machine) -> None:
    """Nothing is guessed."""
    said = "erabench: ENGINE=lxc: there is no such engine. Take one of: docker, podman, venv.\n"
    assert chosen(machine, engine="lxc") == (2, "", said)


def test_an_engine_asked_for_that_is_not_there_is_an_error(machine: Machine) -> None:
    """No other is taken in its place."""
    said = (
        "erabench: ENGINE=docker: docker is not installed. Mend that, or take ENGINE=venv, which needs no container "
        "engine.\n"
    )
    assert chosen(machine, engine="docker") == (2, "", said)


def test_a_stack_without_bases_is_no_stack_for_containers(machine: Machine) -> None:
    """Unless BASE names one."""
    machine.prints("docker", "27.3.1\n")
    shutil.copytree(ROOT / "images", machine.folder / "images", ignore=shutil.ignore_patterns("__pycache__"))
    bare = machine.folder / "images" / "stacks" / "bare"
    bare.mkdir()
    (bare / "stack.env").write_text("PYTHON_VERSIONS=3.11 3.12 3.13\nBASE_KERAS=\n")

    def choose(**environ: str) -> tuple[str, str]:
        done = machine.run(str(machine.folder / "images" / "choose.py"), "--stack", "bare", **environ)
        return done.stdout, done.stderr

    said = "erabench: engine venv (stack bare names no base image for keras (set BASE)), stack bare (asked for)\n"
    assert choose() == ("ENGINE=venv STACK=bare\n", said)
    assert choose(BASE="some/base")[0] == "ENGINE=docker STACK=bare\n"


def test_the_reasons_go_to_standard_error_so_that_make_reads_only_the_choice(machine: Machine) -> None:
    """Standard output is two assignments."""
    assert chosen(machine)[1].split() == ["ENGINE=venv", "STACK=cpu"]
