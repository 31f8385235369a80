"""How an image is built: from its base and lock alone, complete or not at all, with or without a network."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import BASES, ENGINE, NOWHERE, ROOT, Project, engine, needed

needed()

LABELS = "{{range $name, $value := .Config.Labels}}{{$name}}={{$value}}\n{{end}}"


def test_an_image_names_what_it_is_built_from(built: Project) -> None:
    """Labels of the Open Containers Initiative, and the lock's hash."""
    base = engine("image", "inspect", "--format", "{{.Id}}", BASES["3.11"])
    lines = engine("image", "inspect", "--format", LABELS, built.image).splitlines()
    labels = dict(line.split("=", 1) for line in lines)
    assert labels["org.opencontainers.image.title"] == "erabench classical"
    assert labels["org.opencontainers.image.base.name"] == BASES["3.11"]
    assert labels["org.opencontainers.image.base.digest"].removeprefix("sha256:") == base.removeprefix("sha256:")
    assert (labels["erabench.stack"], len(labels["erabench.lock-sha256"])) == ("built", 64)
    assert engine("image", "inspect", "--format", "{{.Config.User}}", built.image) == "10001:10001"


def test_a_ca_bundle_leaves_no_trace_in_the_image(built: Project) -> None:
    """Neither in a layer nor in the history."""
    history = engine("history", "--no-trunc", built.image)
    search = "grep -rls a-private-authority / --exclude-dir=proc --exclude-dir=sys; true"
    found = engine("run", "--rm", "--user", "0", "--network", "none", "--entrypoint", "sh", built.image, "-c", search)
    assert ("install.sh" in history, "ca.pem" in history, found) == (True, False, "")


def test_nothing_is_built_while_nothing_changed(built: Project) -> None:
    """And nothing is printed."""
    before = built.image_id()
    assert (built.run("build").stderr, built.image_id()) == ("", before)


def test_a_build_that_is_killed_leaves_the_image_of_before(project: Project) -> None:
    """And the next build makes the new one."""
    engine("tag", BASES["3.11"], project.image)  # an image of another recipe
    before = project.image_id()
    build = project.start("build")
    assert build.stdout
    assert "building" in build.stdout.readline()
    time.sleep(1)
    os.killpg(build.pid, signal.SIGKILL)
    build.wait()
    assert project.image_id() == before
    assert "is ready" in project.run("build").stderr
    assert project.image_id() != before


def test_a_base_that_cannot_be_pulled_is_named_with_the_cure(project: Project) -> None:
    """The variable to set, the mirror, the engine that needs no image."""
    done = project.run("build", BASE_CLASSICAL="127.0.0.1:9/no/base:1")
    assert done.returncode == 2
    assert "the base image 127.0.0.1:9/no/base:1 cannot be pulled: " in done.stderr
    assert "set BASE_CLASSICAL (or BASE for all) to an image you have, or REGISTRY to a mirror" in done.stderr
    assert "ENGINE=venv" in done.stderr


def test_a_base_with_another_python_is_named_with_the_cure(project: Project) -> None:
    """The locks are for certain Pythons."""
    done = project.run("build", BASE=BASES["3.6"])
    assert done.returncode == 2
    assert "the base image has Python 3.6; this stack's locks are for 3.11 3.12 3.13" in done.stderr
    assert "Set BASE_CLASSICAL to an image with another Python." in done.stderr


def test_a_package_that_differs_from_the_lock_is_refused(project: Project) -> None:
    """By its hash."""
    project.lock.write_text(project.lock.read_text().replace("sha256:7", "sha256:8").replace("sha256:83", "sha256:84"))
    done = project.run("build")
    assert done.returncode == 2
    assert "A package differs from its hash in the lock" in done.stderr
    assert not project.image_id()


def test_a_wheel_directory_builds_without_a_network(project: Project, tmp_path: Path) -> None:
    """Every package comes from it, and no index is used."""
    wheels = tmp_path / "wheels"
    download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--dest", wheels]
    if subprocess.run([*download, "--requirement", project.lock], capture_output=True).returncode:
        pytest.skip("the package index cannot be reached")
    done = project.run("build", WHEELS=str(wheels), HTTPS_PROXY=NOWHERE, HTTP_PROXY=NOWHERE)
    assert (done.returncode, "is ready" in done.stderr) == (0, True), done.stderr


