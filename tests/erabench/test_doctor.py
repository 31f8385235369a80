"""`make doctor` reports in one line each what is present, what is missing, and the cure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from machines import GTX_1080, Machine

from erabench import doctor
from erabench.doctor import runs_on
from images.stack import base

DOCKER = """case "$*" in
  "info --format {{{{.ServerVersion}}}}") echo 27.3.1 ;;
  "info --format {{{{json .Runtimes}}}}") echo '{runtimes}' ;;
  "compose version") echo "Docker Compose version v2.29.7" ;;
  "manifest inspect"*) {manifest} ;;
  *) exit 1 ;;
esac"""
RUNC = '{"runc":{"path":"runc"}}'
NVIDIA = '{"nvidia":{"path":"nvidia-container-runtime"},"runc":{"path":"runc"}}'
PYTHON = "python:3.11.16-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b"


def docker(machine: Machine, runtimes: str = RUNC, manifest: str = "echo '{}'") -> None:
    """A Docker that answers as the real one does; ``manifest`` is what it does when asked for an image's."""
    machine.has("docker", DOCKER.format(runtimes=runtimes, manifest=manifest))


def nvidia(machine: Machine, gpu: str, processes: str = "") -> None:
    """An nvidia-smi with a GPU and what runs on it."""
    (machine.folder / "gpu").write_text(gpu)
    (machine.folder / "processes").write_text(processes)
    machine.has("nvidia-smi", f'case "$1" in *compute-apps*) /bin/cat {machine.folder}/processes ;; '
                              f"*) /bin/cat {machine.folder}/gpu ;; esac")  # fmt: skip


def examined(machine: Machine, *arguments: str, **environ: str) -> tuple[int, list[str]]:
    """The exit status, and the lines without those about the machine that the tests run on."""
    done = machine.run("doctor", *arguments, **environ)
    assert done.stderr == ""
    own = re.compile(r"(ok  |warn|fail)  (disk|memory|clock|python) |(ok  |warn)  load +[0-9.]+ on ")
    return done.returncode, [line for line in done.stdout.splitlines() if not own.match(line)]


def test_a_machine_of_the_era_is_shown_line_by_line(machine: Machine) -> None:
    """Everything that a GTX 1080 with Docker needs is there, except for the data."""
    docker(machine, NVIDIA)
    nvidia(machine, GTX_1080)
    pytorch, keras = base("gtx1080", "pytorch", {}), base("gtx1080", "keras", {})
    assert examined(machine) == (0, [
        "ok    choice    engine docker (it answers), stack gtx1080 (NVIDIA GeForce GTX 1080, compute capability 6.1)",
        "ok    engine    docker answers",
        "ok    engine    podman is not installed  ->  install or start it to run in containers; the bench runs without",
        "ok    gpu       NVIDIA GeForce GTX 1080, compute capability 6.1, driver 535.183.01",
        "ok    driver    535.183.01 for keras, which needs 410.48",
        "ok    driver    535.183.01 for pytorch, which needs 384.81",
        "ok    toolkit   Docker has the NVIDIA runtime",
        "ok    load      no other program on the GPU",
        f"warn  data      none yet in {machine.folder}/.cache/erabench/data  ->  the first bench fetches them; without "
        "a network, copy them there (docs/containers.md)",
        f"ok    base      {pytorch} can be pulled",
        f"ok    base      {keras} can be pulled",
        f"ok    base      {pytorch} can be pulled",
        "The bench can run.",
    ])  # fmt: skip


def test_a_base_that_cannot_be_reached_stops_the_bench_only_if_its_engine_was_asked_for(machine: Machine) -> None:
    """Else the bench goes on in virtual environments."""
    docker(machine, manifest="exit 1")
    cure = "  ->  set BASE_KERAS or BASE to an image you have, REGISTRY to a mirror, or ENGINE=venv"
    status, lines = examined(machine)
    assert status == 0
    assert f"warn  base      {PYTHON} cannot be reached; the bench will use ENGINE=venv{cure}" in lines
    status, lines = examined(machine, "--engine", "docker")
    assert status == 1
    assert f"fail  base      {PYTHON} cannot be reached{cure}" in lines
    assert lines[-1] == "The bench cannot run: see the lines with fail."


