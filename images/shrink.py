"""Remove what is not needed at run time from a folder of installed packages: ``python shrink.py SITE_PACKAGES``.

Runs inside a build, on any stack's Python (3.6 or later). The packages' own tests are a third of an image, and NumPy
and SciPy bring the same linear algebra library twice. No file's content is changed.
"""

# ruff: noqa: UP006, UP035 - Python 3.6 has no other

import filecmp
import os
import shutil
import sys
from typing import Dict, Tuple

MEGABYTE = 1 << 20


def main() -> None:
    top = sys.argv[1]
    for folder, names, _ in os.walk(top):
        if "tests" in names:
            shutil.rmtree(os.path.join(folder, "tests"))
            names.remove("tests")
    link_copies(top)


def link_copies(top: str) -> None:
    """Make large files with the same name and content one file."""
    first: Dict[Tuple[str, int], str] = {}
    found = [os.path.join(folder, name) for folder, _, names in os.walk(top) for name in names]
    for path in sorted(path for path in found if not os.path.islink(path)):
        size = os.path.getsize(path)
        key = (os.path.basename(path), size)
        if size < MEGABYTE or key not in first:
            first[key] = path
        elif filecmp.cmp(first[key], path, shallow=False):
            os.unlink(path)
            os.link(first[key], path)


if __name__ == "__main__":
    main()
