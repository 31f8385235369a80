"""Which cards a CUDA library has machine code for, read from the library itself."""

from __future__ import annotations

import mmap
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

MAGIC = struct.pack("<I", 0xBA55ED50)  # fatbinary.h: fatBinaryHeader.magic
CUBIN = 2  # the kind of an entry that is machine code; 1 is PTX


def in_package(package: Path) -> set[str]:
    """The compute capabilities in all shared libraries of an installed package, as "6.1"."""
    return {found for path in package.rglob("*.so*") if path.is_file() for found in in_library(path)}


def in_wheel(wheel: Path) -> set[str]:
    """The same for a wheel."""
    found: set[str] = set()
    with zipfile.ZipFile(wheel) as archive, TemporaryDirectory() as scratch:
        for name in archive.namelist():
            if ".so" in Path(name).name:
                path = Path(archive.extract(name, scratch))
                found |= in_library(path)
                path.unlink()
    return found


def in_library(path: Path) -> set[str]:
    """The same for one shared library: every entry of every "fat binary" tells its kind and architecture."""
    if path.stat().st_size < len(MAGIC):
        return set()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return {f"{number // 10}.{number % 10}" for kind, number in entries(data) if kind == CUBIN}


def entries(data: mmap.mmap) -> Iterator[tuple[int, int]]:
    """(kind, architecture) of every entry: header of 16 bytes, then entries of which each tells its own size."""
    at = data.find(MAGIC)
    while at >= 0:
        _, version, header, size = struct.unpack_from("<IHHQ", data, at) if at + 16 <= len(data) else (0, 0, 0, 0)
        entry, end = at + 16, at + 16 + size
        while version == 1 and header == 16 and entry + 32 <= end <= len(data):
            kind, _, head, length = struct.unpack_from("<HHIQ", data, entry)
            if head < 32:
                break
            yield kind, struct.unpack_from("<I", data, entry + 28)[0]
            entry += head + length
        at = data.find(MAGIC, at + 4)
