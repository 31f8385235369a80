"""`make doctor` says in one line each what is there, what is not, and the cure."""

from __future__ import annotations

import re

import pytest
from machines import GTX_1080, Machine
from stack import settings

DOCKER = """case "$*" in
  "info --format {{{{.ServerVersion}}}}") echo 27.3.1 ;;
  "info --format {{{{json .Runtimes}}}}") echo '{runtimes}' ;;
  "compose version") echo "Docker Compose version v2.29.7" ;;
  "manifest inspect"*) {manifest} ;;
  *) exit 1 ;;
esac"""
RUNC = '{"runc":{"path":"runc"}}'
NVIDIA = '{"nvidia":{"path":"nvidia-container-runtime"},"runc":{"path":"runc"}}'


def docker(machine: Machine, runtimes: str = RUNC, reachable: bool = True) -> None:
    """A Docker that answers as the real one does."""
    machine.has("docker", DOCKER.format(runtimes=runtimes, manifest="echo '{}'" if reachable else "exit 1"))


def nvidia(machine: Machine, card: str, processes: str = "") -> None:
    """An nvidia-smi with a card and what runs on it."""
    (machine.folder / "card").write_text(card)
    (machine.folder / "processes").write_text(processes)
    machine.has("nvidia-smi", f'case "$1" in *compute-apps*) /bin/cat {machine.folder}/processes ;; '
                              f"*) /bin/cat {machine.folder}/card ;; esac")  # fmt: skip


def examined(machine: Machine, *arguments: str, **environ: str) -> tuple[int, list[str]]:
    """The exit status, and the lines without those that tell of the machine the tests run on."""
    done = machine.run("doctor.py", *arguments, **environ)
    assert done.stderr == ""
    own = re.compile(r"(ok  |warn|fail)  (disk|memory|clock|python) |(ok  |warn)  load +[0-9.]+ on ")
    return done.returncode, [line for line in done.stdout.splitlines() if not own.match(line)]


def test_a_machine_of_the_era_is_shown_line_by_line(machine: Machine) -> None:
    """Everything a GTX 1080 with Docker needs is there, and only the data are still to come."""
    docker(machine, NVIDIA)
    nvidia(machine, GTX_1080)
    pytorch, keras = settings("gtx1080")["BASE_PYTORCH"], settings("gtx1080")["BASE_KERAS"]
    assert examined(machine) == (0, [
        "ok    choice    engine docker (it answers), stack gtx1080 (NVIDIA GeForce GTX 1080, compute capability 6.1)",
        "ok    engine    docker answers",
        "ok    engine    podman is not installed  ->  install or start it to run in containers; the bench runs without",
        "ok    card      NVIDIA GeForce GTX 1080, compute capability 6.1, driver 535.183.01",
        "ok    driver    535.183.01 for keras, which needs 410.48",
        "ok    driver    535.183.01 for pytorch, which needs 384.81",
        "ok    toolkit   Docker has the NVIDIA runtime",
        "ok    load      no other program on the card",
        f"warn  data      none yet in {machine.folder}/.cache/erabench/data  ->  the first bench fetches them; without "
        "a network, copy them there (docs/containers.md)",
        f"ok    base      {pytorch} can be pulled",
        f"ok    base      {keras} can be pulled",
        f"ok    base      {pytorch} can be pulled",
        "The bench can run.",
    ])  # fmt: skip


def test_a_base_that_cannot_be_reached_stops_the_bench(machine: Machine) -> None:
    """With the variables that help."""
    docker(machine, reachable=False)
    status, lines = examined(machine)
    python = "python:3.11.16-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b"
    assert status == 1
    assert (
        f"fail  base      {python} cannot be reached  ->  set BASE_KERAS or BASE to an image you have, REGISTRY to a "
        "mirror, or ENGINE=venv"
    ) in lines
    assert lines[-1] == "The bench cannot run: see the lines with fail."


def test_a_driver_too_old_for_the_stack_stops_the_bench(machine: Machine) -> None:
    """CUDA 13 needs driver 580 or later."""
    docker(machine, NVIDIA)
    nvidia(machine, "8.9, 535.183.01, NVIDIA GeForce RTX 4090\n")
    status, lines = examined(machine)
    assert status == 1
    assert (
        "fail  driver    535.183.01 is too old for pytorch of stack current, which needs 580.65  ->  install a newer "
        "NVIDIA driver, or take an older STACK"
    ) in lines


def test_docker_without_the_nvidia_toolkit_is_warned_of(machine: Machine) -> None:
    """CPU rows still run."""
    docker(machine)
    nvidia(machine, GTX_1080)
    status, lines = examined(machine)
    assert status == 0
    assert (
        "warn  toolkit   docker cannot give a container the card  ->  install the NVIDIA Container Toolkit, then: "
        "nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml"
    ) in lines


def test_a_card_without_machine_code_is_warned_of(machine: Machine) -> None:
    """TensorFlow has none for Blackwell."""
    nvidia(machine, "12.0, 580.95.05, NVIDIA GeForce RTX 5090\n")
    status, lines = examined(machine, "--engine", "venv")
    assert status == 0
    assert (
        "warn  card      keras of stack current has machine code for 6.0 7.0 8.0 8.9 9.0, not for 12.0  ->  its GPU "
        "rows will be skipped or fail; take another STACK"
    ) in lines
    assert not any("pytorch of stack" in line and line.startswith("warn") for line in lines)


def test_another_program_on_the_card_is_warned_of(machine: Machine) -> None:
    """Its work would be measured too."""
    nvidia(machine, GTX_1080, processes="4242, python\n")
    lines = examined(machine, "--engine", "venv", "--stack", "cpu")[1]
    warning = "warn  load      other programs on the card: 4242, python  ->  end them, or their work is measured too"
    assert warning in lines


def test_data_that_are_there_are_counted(machine: Machine) -> None:
    """In the folder that DATA_DIR names."""
    data = machine.folder / "my data"
    data.mkdir()
    (data / "household.npy").write_bytes(bytes(2_000_000))
    lines = examined(machine, DATA_DIR=str(data))[1]
    assert f"ok    data      1 files, 2 MB in {data}" in lines


def test_a_wrong_stack_is_an_error_and_no_examination(machine: Machine) -> None:
    """One line, exit status 2."""
    done = machine.run("doctor.py", "--stack", "gtx980")
    said = "erabench: STACK=gtx980: there is no such stack. Take one of: cpu, current, gtx1080.\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)


@pytest.mark.parametrize(
    ("claimed", "capability", "runs"),
    [
        ("6.1", (6, 1), True),
        ("6.0", (6, 1), True),
        ("6.1", (6, 0), False),
        ("8.0", (9, 0), False),
        ("8.0", (8, 9), True),
    ],
)
def test_machine_code_runs_on_its_own_major_version_and_no_older_minor(
    claimed: str, capability: tuple[int, int], runs: bool
) -> None:
    """As NVIDIA's programming guide has it."""
    from doctor import runs_on

    assert runs_on(claimed, capability) is runs
