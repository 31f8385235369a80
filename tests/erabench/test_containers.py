"""What the driver tells a container engine, and what it makes of the answers. A shell script is the engine."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from erabench.containers import Containers, carry, command, sealed
from erabench.containers.image import BaseUnavailable, ImageProblem, build
from images.recipe import recipe
from images.stack import ROOT, Problem

Engine = Callable[[str], Path]
HERE = 'case "$*" in "image inspect"*) echo abc ;; "compose version") echo v2 ;; *) '  # an engine with every image


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Put a script in place of docker; gives the file that collects its arguments."""

    def put(script: str) -> Path:
        path = tmp_path / "docker"
        path.write_text(f'#!/bin/sh\necho "$*" >>{tmp_path}/log\n{script}\n')
        path.chmod(0o755)
        return tmp_path / "log"

    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    for name in ("BASE", "REGISTRY", "WHEELS", "CA_BUNDLE", "PIP_CONFIG_FILE", "MEMORY_LIMIT"):
        monkeypatch.delenv(name, raising=False)
    command.compose_command.cache_clear()
    return put


@pytest.mark.parametrize(
    ("runtime", "cdi", "added"),
    [(True, True, ["compose.gpu.yaml"]), (False, True, ["compose.gpu-cdi.yaml"]), (False, False, [])],
)
def test_a_gpu_is_given_by_the_runtime_or_a_description(
    runtime: bool, cdi: bool, added: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With neither, one line says that GPU rows will be skipped."""
    monkeypatch.setattr(sealed, "has_nvidia_runtime", lambda: runtime)
    monkeypatch.setattr(sealed, "has_cdi_description", lambda: cdi)
    assert sealed.compose_files("docker", recipe("current", "keras"), True) == ["compose.yaml", *added]
    assert ("neither NVIDIA's runtime nor a CDI description" in capsys.readouterr().err) is not bool(added)


def test_no_gpu_is_given_to_what_cannot_use_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without one, a stack without one, a framework without one; Podman needs its own files."""
    monkeypatch.setattr(sealed, "has_cdi_description", lambda: True)
    for made, has_gpu in (
        (recipe("current", "keras"), False),
        (recipe("cpu", "keras"), True),
        (recipe("current", "classical"), True),
    ):
        assert sealed.compose_files("docker", made, has_gpu) == ["compose.yaml"]
    files = ["compose.yaml", "compose.podman.yaml", "compose.gpu-podman.yaml"]
    assert sealed.compose_files("podman", recipe("current", "keras"), True) == files


def test_a_container_gets_the_caller_s_user(docker: Engine, tmp_path: Path) -> None:
    """In rootless Docker that is root; the memory limit is nine tenths of the machine's, or MEMORY_LIMIT."""
    folders, made = (tmp_path / "results", tmp_path / "data"), recipe("cpu", "keras")
    docker("echo '[\"name=seccomp\"]'")
    found = sealed.variables("docker", made, *folders)
    assert (found["ERABENCH_USER"], found["ERABENCH_RESULTS"]) == (
        f"{os.getuid()}:{os.getgid()}",
        str(tmp_path / "results"),
    )
    assert (found["FRAMEWORK"], found["STACK"]) == ("keras", "cpu")
    assert found["MEMORY_LIMIT"] == f"{sealed.memory_bytes() * 9 // 10}b"
    docker('echo \'["name=seccomp","name=rootless"]\'')
    assert sealed.variables("docker", made, *folders)["ERABENCH_USER"] == "0:0"


def test_a_run_names_image_lock_and_folders(docker: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry's host stays out of the record."""
    log = docker(f"{HERE} echo '{{}}' ;; esac")
    monkeypatch.setenv("BASE", "registry.example:5000/some/base:1")
    ended = Containers("docker", "cpu", tmp_path / "results", tmp_path / "data").run("keras", ["--rows", "lstm"])
    assert ended == (0, "{}\n")
    (line,) = [line for line in log.read_text().splitlines() if " run " in line]
    sha256 = recipe("cpu", "keras").lock_sha256
    assert line == (
        f"compose --file {ROOT}/compose.yaml run --rm -T --name erabench-keras-cpu-{os.getpid()} runner "
        "-m runners keras --rows lstm --results /results --data /data "
        f"--lock-sha256 {sha256} --image abc on some/base:1"
    )


def test_an_image_that_is_missing_is_named_with_the_cure(docker: Engine, tmp_path: Path) -> None:
    """Nothing is run."""
    docker("exit 1")
    with pytest.raises(Problem, match="the image erabench/keras:cpu is missing: make bench builds it"):
        Containers("docker", "cpu", tmp_path, tmp_path).run("keras", [])


def test_a_stop_before_the_container_exists_ends_compose(docker: Engine, tmp_path: Path) -> None:
    """There is nothing yet that could get the signal."""
    docker(f'{HERE} case "$*" in kill*) exit 1 ;; *" run "*) echo started >&2; exec sleep 60 ;; esac ;; esac')
    program = (
        "import sys; from pathlib import Path; from erabench.containers import Containers; here = Path(sys.argv[1]); "
        "sys.exit(Containers('docker', 'cpu', here, here).run('keras', []).status)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr.readline() == "started\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 130


def test_images_are_saved_into_no_folder(docker: Engine, tmp_path: Path) -> None:
    """FILE is checked before an image is built, which may take an hour."""
    log = docker("exit 1")
    with pytest.raises(Problem, match=f"FILE={tmp_path} cannot be written; choose another FILE"):
        carry.save("docker", "cpu", tmp_path)
    assert not log.exists()


def test_a_base_image_that_cannot_be_pulled_is_told_apart_and_its_record_names_no_registry(
    docker: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver may then continue without containers. The record has neither host, and not what the engine said."""
    docker("echo registry.corp:5000 denied >&2; exit 1")
    monkeypatch.setenv("REGISTRY", "registry.corp:5000")
    monkeypatch.setenv("BASE", "registry.example:5000/some/base:1")
    with pytest.raises(BaseUnavailable) as caught:
        Containers("docker", "cpu", tmp_path, tmp_path).prepare("keras")
    assert re.match(
        r"the base image registry\.corp:5000/registry\.example:5000/some/base:1 cannot be pulled: registry\.corp:5000 "
        r"denied\n.*set BASE_KERAS \(or BASE for all\)", str(caught.value),
    )  # fmt: skip
    assert caught.value.brief == "the base image some/base:1 cannot be pulled"


@pytest.mark.parametrize(
    ("output", "cure"),
    [
        ("write: no space left on device", "The disk is full"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES", "A package differs from its hash in the lock"),
        ("Temporary failure in name resolution", "The package index cannot be reached"),
        ("SSL: CERTIFICATE_VERIFY_FAILED", "name your CA bundle with CA_BUNDLE=FILE"),
        ("the base image has Python 3.6", "Set BASE_KERAS to an image with another Python"),
        ("something else", "Fix the error and rerun, or use ENGINE=venv"),
    ],
)
def test_a_failed_build_shows_its_last_lines_and_a_cure(docker: Engine, output: str, cure: str) -> None:
    """By what the output says."""
    docker(f'[ "$1" = build ] && {{ echo "{output}"; exit 1; }}; echo some-label')
    with pytest.raises(ImageProblem) as caught:
        build("docker", recipe("cpu", "keras"))
    assert str(caught.value).startswith(
        f"{output}\nerabench: building erabench/keras:cpu failed; an image built before"
    )
    assert cure in str(caught.value)
    assert caught.value.brief == "building erabench/keras:cpu failed"
