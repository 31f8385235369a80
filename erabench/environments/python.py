"""Find an interpreter of a wanted version."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from images.stack import Problem, output

ELSEWHERE = (".pyenv/versions/{}.*/bin/python{}", ".local/share/uv/python/cpython-{}.*/bin/python{}")  # below home
ANSWER_TIMEOUT_S = 10.0


def find_python(versions: Sequence[str]) -> str:
    """Return an interpreter of one of ``versions`` ("3.11"): this one, else on PATH, of pyenv or uv. Raises Problem."""
    if "{}.{}".format(*sys.version_info) in versions:
        return sys.executable
    for version in versions:
        known = [path for pattern in ELSEWHERE for path in sorted(Path.home().glob(pattern.format(version, version)))]
        for candidate in (shutil.which(f"python{version}"), *map(str, reversed(known))):
            if candidate and answers(candidate, version):
                return candidate
    raise Problem(
        f"Python {' or '.join(versions)} is needed, and only {sys.version.split()[0]} ({sys.executable}) was found; "
        f"install one (uv python install {versions[-1]}), or name it: make PYTHON=/path/to/python"
    )


def answers(candidate: str, version: str) -> bool:
    """Whether the interpreter runs and is that version (a pyenv shim may point nowhere)."""
    question = "import sys; print('%d.%d' % sys.version_info[:2])"
    return output(candidate, "-c", question, timeout_s=ANSWER_TIMEOUT_S) == version
