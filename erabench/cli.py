"""The command line: subcommands, their options and their help."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from erabench import data, doctor, options, page, suites
from erabench.bench.run import bench, compare_frameworks
from erabench.choose import choose
from erabench.containers.carry import load, mirror, save
from erabench.environments import locks, pip
from erabench.eras.run import eras
from erabench.frameworks import table
from erabench.terminal import say
from images.lock import lock
from images.stack import ROOT, Problem

MEASURED = (*options.SELECTION, *options.OUTPUT, "DATA_DIR", "VENVS", "FORCE")
COMPARED = ("NET", "FRAMEWORK", "TUNED", *(name for name in MEASURED if name != "MODEL"))
OF_BENCH = (
    "0  every row is measured, or was skipped for a reason",
    "1  a row failed",
    "2  a wrong option, or a framework could not be prepared",
    "130  stopped; finished processes are kept",
)
OF_PAGE = ("0  the page is written", "1  some results could not be used", "2  no result, or a wrong option")
OF_CHECK = ("0  everything holds", "1  something does not", "2  a wrong option")
OF_FLEET = ("0  everything is submitted or done", "1  the scheduler refused a part", "2  nothing was submitted")
OF_ACTION = ("0  done", "2  a wrong option, or it could not be done")


class Command(NamedTuple):
    """A subcommand."""

    run: Callable[[Namespace], int | None]
    help: str
    variables: tuple[str, ...]  # its options
    examples: tuple[str, ...]
    statuses: tuple[str, ...] = OF_ACTION
    words: str = ""  # what its positional arguments are; "" for none


def regenerate(asked: Namespace) -> None:
    """Regenerate the locks of a stack. Raises Problem."""
    if not asked.STACK:
        raise Problem("STACK is not set; run: make lock STACK=cpu (host and tests are the project's own)")
    os.environ.update(pip.as_uv_settings(locks.host().interpreter))
    for path in lock(asked.STACK, str(locks.uv()), upgrade=options.switched_on("UPGRADE")):
        print(path.relative_to(ROOT))


def carry(asked: Namespace) -> None:
    """Take a stack's images to a registry, into a file or out of one. Raises Problem."""
    action, target = asked.command, "REGISTRY" if asked.command == "mirror" else "FILE"
    value = getattr(asked, target)
    if not value:
        raise Problem(f"{target} is not set; run: make {action} {target}=... (docs/containers.md)")
    chosen = choose(asked.ENGINE, asked.STACK)
    if chosen.engine == "venv":
        raise Problem("engine venv has no images; start Docker or Podman, or name it: ENGINE=docker")
    if action == "mirror":
        mirror(chosen.engine, chosen.stack, value)
    elif action == "save":
        save(chosen.engine, chosen.stack, Path(value))
    else:
        load(chosen.engine, Path(value))


def fetch(asked: Namespace) -> int:
    """Fetch data sets, so that a bench needs no network. Raises Problem for an unknown name."""
    names = [options.one_of("NAME", name, data.DATASETS) for name in asked.words] or list(data.DATASETS)
    locks.host()
    folder = options.data_folder(asked)
    problems = data.fetch(names, folder, say, force=True)
    for name, problem in problems.items():
        say(problem or f"{name} is ready in {folder}")
    return 1 if any(problems.values()) else 0


def of_fleet(asked: Namespace) -> int:
    """Run the command of the same name of the package fleet, which reads the same variables."""
    try:
        return subprocess.run([sys.executable, "-s", "-m", "fleet", asked.command], check=False).returncode
    except KeyboardInterrupt:  # which it has received too, and told what to do
        return 130


def clean(_asked: Namespace) -> None:
    """Remove environments and caches."""
    caches = [Path(name) for name in (".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis")]
    found = [folder for folder in caches if folder.is_dir()]
    for folder in found:
        shutil.rmtree(folder)
    for folder in (*locks.clean(), *found):
        say(f"removed {folder}")


