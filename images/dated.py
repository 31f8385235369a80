"""Locks of a year: of each package one file, the best for one Python on x86-64 Linux, with the day of its upload."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from images.stack import Problem

PLATFORM = "x86_64-manylinux_2_28"  # as uv calls it
OLDER_NAMES = {17: "manylinux2014_x86_64", 12: "manylinux2010_x86_64", 5: "manylinux1_x86_64"}  # of glibc 2.x (PEP 600)


def lines(pylock: str, python: str) -> Iterator[str]:
    """Yield the lock's lines for a resolution in the format of PEP 751, by name. Raises Problem.

    uv writes that format with the hash and the upload time of every file; ``python`` is a version such as "3.8".
    """
    places = {tag: place for place, tag in enumerate(tags(python))}
    for package in sorted(tomllib.loads(pylock)["packages"], key=lambda package: str(package["name"])):
        name = f"{package['name']}=={package['version']}"
        file = best(package, places)
        if file is None:
            raise Problem(f"{name} has no file for Python {python} on Linux; pin another version in the .in file")
        if "upload-time" not in file:
            raise Problem(f"the package index does not state when {name} was uploaded; use one that does (PEP 700)")
        yield f"{name} --hash=sha256:{file['hashes']['sha256']}  # {file['upload-time']:%Y-%m-%d}"


def best(package: Mapping[str, Any], places: Mapping[str, int]) -> dict[str, Any] | None:
    """Return the wheel whose tag comes first, else the source distribution, else None."""
    found = [(place, wheel) for wheel in package.get("wheels", ()) if (place := first(wheel, places)) is not None]
    file: dict[str, Any] | None = min(found, key=lambda pair: pair[0])[1] if found else package.get("sdist")
    return file


def first(wheel: Mapping[str, Any], places: Mapping[str, int]) -> int | None:
    """Return the first place of a wheel's tags; None if it does not fit."""
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    try:
        _, _, _, found = parse_wheel_filename(wheel.get("name") or unquote(wheel["url"].rpartition("/")[2]))
    except InvalidWheelFilename:
        return None
    return min((places[str(tag)] for tag in found if str(tag) in places), default=None)


def tags(python: str) -> Iterator[str]:
    """Yield the tags that fit CPython of that version on x86-64 Linux with glibc 2.28, the most specific first."""
    from packaging.tags import compatible_tags, cpython_tags

    version = tuple(map(int, python.split(".")))
    name = "cp{}{}".format(*version)
    platforms = []
    for minor in range(28, 4, -1):
        platforms += [f"manylinux_2_{minor}_x86_64", *([OLDER_NAMES[minor]] if minor in OLDER_NAMES else [])]
    platforms.append("linux_x86_64")
    yield from map(str, cpython_tags(version, [name + ("m" if version < (3, 8) else "")], platforms))
    yield from map(str, compatible_tags(version, name, platforms))
