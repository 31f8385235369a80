"""Make a virtual environment from hashed locks with uv, and rebuild it when the lock, the Python or a file changes.

The stamp inside the folder is written last, so an interrupted environment is never used. It has the interpreter,
the hash of each lock, and a fingerprint of the installed files (path, size, time of change).
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from erabench.environments import pip
from erabench.terminal import say
from images.files import locked, sha256_of
from images.recipe import pins
from images.stack import Problem

STAMP = "erabench-environment"
LOG_LINES = 15  # of a failed installer's output
FIRST_IMPORT_S = 300.0  # an import that takes longer hangs, which the rows report
CURES = (  # (pattern in a failed installer's output, what to do)
    (r"no space left|errno 28", "the disk is full; free some space and run the same command again"),
    (r"hash mismatch|do not match the hashes",
     "a package differs from its hash in the lock; check whether the index or a proxy altered it"),
    (r"must have a hash|hashes are required", "the lock has a package without a hash; regenerate it with make lock"),
    (r"peer certificate|certificate verify failed",
     "the package index is not trusted; set SSL_CERT_FILE to its CA bundle"),
    (r"error sending request|dns error|tcp connect error|newconnectionerror|connecttimeout|name resolution|max retries"
     r"|from versions: none",
     "the package index cannot be reached; check the network, HTTPS_PROXY and the index (pip's configuration, "
     "UV_DEFAULT_INDEX), and run the same command again"),
    (r"ensurepip|no module named '?(venv|pip)",
     "this Python lacks venv; install it (Debian: apt install python3-venv) and run the same command again"),
    (r"no solution found|no matching distribution|not a supported wheel",
     "the lock has no package for this Python, or the index lacks it (UV_DEFAULT_INDEX, UV_INDEX)"),
    ("", "fix the error above and run the same command again"),
)  # fmt: skip


class Environment(NamedTuple):
    """What an environment is made from."""

    folder: Path
    locks: tuple[Path, ...]  # installed in this order; the last one is the environment's own
    python: str  # the interpreter
    first_import: str = ""  # imports the packages, so that their byte code exists before anything is timed

    @property
    def interpreter(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def packages(self) -> Path:
        """Its site-packages."""
        return next(self.folder.glob("lib/python3.*/site-packages"))


def make(environment: Environment, uv: Path | None = None) -> None:
    """Build the environment unless it is complete and unchanged. Raises Problem.

    Without ``uv``, the environment gets one first: pip installs it, by its hash in the lock.
    """
    for lock in environment.locks:
        if not lock.is_file():
            raise Problem(f"{lock} is missing; make lock makes it, or choose a stack that has it")
    if not defect(environment):
        return
    folder = environment.folder
    if not mark(folder).exists() and folder.is_dir() and any(folder.iterdir()):
        raise Problem(f"'{folder}' is in the way and was not made by erabench; choose another VENVS, or remove it")
    try:
        with locked(mark(folder), lambda: say(f"another process is making {folder}; waiting for it to end")):
            why = defect(environment)
            if not why:
                return
            say(f"making {folder} ({why}); this may take minutes")
            began = time.monotonic()
            build(environment, uv)
            say(f"{folder} is ready ({time.monotonic() - began:.0f} s)")
    except KeyboardInterrupt:
        say(f"{folder} is incomplete and will be rebuilt")
        raise
    except OSError as error:
        cure = "free some space or choose another VENVS"
        raise Problem(f"cannot write '{folder}': {error.strerror}; {cure}") from error


def mark(folder: Path) -> Path:
    """The file beside an environment that locks it, and shows that the folder is erabench's to remove."""
    return folder.parent / f".{folder.name}.lock"


