"""The locks: every package pinned by hash, no index named, and machine code for the GPUs that a stack claims."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from machine_code import in_package, in_wheel

from images import lock, stack
from images.recipe import pins
from images.stack import ROOT, STACKS, Problem, base, eras, frameworks, gpu_capabilities, stacks

LOCKS = sorted([*STACKS.glob("*/*.lock"), *(ROOT / "images").glob("*.lock")])
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
def test_a_stack_has_a_base_image_for_each_framework(stack: str) -> None:
    """Named by digest; those of the years by tag, and the digest goes into the image's label when it is built."""
    digest = "(@sha256:[0-9a-f]{64})" + ("?" if stack in eras() else "")
    for framework in frameworks(stack):
        assert re.fullmatch(rf"\S+:[^\s@]+{digest}", base(stack, framework, environ={}))


@pytest.mark.parametrize(("stack", "framework"), sorted(LIBRARIES))
def test_a_framework_on_a_gpu_can_ask_the_driver(stack: str, framework: str) -> None:
    """nvidia-ml-py is in its lock."""
    assert "nvidia-ml-py" in dict(pins(STACKS / stack / f"{framework}.lock"))


@pytest.mark.parametrize(("stack", "framework"), sorted(LIBRARIES))
def test_the_locked_wheels_have_machine_code_for_the_claimed_gpus(stack: str, framework: str) -> None:
    """Read from the wheel (WHEELS) or from an environment that has the same version installed."""
    assert set(gpu_capabilities(stack)[framework]) <= machine_code(stack, framework)


def test_every_claim_of_a_stack_is_read_from_its_wheels() -> None:
    """None is left to trust."""
    claimed = {(stack, framework) for stack in stacks() for framework in gpu_capabilities(stack)}
    assert claimed == set(LIBRARIES)


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


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of images/ that the locks are made in."""
    shutil.copytree(ROOT / "images", tmp_path / "images", ignore=shutil.ignore_patterns("__pycache__"))
    for module in (lock, stack):
        monkeypatch.setattr(module, "ROOT", tmp_path)
        monkeypatch.setattr(module, "STACKS", tmp_path / "images" / "stacks")
    return tmp_path / "images"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo no solution >&2", r"\.in: uv cannot resolve it; no lock was changed\.\nno solution"),
        ("echo 'dns error: x' >&2", r"\.in: the package index cannot be reached; no lock was changed\. Check"),
    ],
)
def test_no_lock_is_changed_if_one_cannot_be_made(copy: Path, script: str, message: str) -> None:
    """The stack's first lock is made already then, and still not put in place."""
    before = {path.name: path.read_bytes() for path in (copy / "stacks/cpu").glob("*")}
    uv = copy / "uv"
    uv.write_text(f'#!/bin/sh\n[ "$3" = classical.in ] && {{ echo new==1 >"$5"; exit 0; }}\n{script}\nexit 1\n')
    uv.chmod(0o755)
    with pytest.raises(Problem, match=message):
        lock.lock("cpu", str(uv))
    assert {path.name: path.read_bytes() for path in (copy / "stacks/cpu").glob("*")} == before
