"""The environments of the project: the host's own, and those of every stack."""

from __future__ import annotations

import functools
import os
import shutil
import site
import sys
from contextlib import suppress
from pathlib import Path

from erabench.environments.build import Environment, make, mark
from erabench.environments.python import find_python
from images.lock import OWN
from images.stack import ROOT, STACKS, declaration, frameworks, locks, settings

HOST_IMPORT = (
    "import babel.messages.pofile, jinja2.ext, markdown_it, mdit_py_plugins.footnote, mdit_py_plugins.front_matter, "
    "msgspec, numpy, pooch, pyarrow.parquet, requests"
)
"""What the driver and the report import, so that a new environment has its byte code before the first page is made."""


def folder() -> Path:
    """Return the folder of all environments: VENVS, else .venvs in the project."""
    return Path(os.environ.get("VENVS") or ROOT / ".venvs")


def clean() -> list[Path]:
    """Remove the environments there, and return them; what else lies in their folder stays."""
    names = [*OWN, *(f"{lock.parent.name}/{lock.stem}" for lock in STACKS.glob("*/*.lock"))]
    found = [folder() / name for name in names if mark(folder() / name).is_file()]
    for environment in found:
        shutil.rmtree(environment, ignore_errors=True)  # one that could not be made is not there
        mark(environment).unlink()
    for parent in (*{environment.parent for environment in found} - {folder()}, folder()):
        with suppress(OSError):  # not empty, or not there
            parent.rmdir()
    return found


def own(name: str) -> Environment:
    """An environment of the project's own code: "host" or "tests"."""
    first_import = HOST_IMPORT if name == "host" else ""
    return Environment(folder() / name, (ROOT / "images" / f"{name}.lock",), sys.executable, first_import)


def of_stack(stack: str, name: str) -> Environment:
    """A stack's environment: a framework's, or one of the helpers that have a lock there. Raises Problem."""
    python = find_python(settings(stack)["PYTHON_VERSIONS"].split())
    first_import = declaration(name)["check"] if name in frameworks(stack) else ""
    return Environment(folder() / stack / name, locks(stack, name), python, first_import)


@functools.cache
def host() -> Environment:
    """Make the host's environment, and let this process import from it. Raises Problem."""
    environment = own("host")
    make(environment)
    before = len(sys.path)
    site.addsitedir(str(environment.packages))
    sys.path[:0] = [sys.path.pop() for _ in range(len(sys.path) - before)][::-1]  # before what the user has installed
    return environment


def uv() -> Path:
    """uv, which is in the host's environment. Raises Problem."""
    return host().folder / "bin" / "uv"


def made(environment: Environment) -> Environment:
    """The environment, complete. Raises Problem."""
    make(environment, uv())
    return environment