def build(environment: Environment, uv: Path | None) -> None:
    """Build the environment from nothing; the stamp comes last. Raises Problem."""
    folder, python = environment.folder, environment.interpreter
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    if uv:
        variables |= pip.as_uv_settings(uv.with_name("python"))
        if edited_in_place(folder):  # hard links: the files in uv's cache are the same ones
            names = [name for lock in environment.locks for name, _ in pins(lock)]
            step([str(uv), "cache", "clean", *names], variables, folder, "clean uv's cache")
    shutil.rmtree(folder, ignore_errors=True)
    if uv:
        step([str(uv), "venv", "--no-project", "--python", environment.python, str(folder)], variables, folder, "start")
    else:
        uv = folder / "bin" / "uv"
        step([environment.python, "-m", "venv", str(folder)], variables, folder, "start")
        only_uv = folder / "uv.lock"
        only_uv.write_text(entry(environment.locks[-1], "uv"), encoding="utf-8")
        get = [str(python), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--no-deps"]
        step([*get, "--require-hashes", "-r", str(only_uv)], variables, folder, "install uv")
        variables |= pip.as_uv_settings(python)
    for lock in environment.locks:
        command = [str(uv), "pip", "install", "--python", str(python), "--no-deps", "--require-hashes", "-r", str(lock)]
        if lock != environment.locks[0]:  # old source packages build with the setuptools of the bootstrap lock
            command.append("--no-build-isolation")
        step([*command, *pip.options(variables)], variables, folder, f"install {lock}")
    if environment.first_import:  # pip compiles all files, uv none; the rows report a failure
        command = [str(python), "-s", "-c", environment.first_import]
        with suppress(subprocess.TimeoutExpired):
            subprocess.run(command, env=variables, capture_output=True, timeout=FIRST_IMPORT_S, check=False)
    (folder / STAMP).write_text(stamp(environment) + fingerprint(folder), encoding="utf-8")


def entry(lock: Path, package: str) -> str:
    """The lines of a lock that name one package and its hashes."""
    found = re.search(rf"^{package}==.*(?:\n[ \t].*)*", lock.read_text(encoding="utf-8"), re.MULTILINE)
    if not found:
        raise Problem(f"{lock} does not name {package}; add it to {lock.with_suffix('.in')} and run make lock")
    return found[0] + "\n"


def step(command: list[str], variables: Mapping[str, str], folder: Path, purpose: str) -> None:
    """Run a command silently; if it fails, print the end of its output. Raises Problem."""
    done = subprocess.run(
        command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        for line in [line for line in done.stdout.splitlines() if line.strip()][-LOG_LINES:]:
            print("  " + line, file=sys.stderr)
        raise Problem(f"cannot make '{folder}' (step: {purpose}); {advice(done.stdout)}")


def advice(output: str) -> str:
    """Return the fix for an installer's error."""
    return next(text for pattern, text in CURES if re.search(pattern, output, re.IGNORECASE))


def defect(environment: Environment) -> str:
    """Why the environment must be built; "" if it is complete and unchanged."""
    folder = environment.folder
    if not folder.exists():
        return "first use"
    try:
        found = (folder / STAMP).read_text(encoding="utf-8")
    except OSError:
        return "it is incomplete"
    wanted = stamp(environment)
    if not found.startswith(wanted):
        return "its lock or its Python changed"
    if not environment.interpreter.exists() or found != wanted + fingerprint(folder):
        return "its files were changed"
    return ""


def stamp(environment: Environment) -> str:
    """The interpreter and the locks that an environment is made from."""
    hashes = map(sha256_of, environment.locks)
    return "\n".join([os.path.realpath(environment.python), *hashes, ""])


def fingerprint(folder: Path) -> str:
    """Return a hash over path, size and time of change of every installed file except byte code."""
    digest, above = hashlib.sha256(), len(f"{folder}/")
    for file in sorted(installed(folder), key=lambda file: file.path):
        found = file.stat(follow_symlinks=False)
        path = file.path[above:]  # os.path.relpath takes longer than all the rest
        digest.update(f"{path}\0{found.st_size}\0{found.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def edited_in_place(folder: Path) -> bool:
    """Whether a file that is linked to uv's cache changed since the environment was stamped."""
    try:
        made = (folder / STAMP).stat().st_mtime_ns
    except OSError:
        return False
    found = (file.stat(follow_symlinks=False) for file in installed(folder))
    return any(each.st_nlink > 1 and each.st_mtime_ns >= made for each in found)


def installed(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Every file of the environment's packages but byte code."""
    pending = [str(folder / "lib")] if (folder / "lib").is_dir() else []
    while pending:
        with os.scandir(pending.pop()) as entries:
            for each in entries:
                if not each.is_dir(follow_symlinks=False):
                    yield each
                elif each.name != "__pycache__":
                    pending.append(each.path)
