"""Command-line options whose defaults come from variables; all are checked before anything starts."""

from __future__ import annotations

import argparse
import os
import re
import tempfile
from pathlib import Path
from typing import NamedTuple

from images.stack import Problem

PROFILES = ("smoke", "quick", "full")
DEVICES = ("cpu", "gpu")


class Option(NamedTuple):
    """A command-line option and the variable (of make or of the environment) that it defaults to."""

    variable: str
    help: str
    default: str = ""
    metavar: str = "NAME"


def data_folder(asked: argparse.Namespace) -> Path:
    """DATA_DIR, else the project's folder in the user's cache (XDG Base Directory Specification)."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return Path(asked.DATA_DIR or cache / "erabench" / "data").absolute()


OPTIONS = {
    option.variable: option
    for option in (
        Option("MODEL", "rows to measure, separated by commas", "all", "ROW[,ROW]"),
        Option("FRAMEWORK", "frameworks to measure", "all that the stack has", "NAME[,NAME]"),
        Option("DEVICE", "cpu, gpu or cpu,gpu", "cpu, and gpu if the machine has one", "DEV[,DEV]"),
        Option("PROFILE", "smoke, quick or full", "quick"),
        Option("STACK", "stack of locks that the packages come from", "by the GPU"),
        Option("ENGINE", "docker, podman or venv", "the first that works"),
        Option("MACHINE", "this machine's name in the results", "by the hardware, such as amd-epyc-2cpu"),
        Option("THREADS", "CPU threads of each framework", "the framework's own choice", "N"),
        Option("RESULTS", "folder of the results", "results", "DIR"),
        Option("SITE", "folder of the page", "site", "DIR"),
        Option("LOCALE", "language of the page, ko or en", "ko", "LANG"),
        Option("DATA_DIR", "cache of the data sets", "~/.cache/erabench/data", "DIR"),
        Option("VENVS", "folder of the environments", ".venvs", "DIR"),
        Option("ERA", "years to measure, separated by commas", "all that have a stack", "YEAR[,YEAR]"),
        Option(
            "NET", "nets to measure, named by their published rows", "all; in make eras its usual rows", "NET[,NET]"
        ),
        Option("TUNED", "1 tries each framework's speed settings too", "", "1"),
        Option("KEEP", "1 keeps the environments", "", "1"),
        Option("A", "the first results folder", "", "DIR"),
        Option("B", "the second results folder", "", "DIR"),
        Option("REGISTRY", "registry to copy the images to, as host:port/path", "", "HOST"),
        Option("FILE", "file with the images", "", "FILE"),
        Option("FLEET", "fleet file, see fleet/examples", "fleet.toml", "FILE"),
        Option("CELL", "cell whose state and log to print, such as h100/current.keras", "", "CELL"),
        Option("DRY", "1 prints what would be submitted", "", "1"),
        Option("AGAIN", "1 submits failed cells too, and those beyond their retries", "", "1"),
    )
}
SELECTION = ("MODEL", "DEVICE", "PROFILE", "STACK", "ENGINE", "MACHINE", "THREADS")
OUTPUT = ("RESULTS", "SITE", "LOCALE")


def add(parser: argparse.ArgumentParser, *variables: str) -> None:
    """Add the options of these variables to a command's parser."""
    for name in variables:
        if name == "FORCE":
            parser.add_argument("--force", dest=name, action="store_true", help="measure again what is complete")
            continue
        option = OPTIONS[name]
        default = f" (default: {option.default})" if option.default else ""
        parser.add_argument(
            "--" + name.lower().replace("_", "-"), dest=name, default=os.environ.get(name, ""), metavar=option.metavar,
            help=f"{option.help}{default}",
        )  # fmt: skip


def hand_on(asked: argparse.Namespace) -> None:
    """Export the options as variables, for all code that reads them and for programs that are started."""
    for name, value in vars(asked).items():
        if value and (name in OPTIONS or name == "FORCE"):
            os.environ[name] = "1" if value is True else value


def switched_on(variable: str) -> bool:
    """Whether a variable such as FORCE is set to anything but 0."""
    return os.environ.get(variable, "") not in ("", "0")


def one_of(variable: str, value: str, choices: tuple[str, ...] | list[str]) -> str:
    """The value. Raises Problem unless it is one of ``choices``."""
    if value not in choices:
        what = {"MODEL": "row"}.get(variable, variable.lower())
        raise Problem(f"{variable}={value}: no such {what}; choose from: {', '.join(choices)}")
    return value


def listed(text: str) -> list[str]:
    """The items of a list separated by commas or spaces, each once."""
    return list(dict.fromkeys(item for item in re.split(r"[,\s]+", text) if item))


def writable(variable: str, folder: Path) -> Path:
    """The absolute path of a folder, made if needed and tried. Raises Problem if nothing can be written into it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        text = f"{variable}={folder}: cannot be written ({error.strerror}); choose another {variable}"
        raise Problem(text) from error
    return folder.resolve()
