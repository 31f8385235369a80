"""How an image comes to be: from its base and lock alone, whole or not at all, with or without a network."""

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
from lab import BASES, ENGINE, ROOT, Project, engine, needed

needed()

IMAGE = "erabench/classical:tiny"
LABELS = "{{range $name, $value := .Config.Labels}}{{$name}}={{$value}}\n{{end}}"
NOWHERE = "http://127.0.0.1:9"


def labels() -> dict[str, str]:
    return dict(line.split("=", 1) for line in engine("image", "inspect", "--format", LABELS, IMAGE).splitlines())


def test_an_image_says_what_it_is_made_from(project: Project) -> None:
    """Labels of the Open Containers Initiative, and the lock's hash."""
    done = project.build()
    assert (done.returncode, "is ready" in done.stderr) == (0, True), done.stderr
    base = engine("image", "inspect", "--format", "{{.Id}}", BASES["3.11"])
    said = labels()
    assert said["org.opencontainers.image.base.name"] == BASES["3.11"]
    assert said["org.opencontainers.image.base.digest"].removeprefix("sha256:") == base.removeprefix("sha256:")
    assert (said["erabench.stack"], len(said["erabench.lock-sha256"])) == ("tiny", 64)
    assert engine("image", "inspect", "--format", "{{.Config.User}}", IMAGE) == "10001:10001"


def test_nothing_is_built_again_while_nothing_changed(project: Project) -> None:
    """In a blink, and the image stays the same; a changed lock makes another."""
    project.build()
    first, began = engine("image", "inspect", "--format", "{{.Id}}", IMAGE), time.monotonic()
    assert (project.build().stderr, time.monotonic() - began < 5) == ("", True)
    assert engine("image", "inspect", "--format", "{{.Id}}", IMAGE) == first
    lock = project.folder / "images/stacks/tiny/classical.lock"
    lock.write_text(lock.read_text() + "# changed\n")
    assert "is ready" in project.build().stderr
    assert engine("image", "inspect", "--format", "{{.Id}}", IMAGE) != first


def test_a_base_that_cannot_be_pulled_is_named_with_the_cure(project: Project) -> None:
    """The variable to set, the mirror, the engine that needs no image."""
    done = project.build(BASE_CLASSICAL="127.0.0.1:9/no/base:1")
    assert done.returncode == 2
    assert "the base image 127.0.0.1:9/no/base:1 cannot be pulled: " in done.stderr
    assert "set BASE_CLASSICAL (or BASE for all) to an image you have, or REGISTRY to a mirror" in done.stderr
    assert "ENGINE=venv" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_base_with_another_python_is_named_with_the_cure(project: Project) -> None:
    """The locks are for certain Pythons."""
    done = project.build(BASE_CLASSICAL=BASES["3.6"])
    assert done.returncode == 2
    assert "the base image has Python 3.6; this stack's locks are for 3.11 3.12 3.13" in done.stderr
    assert "Set BASE_CLASSICAL to an image with another Python." in done.stderr


def test_a_build_killed_half_way_leaves_what_was_there(project: Project) -> None:
    """The old image stays, and the next build makes the new one."""
    project.build()
    before = engine("image", "inspect", "--format", "{{.Id}}", IMAGE)
    lock = project.folder / "images/stacks/tiny/classical.lock"
    lock.write_text(lock.read_text() + "# changed\n")
    build = project.start("build.py", "classical", "--engine", ENGINE, "--stack", "tiny")
    assert build.stdout
    assert "building" in build.stdout.readline()
    time.sleep(1)
    os.killpg(build.pid, signal.SIGKILL)
    build.wait()
    assert engine("image", "inspect", "--format", "{{.Id}}", IMAGE) == before
    assert "is ready" in project.build().stderr
    assert engine("image", "inspect", "--format", "{{.Id}}", IMAGE) != before


def test_a_package_that_is_not_the_locked_one_is_refused(project: Project) -> None:
    """By its hash."""
    lock = project.folder / "images/stacks/tiny/classical.lock"
    lock.write_text(lock.read_text().replace("sha256:7", "sha256:8").replace("sha256:83", "sha256:84"))
    done = project.build()
    assert done.returncode == 2
    assert "A package differs from its hash in the lock" in done.stderr
    assert not engine("image", "inspect", IMAGE)


def test_a_ca_bundle_leaves_no_trace_in_the_image(project: Project) -> None:
    """Neither in a layer nor in the history."""
    bundle = project.folder / "ca.pem"
    bundle.write_text(Path("/etc/ssl/certs/ca-certificates.crt").read_text() + "# a-private-authority\n")
    assert project.build(CA_BUNDLE=str(bundle)).returncode == 0
    history = engine("history", "--no-trunc", IMAGE)
    search = "grep -rls a-private-authority / --exclude-dir=proc --exclude-dir=sys; true"
    found = engine("run", "--rm", "--user", "0", "--network", "none", "--entrypoint", "sh", IMAGE, "-c", search)
    assert ("install.sh" in history, "ca.pem" in history, found) == (True, False, "")