def test_with_a_mirror_the_mirror_is_asked(machine: Machine) -> None:
    """It is what the bench pulls from."""
    docker(machine, manifest=f'[ "$3" = mirror:5000/{PYTHON} ] && echo here')
    assert f"ok    base      {PYTHON} can be pulled" in examined(machine, REGISTRY="mirror:5000")[1]
    assert f"ok    base      {PYTHON} can be pulled" not in examined(machine)[1]


def test_the_disk_of_the_environments_is_looked_at(machine: Machine) -> None:
    """It may be another one than the project's."""
    printed = machine.run("doctor", "--engine", "venv", VENVS=str(machine.folder / "venvs")).stdout
    assert f"free for packages ({machine.folder / 'venvs'})" in printed


@pytest.mark.parametrize(
    ("runtimes", "gpu", "processes", "words", "status", "line"),
    [
        (
            NVIDIA, "8.9, 535.183.01, NVIDIA GeForce RTX 4090\n", "", (), 1,
            "fail  driver    535.183.01 is too old for pytorch of stack current, which needs 580.65  ->  install a "
            "newer NVIDIA driver, or choose an older STACK",
        ),
        (
            RUNC, GTX_1080, "", (), 0,
            "warn  toolkit   docker cannot give a container the GPU  ->  install the NVIDIA Container Toolkit, then: "
            "nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml",
        ),
        (
            "", "12.0, 580.95.05, NVIDIA GeForce RTX 5090\n", "", ("--engine", "venv"), 0,
            "warn  gpu       keras of stack current has machine code for 6.0 7.0 8.0 8.9 9.0, not for 12.0  ->  its "
            "GPU rows will be skipped or fail; choose another STACK",
        ),
        (
            "", GTX_1080, "4242, python\n", ("--engine", "venv", "--stack", "cpu"), 0,
            "warn  load      other programs on the GPU: 4242, python  ->  end them, or their work is measured too",
        ),
    ],
    ids=["an old driver", "docker without the toolkit", "no machine code for the GPU", "another program on the GPU"],
)  # fmt: skip
def test_what_keeps_a_gpu_from_its_rows_is_named_with_the_cure(
    machine: Machine, runtimes: str, gpu: str, processes: str, words: Sequence[str], status: int, line: str
) -> None:
    """Only a driver that is too old stops the bench: otherwise CPU rows still run."""
    if runtimes:
        docker(machine, runtimes)
    nvidia(machine, gpu, processes)
    found, lines = examined(machine, *words)
    assert (found, line in lines) == (status, True)
    assert not any("pytorch of stack" in other and other.startswith("warn") for other in lines)


def test_data_are_counted(machine: Machine) -> None:
    """In the folder that DATA_DIR names."""
    data = machine.folder / "my data"
    data.mkdir()
    (data / "household.npy").write_bytes(bytes(2_000_000))
    assert f"ok    data      1 files, 2 MB in {data}" in examined(machine, DATA_DIR=str(data))[1]


@pytest.mark.parametrize(
    ("available", "level"),
    [(1, "fail"), (4, "warn"), (8, "ok")],
    ids=["too little", "too little for one row", "enough"],
)
def test_the_memory_of_the_largest_row_is_named(available: int, level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends as out of memory where there is less."""
    monkeypatch.setattr(doctor, "memory_available", lambda: available * 10**9)
    (finding,) = doctor.check_memory(doctor.Plan("venv", False, "cpu", [], Path()))
    assert finding.level == level
    assert ("6 GB" in finding.cure) == (level != "ok")


@pytest.mark.parametrize(
    ("built_for", "capability", "runs"),
    [
        ("6.1", (6, 1), True),
        ("6.0", (6, 1), True),
        ("6.1", (6, 0), False),
        ("8.0", (9, 0), False),
        ("8.0", (8, 9), True),
    ],
)
def test_machine_code_runs_on_its_own_major_version_and_no_older_minor(
    built_for: str, capability: tuple[int, int], runs: bool
) -> None:
    """As NVIDIA's programming guide says."""
    assert runs_on(built_for, capability) is runs
