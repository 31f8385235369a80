"""What an image is made from, and where it is called: pure functions of the stack's files."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from stack import ROOT, STACKS, Problem, base, frameworks, settings

IMAGES = ROOT / "images"
INSTALLER = (IMAGES / "install.sh", IMAGES / "shrink.py")


class Recipe(NamedTuple):
    """An image's ingredients."""

    stack: str
    framework: str  # a framework of the stack, or "report"
    base: str
    lock: Path
    bootstrap: Path | None
    dockerfile: Path
    python_versions: str

    @property
    def image(self) -> str:
        """The image's name, as compose.yaml has it."""
        return f"erabench/{self.framework}:{self.stack}"

    @property
    def variable(self) -> str:
        """The variable that overrides the base."""
        return f"BASE_{self.framework.upper()}"

    @property
    def locks(self) -> tuple[Path, ...]:
        return (self.lock, self.bootstrap) if self.bootstrap else (self.lock,)

    @property
    def lock_sha256(self) -> str:
        return hashlib.sha256(self.lock.read_bytes()).hexdigest()

    @property
    def sha256(self) -> str:
        """Of everything that goes into the image: it is built anew when this changes."""
        digest = hashlib.sha256(f"{self.base}\n{self.python_versions}\n".encode())
        for path in (self.dockerfile, *INSTALLER, *self.locks):
            digest.update(path.read_bytes())
        return digest.hexdigest()


def recipe(stack: str, framework: str) -> Recipe:
    """The recipe of a stack's framework, or of the report. Raises Problem."""
    known = [*frameworks(stack), "report"]
    if framework not in known:
        raise Problem(f"'{framework}' is no framework of stack {stack}. Take one of: {', '.join(known)}.")
    # The report is today's Python whatever the stack: it takes the base of the stack that needs no GPU.
    source = "cpu" if framework == "report" else stack
    folder = IMAGES / "report" if framework == "report" else STACKS / stack
    bootstrap = folder / "bootstrap.lock"
    made = Recipe(
        stack=stack,
        framework=framework,
        base=report_base() if framework == "report" else base(stack, framework),
        lock=folder / f"{framework}.lock",
        bootstrap=bootstrap if bootstrap.exists() else None,
        dockerfile=IMAGES / framework / "Dockerfile",
        python_versions=settings(source)["PYTHON_VERSIONS"],
    )
    if not made.base:
        raise Problem(f"stack {stack} names no base image for {framework}. Set {made.variable} to one you have.")
    for path in (made.lock, made.dockerfile):
        if not path.is_file():
            raise Problem(f"{path.relative_to(ROOT)} is missing: make lock STACK={stack} makes the locks")
    return made


def report_base() -> str:
    """The report's base: BASE_REPORT, else the cpu stack's. BASE is for the frameworks, and may be an era's."""
    return os.environ.get("BASE_REPORT") or settings("cpu")["BASE_CLASSICAL"]


def fill_context(made: Recipe, folder: Path, wheels: Path | None) -> None:
    """Put into ``folder`` what the build may see: the installer, the locks, and the wheels that the locks name."""
    for path in (*INSTALLER, *made.locks):
        shutil.copy(path, folder / path.name)
    (folder / "wheels").mkdir()
    for path in named_wheels(made, wheels) if wheels else ():
        link_or_copy(path, folder / "wheels" / path.name)


def named_wheels(made: Recipe, wheels: Path) -> list[Path]:
    """The files of a wheel directory that the recipe's locks name. Raises Problem where there are none."""
    if not wheels.is_dir():
        raise Problem(f"WHEELS={wheels}: there is no such directory")
    wanted = {key for lock in made.locks for key in pins(lock)}
    found = [path for path in sorted(wheels.iterdir()) if distribution(path.name) in wanted]
    if not found:
        raise Problem(f"WHEELS={wheels}: it holds nothing that {made.lock.relative_to(ROOT)} names")
    return found


def pins(lock: Path) -> Iterator[tuple[str, str]]:
    """(normalized name, version) of every package a lock names."""
    for match in re.finditer(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", lock.read_text(encoding="utf-8"), re.MULTILINE):
        yield normalize(match[1]), match[2]


def distribution(filename: str) -> tuple[str, str]:
    """(normalized name, version) of a wheel or a source distribution, by its file name (PyPA's formats)."""
    if filename.endswith(".whl"):
        name, version = filename.split("-")[:2] if filename.count("-") > 1 else ("", "")
    else:
        name, _, version = re.sub(r"\.(tar\.gz|tar\.bz2|zip)$", "", filename).rpartition("-")
    return normalize(name), version


def normalize(name: str) -> str:
    """A package's name as the index compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def link_or_copy(source: Path, target: Path) -> None:
    """A hard link where the file system allows it: wheels are gigabytes."""
    try:
        target.hardlink_to(source.resolve())
    except OSError:
        shutil.copy(source, target)