def test_a_base_without_ensurepip_takes_pip_from_the_lock(project: Project) -> None:
    """Ubuntu's Python has none."""
    without = "import ensurepip, os, shutil; shutil.rmtree(os.path.dirname(ensurepip.__file__))"
    dockerfile = f"FROM {BASES['3.6']}\nRUN python3 -c '{without}'\n"
    base = "erabench/no-ensurepip:test"
    subprocess.run([ENGINE, "build", "-q", "-t", base, "-"], input=dockerfile, text=True, check=True)
    (project.stack / "stack.env").write_text(f"PYTHON_VERSIONS=3.6\nBASE={base}\n")
    shutil.copy(ROOT / "images/stacks/gtx1080/bootstrap.lock", project.stack)
    done = project.run("build")
    assert (done.returncode, "is ready" in done.stderr) == (0, True), done.stderr
    project.forget()
    engine("rmi", "--force", base)


def test_saved_images_are_used_as_they_are_on_a_machine_without_a_network(built: Project, tmp_path: Path) -> None:
    """Nothing is built or pulled there."""
    file = tmp_path / "images.tar"
    saved = built.run("save", str(file))
    assert saved.returncode == 0, saved.stderr
    assert saved.stdout.endswith("On the other machine: make load FILE=images.tar, then make bench STACK=built\n")
    before = built.image_id()
    built.forget()
    assert not built.image_id()
    assert built.run("load", str(file)).returncode == 0
    assert (built.run("build", HTTPS_PROXY=NOWHERE).stderr, built.image_id()) == ("", before)


def test_a_file_that_cannot_be_written_or_read_is_named(built: Project, tmp_path: Path) -> None:
    """One line with the cure."""
    file = tmp_path / "no" / "x.tar"
    saved, loaded = built.run("save", str(file)), built.run("load", str(file))
    assert (saved.returncode, saved.stderr) == (2, f"erabench: FILE={file} cannot be written; choose another FILE\n")
    assert (loaded.returncode, loaded.stderr) == (2, f"erabench: FILE={file}: no such file\n")


@contextlib.contextmanager
def registry(folder: Path) -> Iterator[str]:
    """A registry on this machine; gives its address."""
    program = shutil.which("docker-registry")
    if ENGINE == "podman":
        pytest.skip("Podman uses a registry without TLS only if registries.conf names it")
    if not program:
        pytest.skip("docker-registry is not installed (Debian has it in a package of that name)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    config = folder / "registry.yml"
    config.write_text(
        f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {folder}/registry}}}}\nhttp: {{addr: '{address}'}}\n"
    )
    process = subprocess.Popen([program, "serve", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(address.split(":")):
                break
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait()


def test_a_mirror_gives_the_images_to_another_machine(built: Project, tmp_path: Path) -> None:
    """The same image, with no base and no index."""
    with registry(tmp_path) as address:
        mirrored = built.run("mirror", address, REGISTRY=address)
        assert mirrored.returncode == 0, mirrored.stderr
        assert mirrored.stdout.startswith(f"On the other machine: make bench REGISTRY={address} STACK=built\n")
        before = built.image_id()
        built.forget()
        engine("rmi", "--force", f"{address}/{built.image}")
        done = built.run("build", REGISTRY=address, HTTPS_PROXY=NOWHERE)
        assert (done.stderr, built.image_id()) == (f"erabench: {built.image} is from {address}\n", before)
        engine("rmi", "--force", f"{address}/{built.image}", f"{address}/{BASES['3.11']}")


def test_a_mirrored_base_is_pulled_if_the_built_image_does_not_fit(project: Project, tmp_path: Path) -> None:
    """Another lock there needs another image, on the base image from the mirror."""
    with registry(tmp_path) as address:
        base = f"{address}/mirrored/base:1"
        engine("tag", BASES["3.11"], base)
        assert engine("push", base)
        engine("rmi", "--force", base)
        done = project.run("build", REGISTRY=address, BASE="mirrored/base:1")
        assert (done.returncode, f"erabench: pulling {base}" in done.stderr) == (0, True), done.stderr
        project.forget()
        engine("rmi", "--force", "mirrored/base:1", base)
