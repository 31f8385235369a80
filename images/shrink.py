"""Take out of a folder of installed packages what nothing needs at run time: ``python shrink.py SITE_PACKAGES``.

Runs inside a build, on the Python of any stack (3.6 or later). The packages' own tests are a third of an image; the
era's wheels carry debugging information (as much again) and the same linear algebra library twice.
"""

# ruff: noqa: UP006, UP035 - Python 3.6 has no other

import filecmp
import os
import shutil
import struct
import sys
from typing import BinaryIO, Dict, List, Tuple

MEGABYTE = 1 << 20


def main() -> None:
    top = sys.argv[1]
    for folder, names, _ in os.walk(top):
        if "tests" in names:
            shutil.rmtree(os.path.join(folder, "tests"))
            names.remove("tests")
    link_copies(top)
    for path in files(top):
        if ".so" in os.path.basename(path) and os.stat(path).st_nlink == 1:
            drop_debug(path)


def files(top: str) -> List[str]:
    """Every plain file below a folder, in one order everywhere."""
    found = [os.path.join(folder, name) for folder, _, names in os.walk(top) for name in names]
    return sorted(path for path in found if not os.path.islink(path))


def link_copies(top: str) -> None:
    """Make one file of large files that have the same name and content."""
    first: Dict[Tuple[str, int], str] = {}
    for path in files(top):
        size = os.path.getsize(path)
        key = (os.path.basename(path), size)
        if size < MEGABYTE or key not in first:
            first[key] = path
        elif filecmp.cmp(first[key], path, shallow=False):
            os.unlink(path)
            os.link(first[key], path)


def drop_debug(path: str) -> None:
    """Cut debugging information off the end of a 64-bit shared library.

    The dynamic loader reads the program headers and what they point to, never the section headers (System V ABI,
    chapter 5), so everything behind the last segment can go. Libraries without debugging information stay as they are.
    """
    with open(path, "r+b") as file:
        header = file.read(64)
        if len(header) < 64 or header[:6] != b"\x7fELF\x02\x01":
            return
        program_at, section_at = struct.unpack_from("<QQ", header, 32)
        program_size, programs, section_size, sections, names_index = struct.unpack_from("<5H", header, 54)
        if not sections or not has_debug(file, section_at, section_size, names_index):
            return
        file.seek(program_at)
        table = file.read(program_size * programs)
        ends = [program_at + len(table)]
        for index in range(programs):
            offset, size = struct.unpack_from("<Q16xQ", table, index * program_size + 8)
            ends.append(offset + size)
        if max(ends) >= section_at:  # the last segment lies behind the section headers: nothing to cut
            return
        file.seek(40)
        file.write(struct.pack("<Q", 0))  # no section headers any more ...
        file.seek(58)
        file.write(struct.pack("<3H", 0, 0, 0))  # ... of no size and number
        file.truncate(max(ends))


def has_debug(file: BinaryIO, section_at: int, section_size: int, names_index: int) -> bool:
    """Whether a library's table of section names has DWARF sections."""
    file.seek(section_at + names_index * section_size)
    header = file.read(section_size)
    if len(header) < 40:  # a file that ends before its own table
        return False
    offset, size = struct.unpack_from("<QQ", header, 24)
    file.seek(offset)
    return b".debug_info" in file.read(size)


if __name__ == "__main__":
    main()
