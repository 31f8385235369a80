"""What an image is built from: pure functions of the stack's files."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from images.files import sha256_of
from images.stack import ROOT, Problem, base, base_variable, declaration, frameworks, locks, settings

IMAGES = ROOT / "images"
DOCKERFILE = IMAGES / "Dockerfile"
INSTALLER = (IMAGES / "install.sh", IMAGES / "shrink.py")


class Recipe(NamedTuple):
    """The ingredients of an image."""

    stack: str
    framework: str
    base: str
    locks: tuple[Path, ...]  # installed in this order
    python_versions: str
    check: str  # a Python statement that fails if the framework is unusable

    @property
    def image(self) -> str:
        """The image's name, the same as in compose.yaml."""
        return f"erabench/{self.framework}:{self.stack}"

    @property
    def variable(self) -> str:
        """The variable that overrides the base image."""
        return base_variable(self.framework)

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that goes into the image, in the order of its hash."""
        return (*INSTALLER, *reversed(self.locks))

    @property
    def lock(self) -> Path:
        """The framework's own lock."""
        return self.locks[-1]

    @property
    def lock_sha256(self) -> str:
        return sha256_of(self.lock)

    @property
    def sha256(self) -> str:
        """The hash of everything that goes into the image: a change of it means a rebuild."""
        digest = hashlib.sha256("\n".join((self.base, self.python_versions, self.check)).encode())
        for path in (DOCKERFILE, *self.files):
            digest.update(path.read_bytes())
        return digest.hexdigest()


def recipe(stack: str, framework: str) -> Recipe:
    """Return the recipe of a stack's framework. Raises Problem."""
    if framework not in frameworks(stack):
        known = ", ".join(frameworks(stack))
        raise Problem(f"stack {stack} has no lock for framework '{framework}'; choose from: {known}")
    image = base(stack, framework)
    if not image:
        raise Problem(f"stack {stack} names no base image for {framework}; set {base_variable(framework)} to one")
    return Recipe(
        stack=stack,
        framework=framework,
        base=image,
        locks=locks(stack, framework),
        python_versions=settings(stack)["PYTHON_VERSIONS"],
        check=declaration(framework)["check"],
    )


def fill_context(recipe: Recipe, folder: Path, wheels: Path | None) -> None:
    """Put everything that the build may see into ``folder``: the installer, the locks, the wheels that they name."""
    for path in recipe.files:
        shutil.copy(path, folder / path.name)
    (folder / "wheels").mkdir()
    for path in named_wheels(recipe, wheels) if wheels else ():
        link_or_copy(path, folder / "wheels" / path.name)


def named_wheels(recipe: Recipe, wheels: Path) -> list[Path]:
    """Return the files of a wheel directory that the recipe's locks name. Raises Problem if there are none."""
    if not wheels.is_dir():
        raise Problem(f"WHEELS={wheels}: no such directory")
    wanted = {pin for lock in recipe.locks for pin in pins(lock)}
    found = [path for path in sorted(wheels.iterdir()) if distribution(path.name) in wanted]
    if not found:
        raise Problem(f"WHEELS={wheels}: none of its files is named by {recipe.lock.relative_to(ROOT)}")
    return found


def pins(lock: Path) -> Iterator[tuple[str, str]]:
    """Yield the (normalized name, version) of every package in a lock."""
    for match in re.finditer(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", lock.read_text(encoding="utf-8"), re.MULTILINE):
        yield normalize(match[1]), match[2]


def distribution(filename: str) -> tuple[str, str]:
    """Return (normalized name, version) of a wheel or source distribution by its file name (PyPA specifications)."""
    if filename.endswith(".whl"):
        name, version = filename.split("-")[:2] if filename.count("-") > 1 else ("", "")
    else:
        name, _, version = re.sub(r"\.(tar\.gz|tar\.bz2|zip)$", "", filename).rpartition("-")
    return normalize(name), version


def normalize(name: str) -> str:
    """Return a package's name in the form that an index compares (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def link_or_copy(source: Path, target: Path) -> None:
    """Make a hard link if the file system allows it, since wheels are gigabytes; else copy."""
    try:
        target.hardlink_to(source.resolve())
    except OSError:
        shutil.copy(source, target)
