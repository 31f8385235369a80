"""Make a virtual environment from a hashed lock, once; make it again when the lock or the Python changes.

    python3 images/venv.py .venvs/cpu/keras images/stacks/cpu/keras.lock --stack cpu

The stamp inside the folder is written last, so an interrupted environment is never taken for a whole one. Pip
runs isolated from the user's site-packages and accepts only what the lock's hashes name. Standard library only:
this is the first thing a fresh machine runs.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from stack import STACKS, Problem, settings

STAMP = "erabench-lock"
LOG_LINES = 15  # of pip's words, shown when it fails


class SetupError(Exception):
    """What went wrong, and the cure."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the environment lies")
    parser.add_argument("lock", type=Path, help="requirements with hashes")
    parser.add_argument(
        "--stack", default="", help="stack whose Python to take, and whose bootstrap.lock if it has one"
    )
    options = parser.parse_args()
    try:
        make(options.folder, options.lock, options.stack)
    except (SetupError, Problem) as error:
        print(f"erabench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"erabench: stopped; {options.folder} is not whole and is made anew next time", file=sys.stderr)
        return 130
    return 0


def make(folder: Path, lock: Path, stack: str = "") -> None:
    """Have ``folder`` hold exactly what ``lock`` names; does nothing if it does already."""
    if not lock.is_file():
        raise SetupError(f"there is no lock '{lock}'; `make lock` makes it, or choose a stack that has it")
    python = find_python(settings(stack)["PYTHON_VERSIONS"].split()) if stack else sys.executable
    bootstrap = STACKS / stack / "bootstrap.lock" if stack else None
    if bootstrap and not bootstrap.is_file():
        bootstrap = None
    wanted = stamp(python, [file for file in (bootstrap, lock) if file])
    if is_whole(folder, wanted):
        return
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        guard = open(folder.parent / f".{folder.name}.lock", "w")  # noqa: SIM115 (closed by the `with` below)
    except OSError as error:
        raise SetupError(f"cannot write '{folder.parent}': {error.strerror}; choose another VENVS") from error
    with guard:
        fcntl.flock(guard, fcntl.LOCK_EX)  # a second make waits here and finds the environment made
        if not is_whole(folder, wanted):
            build(folder, python, lock, bootstrap, wanted)


def build(folder: Path, python: str, lock: Path, bootstrap: Path | None, wanted: str) -> None:
    why = "its lock or its Python changed" if folder.exists() else "first use"
    print(f"erabench: making {folder} from {lock} ({why}); this takes a minute or more", file=sys.stderr)
    began = time.monotonic()
    shutil.rmtree(folder, ignore_errors=True)
    run([python, "-m", "venv", str(folder)], folder, "make a virtual environment")
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--no-input"]
    if bootstrap:
        run([*pip, "--require-hashes", "-r", str(bootstrap)], folder, f"install {bootstrap}")
        pip.append("--no-build-isolation")  # old source packages build with the pip just installed
    run([*pip, "--no-deps", "--require-hashes", "-r", str(lock)], folder, f"install {lock}")
    (folder / STAMP).write_text(wanted)
    print(f"erabench: {folder} is ready ({time.monotonic() - began:.0f} s)", file=sys.stderr)


def run(command: list[str], folder: Path, purpose: str) -> None:
    """Run a step silently; on failure show the end of what it said."""
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    clean["PYTHONNOUSERSITE"] = "1"
    done = subprocess.run(command, env=clean, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode == 0:
        return
    said = [line for line in done.stdout.splitlines() if line.strip()]
    for line in said[-LOG_LINES:]:
        print("  " + line, file=sys.stderr)
    raise SetupError(f"could not {purpose} in '{folder}'; {cure(done.stdout)}")


def cure(said: str) -> str:
    if re.search(r"No space left|Errno 28", said):
        return "the disk is full: free some space and run the same command again"
    if re.search(r"THESE PACKAGES DO NOT MATCH THE HASHES|hash", said) and "MATCH" in said:
        return "a package differs from its hash in the lock: do not install it; did the index or a proxy alter it?"
    if re.search(r"Temporary failure in name resolution|NewConnectionError|ConnectTimeout|Max retries", said):
        return "the package index cannot be reached: check the network or proxy and run the same command again"
    if re.search(r"ensurepip|No module named (venv|pip)", said):
        return "this Python lacks venv: install it (Debian: apt install python3-venv) and run the same command again"
    if re.search(r"No matching distribution|not a supported wheel", said):
        return "the lock has no package for this Python here: set PYTHON to another"
    return "what it said stands above; run the same command again once it is mended"


def find_python(versions: list[str]) -> str:
    """An interpreter of one of ``versions`` ("3.11"): this one if it will do, else one on PATH or of pyenv."""
    if "{}.{}".format(*sys.version_info) in versions:
        return sys.executable
    for version in versions:
        pyenv = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}"), reverse=True)
        for candidate in (shutil.which(f"python{version}"), *map(str, pyenv)):
            if candidate and answers(candidate, version):
                return candidate
    raise SetupError(
        f"this needs Python {' or '.join(versions)}, and there is only {sys.version.split()[0]} ({sys.executable}); "
        "install one, or name it: make PYTHON=/path/to/python …"
    )


def answers(candidate: str, version: str) -> bool:
    """Whether the interpreter really is that version (a pyenv shim may stand for nothing)."""
    question = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        said = subprocess.run([candidate, "-c", question], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return said.stdout.strip() == version


def stamp(python: str, locks: list[Path]) -> str:
    """What an environment is made from: the interpreter and the locks' contents."""
    real = os.path.realpath(python)
    return "\n".join([real, *(hashlib.sha256(lock.read_bytes()).hexdigest() for lock in locks)]) + "\n"


def is_whole(folder: Path, wanted: str) -> bool:
    try:
        return (folder / STAMP).read_text() == wanted and (folder / "bin" / "python").exists()
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
