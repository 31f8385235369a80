"""The locks: every package pinned by hash, from no named index, and with machine code for the cards a stack claims."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import lock
import pytest
from machine_code import in_package, in_wheel
from machines import ROOT
from recipe import pins
from stack import STACKS, Problem, frameworks, settings, stacks

LOCKS = sorted([*STACKS.glob("*/*.lock"), ROOT / "images/report/report.lock", ROOT / "tests/requirements.lock"])
LIBRARIES = {  # stack and framework -> the package on the index that has the CUDA code, and its folder
    ("gtx1080", "keras"): ("tensorflow-gpu", "tensorflow_core"),
    ("gtx1080", "pytorch"): ("torch", "torch"),
    ("current", "keras"): ("tensorflow", "tensorflow"),
    ("current", "pytorch"): ("torch", "torch"),
}


def requirements(path: Path) -> list[str]:
    """A lock's requirements, each on one line, without comments."""
    text = re.sub(r"#.*", "", path.read_text(encoding="utf-8")).replace("\\\n", " ")
    return [line.strip() for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_line_of_a_lock_is_pinned_by_hash(path: Path) -> None:
    """A name, an exact version, an optional condition, and nothing but sha256 hashes."""
    line = re.compile(r"[a-z0-9][a-z0-9._-]*==[^ ;]+( ; [^\\]+?)?( +--hash=sha256:[0-9a-f]{64})+")
    assert requirements(path)
    assert [text for text in requirements(path) if not line.fullmatch(text)] == []


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_lock_names_an_index_a_host_or_a_path(path: Path) -> None:
    """Where packages come from is the machine's to say."""
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"--(?:index|extra-index|find-links|trusted)\S*|\w+://\S+|(?<![.\w])/\w+/\S+| @ \S+", text) == []


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_lock_is_made_from_the_in_file_beside_it(path: Path) -> None:
    """What is asked for stands in the lock with that very version."""
    asked = set(pins(path.with_suffix(".in")))
    assert asked
    assert asked <= set(pins(path))


@pytest.mark.parametrize("stack", stacks())
def test_a_stack_has_a_lock_and_a_base_for_each_framework(stack: str) -> None:
    """Keras, PyTorch and classical, each on a base that is named by digest."""
    assert {"classical", "keras", "pytorch"} <= set(frameworks(stack))
    for framework in frameworks(stack):
        assert (STACKS / stack / f"{framework}.lock").is_file()
        assert re.fullmatch(r"\S+:\S+@sha256:[0-9a-f]{64}", settings(stack)[f"BASE_{framework.upper()}"])


def test_keras_and_pytorch_can_ask_the_driver_in_every_stack() -> None:
    """nvidia-ml-py is in their locks."""
    asks = {(stack, name): "nvidia-ml-py" in dict(pins(STACKS / stack / f"{name}.lock")) for stack, name in every_gpu()}
    assert all(asks.values()), asks


def every_gpu() -> list[tuple[str, str]]:
    return [(stack, framework) for stack in stacks() for framework in ("keras", "pytorch")]


@pytest.mark.parametrize(("stack", "framework"), sorted(LIBRARIES))
def test_the_locked_wheels_have_machine_code_for_the_claimed_cards(stack: str, framework: str) -> None:
    """Read from the wheel (WHEELS) or from an environment that has the same version installed."""
    claimed = set(settings(stack)[f"CARDS_{framework.upper()}"].split())
    assert claimed <= machine_code(stack, framework)


def machine_code(stack: str, framework: str) -> set[str]:
    """What the locked version of the framework's library carries; skips where that version is nowhere to be read."""
    package, folder = LIBRARIES[stack, framework]
    version = dict(pins(STACKS / stack / f"{framework}.lock"))[package]
    wheels = Path(os.environ["WHEELS"]) if os.environ.get("WHEELS") else None
    for wheel in wheels.glob(f"{package.replace('-', '_')}-{version}-*.whl") if wheels else ():
        return in_wheel(wheel)
    venvs = Path(os.environ.get("VENVS") or ROOT / ".venvs")
    for info in venvs.glob(f"*/{framework}/lib/python3*/site-packages/{package.replace('-', '_')}-{version}.dist-info"):
        return in_package(info.parent / folder)
    pytest.skip(f"{package} {version} is in no WHEELS directory and no environment under {venvs.name}")


def test_a_library_without_cuda_has_no_machine_code(tmp_path: Path) -> None:
    """The reader finds nothing where there is nothing."""
    (tmp_path / "some.so").write_bytes(b"\x7fELF" + bytes(1000) + b"\x50\xed\x55\xba")
    assert in_package(tmp_path) == set()


def copied(tmp_path: Path) -> Path:
    """A copy of the project's images/ to work on."""
    shutil.copytree(ROOT / "images", tmp_path / "images", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "images"


def test_no_lock_is_changed_where_the_index_cannot_be_reached(tmp_path: Path) -> None:
    """Whole or nothing, and the cure is said."""
    images = copied(tmp_path)
    stack = images / "stacks" / "cpu"
    before = {path.name: path.read_bytes() for path in stack.glob("*.lock")}
    (stack / "keras.in").write_text("six==1.0.0\n")
    nowhere = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")
    environ = {
        **os.environ,
        **nowhere,
        "UV_CACHE_DIR": str(tmp_path / "cache"),
        "UV_HTTP_RETRIES": "0",
        "UV_OFFLINE": "0",
    }
    command = [sys.executable, images / "lock.py", "--stack", "cpu", "--upgrade"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    if "uv is not installed" in done.stderr:
        pytest.skip("uv is not in this environment")
    assert done.returncode == 2
    assert "cannot be reached; no lock was changed. Check the network" in done.stderr
    assert "Traceback" not in done.stderr
    assert {path.name: path.read_bytes() for path in stack.glob("*.lock")} == before


def test_no_lock_is_changed_where_one_cannot_be_resolved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first locks of the stack are made already then, and still not put in place."""
    images = copied(tmp_path)
    stack = images / "stacks" / "cpu"
    before = {path.name: path.read_bytes() for path in stack.glob("*.lock")}
    uv = tmp_path / "uv"
    uv.write_text(
        '#!/bin/sh\n[ "$3" = classical.in ] && { echo new==1 >"$5"; exit 0; }\necho no solution >&2; exit 1\n'
    )
    uv.chmod(0o755)
    monkeypatch.setattr(lock, "find_uv", lambda: str(uv))
    monkeypatch.setattr(lock, "STACKS", images / "stacks")
    monkeypatch.setattr(lock, "ROOT", tmp_path)
    with pytest.raises(Problem, match=r"could not resolve it; no lock was changed\.\nno solution"):
        lock.lock("cpu")
    assert {path.name: path.read_bytes() for path in stack.glob("*.lock")} == before


def test_an_unknown_stack_is_named() -> None:
    """With those there are."""
    done = subprocess.run(
        [sys.executable, ROOT / "images" / "lock.py", "--stack", "gtx980"], capture_output=True, text=True
    )
    said = "erabench: STACK=gtx980: there is no such stack. Take one of: cpu, current, gtx1080.\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)