COMMANDS = {
    "bench": Command(
        bench, "set everything up, measure the rows in rounds, write the page", MEASURED,
        ("bench", "bench --profile smoke", "bench --model lstm,ar --device cpu --force"), OF_BENCH,
    ),
    "tune": Command(
        lambda asked: bench(asked, tune=True), "try each framework's speed settings and report the gain", MEASURED,
        ("tune", "tune --model lstm --device cpu"), OF_BENCH,
    ),
    "frameworks": Command(
        compare_frameworks, "measure one net in every framework, proven the same (docs/frameworks.md)", COMPARED,
        ("frameworks", "frameworks --net lstm --framework pytorch,jax"), OF_BENCH,
    ),
    "eras": Command(
        eras, "measure with the releases of several years, in rounds over the years (docs/eras.md)",
        ("ERA", "NET", "FRAMEWORK", "KEEP", *(name for name in MEASURED if name not in ("MODEL", "STACK"))),
        ("eras", "eras --era 2018,2020,2026 --net lstm,ar"), OF_BENCH,
    ),
    "page": Command(
        page.selected, "write the page from the results there are", (*options.OUTPUT, "MACHINE", "STACK", "VENVS"),
        ("page", "page --machine gtx-1080 --locale en"), OF_PAGE,
    ),
    "compare": Command(
        page.compare, "compare two results folders", ("A", "B", "SITE", "LOCALE", "VENVS"),
        ("compare --a results/old --b results/new",), OF_PAGE,
    ),
    "check-page": Command(
        page.check, "fail if the committed example page differs from what its results give", ("VENVS",),
        ("check-page",), OF_CHECK,
    ),
    "site": Command(page.site, "build the web site around the page (needs jekyll)", options.OUTPUT, ("site",), OF_PAGE),
    "serve": Command(page.serve, "show the site at http://localhost:4000 (needs jekyll)", options.OUTPUT, ("serve",)),
    "list": Command(lambda _: print(table(), end=""), "list the rows", (), ("list",)),
    "data": Command(
        fetch, "fetch the data sets, so that a bench needs no network", ("DATA_DIR", "VENVS"),
        ("data", "data cifar10"), ("0  all are ready", "1  one is not available", "2  a wrong option"),
        "names of data sets (default: all)",
    ),
    "doctor": Command(
        doctor.examine, "check this machine and suggest fixes", ("ENGINE", "STACK", "DATA_DIR", "VENVS"),
        ("doctor", "doctor --engine docker --stack gtx1080"), OF_CHECK,
    ),
    "test": Command(
        suites.test, "run the tests, each in the environment that it is about", ("VENVS",),
        ("test", "test classical -k slips", "test containers"), OF_CHECK, "part of a suite's name, pytest's options",
    ),
    "test-gpu": Command(
        suites.test_gpu, "test each framework on this machine's GPU, in an interpreter that holds it",
        ("STACK", "DEVICE", "DATA_DIR", "VENVS"), ("test-gpu", "test-gpu --stack gtx1080"), OF_CHECK,
    ),
    "bench-harness": Command(
        suites.harness, "measure what the harness itself costs, on a quiet machine", ("VENVS",),
        ("bench-harness", "bench-harness overhead"), OF_CHECK, "parts to run (default: all)",
    ),
    "lock": Command(
        regenerate, "regenerate a stack's lock files (UPGRADE=1 takes newer versions)", ("STACK", "VENVS"),
        ("lock --stack cpu", "lock --stack host"),
    ),
    "mirror": Command(
        carry, "copy a stack's images to a registry", ("ENGINE", "STACK", "REGISTRY"),
        ("mirror --stack gtx1080 --registry registry.example:5000",),
    ),
    "save": Command(
        carry, "write a stack's images to a file", ("ENGINE", "STACK", "FILE"),
        ("save --stack gtx1080 --file images.tar",),
    ),
    "load": Command(carry, "read images that save wrote", ("ENGINE", "STACK", "FILE"), ("load --file images.tar",)),
    "fleet": Command(
        of_fleet, "measure on the machines of a cluster, through Slurm or Kubernetes (docs/fleet.md)",
        ("FLEET", "DRY", "AGAIN"), ("fleet --fleet fleet.toml --dry 1", "fleet --fleet fleet.toml"), OF_FLEET,
    ),
    "fleet-status": Command(
        of_fleet, "show the state of each cell of a fleet", ("FLEET", "CELL"),
        ("fleet-status", "fleet-status --cell h100/current.keras"),
    ),
    "fleet-gather": Command(
        of_fleet, "gather a fleet's results and write the page", ("FLEET", *options.OUTPUT),
        ("fleet-gather --results results",), OF_PAGE,
    ),
    "fleet-cancel": Command(of_fleet, "stop a fleet's jobs; finished rows are kept", ("FLEET",), ("fleet-cancel",)),
    "clean": Command(clean, "remove environments and caches; results, site and data stay", ("VENVS",), ("clean",)),
}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit status."""
    asked = parser().parse_args(arguments)
    options.hand_on(asked)
    try:
        status = COMMANDS[asked.command].run(asked) or 0
        sys.stdout.flush()  # here, where it is no error that the reader has gone
        return status
    except Problem as problem:
        say(str(problem))
        return 2
    except KeyboardInterrupt:
        say("stopped")
        return 130
    except BrokenPipeError:  # the reader of the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        say(f"{error.filename or 'a file'}: {error.strerror or error}; make it accessible, or name another one")
        return 2


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    program = "python3 -m erabench"
    every = argparse.ArgumentParser(
        prog=program,
        description="Measure models of 2017 in today's frameworks and those of their time, and write the page.",
        epilog="`make COMMAND` does the same: every option defaults to the variable of its name, so MODEL=ar is "
        f"--model ar. `{program} COMMAND --help` shows a command's options, examples and exit statuses.",
    )
    commands = every.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        lines = ["examples:", *(f"  {program} {example}" for example in command.examples)]
        lines += ["", "exit status:", *(f"  {status}" for status in command.statuses)]
        one = commands.add_parser(
            name, help=command.help, description=f"{command.help[0].upper()}{command.help[1:]}.",
            epilog="\n".join(lines), formatter_class=argparse.RawDescriptionHelpFormatter,
        )  # fmt: skip
        options.add(one, *command.variables)
        if command.words:
            one.add_argument("words", nargs=argparse.REMAINDER, metavar="WORD", help=command.words)
    return every
