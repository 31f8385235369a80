"""What nothing needs at run time leaves the image, and what is left still runs."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest
from machines import ROOT


def shrink(folder: Path) -> None:
    subprocess.run([sys.executable, ROOT / "images" / "shrink.py", folder], check=True)


def library(path: Path, *options: str) -> Path:
    """Compile a shared library with a function that gives 42."""
    source = path.with_suffix(".c")
    source.write_text("int answer(void) { return 42; }\n")
    try:
        subprocess.run(["cc", "-shared", "-fPIC", *options, "-o", path, source], check=True)
    except FileNotFoundError:
        pytest.skip("there is no C compiler")
    source.unlink()
    return path


def test_debugging_information_goes_and_the_library_still_runs(tmp_path: Path) -> None:
    """The era's wheels carry more of it than of code."""
    path = library(tmp_path / "some.so", "-g3")
    before = path.stat().st_size
    shrink(tmp_path)
    assert path.stat().st_size < before
    assert ctypes.CDLL(str(path)).answer() == 42


def test_a_library_without_debugging_information_stays_as_it_is(tmp_path: Path) -> None:
    """To the last byte."""
    path = library(tmp_path / "some.so", "-g0")
    before = path.read_bytes()
    shrink(tmp_path)
    assert path.read_bytes() == before


def test_what_only_looks_like_a_library_stays_as_it_is(tmp_path: Path) -> None:
    """A text, an empty file, the first half of a library."""
    half = library(tmp_path / "half.so", "-g3").read_bytes()[:3000]
    contents = {"text.so": b"GROUP ( libm.so.6 )\n", "empty.so": b"", "half.so": half}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    shrink(tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in contents} == contents


def test_large_copies_become_one_file_and_others_stay_two(tmp_path: Path) -> None:
    """NumPy and SciPy each bring the same linear algebra library."""
    content = os.urandom(2 << 20)
    for name, given in {"a": content, "b": content, "c": content[::-1]}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "libopenblas.so").write_bytes(given)
    shrink(tmp_path)
    inodes = [(tmp_path / name / "libopenblas.so").stat().st_ino for name in "abc"]
    assert inodes[0] == inodes[1] != inodes[2]
    assert (tmp_path / "c" / "libopenblas.so").read_bytes() == content[::-1]


def test_the_packages_own_tests_go(tmp_path: Path) -> None:
    """Folders of that very name and nothing else."""
    for name in ("pandas/tests/test_x.py", "numpy/testing/x.py", "numpy/core/tests/data/x.txt"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("")
    shrink(tmp_path)
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))
    assert left == ["numpy", "numpy/core", "numpy/testing", "numpy/testing/x.py", "pandas"]