def test_a_wheel_directory_builds_without_a_network(project: Project, tmp_path: Path) -> None:
    """Every package comes from it; no index is asked."""
    wheels = tmp_path / "wheels"
    lock = project.folder / "images/stacks/tiny/classical.lock"
    download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--dest", wheels]
    if subprocess.run([*download, "--requirement", lock], capture_output=True).returncode:
        pytest.skip("the package index cannot be reached")
    assert project.build(HTTPS_PROXY=NOWHERE, HTTP_PROXY=NOWHERE).returncode == 2
    done = project.build(WHEELS=str(wheels), HTTPS_PROXY=NOWHERE, HTTP_PROXY=NOWHERE)
    assert (done.returncode, "is ready" in done.stderr) == (0, True), done.stderr


def test_a_base_without_ensurepip_takes_pip_from_the_lock(project: Project) -> None:
    """Ubuntu's Python has none."""
    without = "import ensurepip, os, shutil; shutil.rmtree(os.path.dirname(ensurepip.__file__))"
    dockerfile = f"FROM {BASES['3.6']}\nRUN python3 -c '{without}'\n"
    subprocess.run(
        [ENGINE, "build", "-q", "-t", "erabench/no-ensurepip:test", "-"], input=dockerfile, text=True, check=True
    )
    stack = project.folder / "images/stacks/tiny"
    (stack / "stack.env").write_text("PYTHON_VERSIONS=3.6\nBASE_CLASSICAL=erabench/no-ensurepip:test\n")
    shutil.copy(ROOT / "images/stacks/gtx1080/bootstrap.lock", stack)
    done = project.build()
    assert (done.returncode, "is ready" in done.stderr) == (0, True), done.stderr
    engine("rmi", "--force", IMAGE, "erabench/no-ensurepip:test")


def test_saved_images_are_taken_as_they_are_on_a_machine_without_a_network(project: Project, tmp_path: Path) -> None:
    """Nothing is built or pulled there."""
    file = tmp_path / "images.tar"
    saved = project.run("mirror.py", "save", "--engine", ENGINE, "--stack", "tiny", "--file", str(file))
    assert saved.returncode == 0, saved.stderr
    assert saved.stdout.endswith("On the other machine: make load FILE=images.tar, then make bench STACK=tiny\n")
    before = engine("image", "inspect", "--format", "{{.Id}}", IMAGE)
    project.forget()
    assert not engine("image", "inspect", IMAGE)
    assert project.run("mirror.py", "load", "--engine", ENGINE, "--file", str(file)).returncode == 0
    assert (project.build(HTTPS_PROXY=NOWHERE).stderr, engine("image", "inspect", "--format", "{{.Id}}", IMAGE)) == (
        "",
        before,
    )


def test_a_save_that_cannot_be_written_leaves_no_half_file(project: Project, tmp_path: Path) -> None:
    """And names the file."""
    done = project.run(
        "mirror.py", "save", "--engine", ENGINE, "--stack", "tiny", "--file", str(tmp_path / "no" / "x.tar")
    )
    assert done.returncode == 2
    assert "x.tar" in done.stderr
    assert not (tmp_path / "no").exists()


@contextlib.contextmanager
def registry(folder: Path) -> Iterator[str]:
    """A registry of our own on this machine; gives its address."""
    program = shutil.which("docker-registry")
    if ENGINE == "podman":
        pytest.skip("Podman takes a registry without TLS only where registries.conf names it")
    if not program:
        pytest.skip("there is no docker-registry (Debian has it in a package of that name)")
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


def test_a_mirror_gives_the_built_image_to_another_machine(project: Project, tmp_path: Path) -> None:
    """The very same image, with no base and no index."""
    with registry(tmp_path) as address:
        arguments = ["--engine", ENGINE, "--stack", "tiny", "--registry", address]
        mirrored = project.run("mirror.py", "mirror", *arguments, REGISTRY=address)
        assert mirrored.returncode == 0, mirrored.stderr
        assert mirrored.stdout.startswith(f"On the other machine: make bench REGISTRY={address} STACK=tiny\n")
        before = engine("image", "inspect", "--format", "{{.Id}}", IMAGE)
        project.forget()
        engine("rmi", "--force", f"{address}/{IMAGE}")
        done = project.build(REGISTRY=address, HTTPS_PROXY=NOWHERE)
        assert done.stderr == f"erabench: {IMAGE} is from {address}\n"
        assert engine("image", "inspect", "--format", "{{.Id}}", IMAGE) == before
        for name in ("classical", "report"):
            engine("rmi", "--force", f"{address}/erabench/{name}:tiny")
        engine("rmi", "--force", f"{address}/{BASES['3.11']}")


def test_a_mirrored_base_is_pulled_where_the_built_image_does_not_fit(project: Project, tmp_path: Path) -> None:
    """Another lock there needs another image, on the base from the mirror."""
    with registry(tmp_path) as address:
        source, base = BASES["3.11"], "mirrored/base:1"
        engine("tag", source, f"{address}/{base}")
        assert engine("push", f"{address}/{base}")
        engine("rmi", "--force", f"{address}/{base}")
        done = project.build(REGISTRY=address, BASE_CLASSICAL=base)
        assert done.returncode == 0, done.stderr
        assert f"erabench: pulling {address}/{base}" in done.stderr
        engine("rmi", "--force", IMAGE, base, f"{address}/{base}")
