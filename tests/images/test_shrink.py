"""What is not needed at run time is removed from an image, and what is left is unchanged."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from images.stack import ROOT


def shrink(folder: Path) -> None:
    subprocess.run([sys.executable, ROOT / "images" / "shrink.py", folder], check=True)


def test_large_copies_become_one_file_and_others_stay_two(tmp_path: Path) -> None:
    """NumPy and SciPy each bring the same linear algebra library."""
    content = os.urandom(2 << 20)
    for name, given in {"a": content, "b": content, "c": content[::-1]}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "libopenblas.so").write_bytes(given)
    shrink(tmp_path)
    inodes = [(tmp_path / name / "libopenblas.so").stat().st_ino for name in "abc"]
    assert inodes[0] == inodes[1] != inodes[2]
    assert [(tmp_path / name / "libopenblas.so").read_bytes() for name in "ac"] == [content, content[::-1]]


def test_the_packages_own_tests_are_removed(tmp_path: Path) -> None:
    """Folders of exactly that name and nothing else."""
    for name in ("pandas/tests/test_x.py", "numpy/testing/x.py", "numpy/core/tests/data/x.txt"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("")
    shrink(tmp_path)
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))
    assert left == ["numpy", "numpy/core", "numpy/testing", "numpy/testing/x.py", "pandas"]
