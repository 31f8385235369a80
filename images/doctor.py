"""``make doctor``: what this machine has for a bench and what it lacks, a line each with the cure.

Exit status 1 if the bench cannot run, 0 otherwise; a warning means that it runs but its figures may suffer.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from build import is_current
from choose import ENGINES, choose, dotted, has_python
from engine import CONTAINER_ENGINES, described_cards, has_nvidia_runtime, image_id, unusable
from hardware import Card, cards
from recipe import recipe
from stack import ROOT, Problem, base, fail, frameworks, settings

GB = 10**9
REACH_TIMEOUT_S = 20.0
# Measured on the cpu stack: images 7.5 GB, pip's cache as much again, data 1 GB; the largest child 4 GB.
DISK_NEEDED, DISK_FOR_PACKAGES, DISK_LEAST, MEMORY_NEEDED, MEMORY_LEAST = 20 * GB, 9 * GB, 2 * GB, 8 * GB, 4 * GB


class Finding(NamedTuple):
    """One line. ``level`` is "ok", "warn" (the figures may suffer) or "fail" (the bench cannot run)."""

    level: str
    what: str
    text: str
    cure: str = ""

    def __str__(self) -> str:
        return f"{self.level:<4}  {self.what:<9} {self.text}" + (f"  ->  {self.cure}" if self.cure else "")


class Plan(NamedTuple):
    """What `make bench` would take."""

    engine: str
    stack: str
    cards: list[Card]
    data: Path


def main() -> None:
    parser = argparse.ArgumentParser(description="Look at this machine: can the bench run, and will its figures hold?")
    parser.add_argument("--engine", default="", help=f"{', '.join(ENGINES)}; empty: as make bench would choose")
    parser.add_argument("--stack", default="", help="a stack; empty: as make bench would choose")
    arguments = parser.parse_args()
    try:
        stack, engine = choose(arguments.engine, arguments.stack)
    except Problem as problem:
        fail(problem)
    print(Finding("ok", "choice", f"engine {engine.name} ({engine.reason}), stack {stack.name} ({stack.reason})"))
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "erabench" / "data"
    plan = Plan(engine.name, stack.name, cards()[0], Path(os.environ.get("DATA_DIR") or cache))
    worst = 0
    for check in CHECKS:
        for finding in check(plan):
            print(finding, flush=True)
            worst = max(worst, finding.level == "fail")
    print("The bench cannot run: see the lines with fail." if worst else "The bench can run.")
    sys.exit(worst)


def check_engines(_plan: Plan) -> Iterator[Finding]:
    for engine in CONTAINER_ENGINES:
        reason = unusable(engine)
        cure = "install or start it to run in containers; the bench runs without" if reason else ""
        yield Finding("ok", "engine", reason or f"{engine} answers", cure)


def check_python(plan: Plan) -> Iterator[Finding]:
    if plan.engine == "venv" and not has_python(plan.stack):
        wanted = settings(plan.stack)["PYTHON_VERSIONS"]
        text = f"stack {plan.stack} needs Python {wanted}"
        yield Finding("fail", "python", text, "install it, or take a container engine")
    else:
        yield Finding("ok", "python", sys.version.split()[0])


def check_cards(plan: Plan) -> Iterator[Finding]:
    if not plan.cards:
        level = "warn" if "CARDS_PYTORCH" in settings(plan.stack) else "ok"
        yield Finding(level, "card", cards()[1], "GPU rows will be skipped" if level == "warn" else "")
    for card in plan.cards:
        yield Finding("ok", "card", f"{card.name}, compute capability {dotted(card)}, driver {card.driver}")


def check_machine_code(plan: Plan) -> Iterator[Finding]:
    """The first card against the cards that the stack's wheels carry machine code for."""
    for framework, names in claims(plan, "CARDS_"):
        if not any(runs_on(name, plan.cards[0].capability) for name in names.split()):
            text = f"{framework} of stack {plan.stack} has machine code for {names}, not for {dotted(plan.cards[0])}"
            yield Finding("warn", "card", text, "its GPU rows will be skipped or fail; take another STACK")


def runs_on(claimed: str, capability: tuple[int, int]) -> bool:
    """Whether machine code for a compute capability runs on a card: same major, no newer minor (CUDA guide, 3.1.2)."""
    major, minor = (int(part) for part in claimed.split("."))
    return major == capability[0] and minor <= capability[1]


def check_driver(plan: Plan) -> Iterator[Finding]:
    """The driver against the oldest that the stack's CUDA runs on."""
    for framework, least in claims(plan, "DRIVER_"):
        have = plan.cards[0].driver
        if have and number(have) < number(least):
            text = f"{have} is too old for {framework} of stack {plan.stack}, which needs {least}"
            yield Finding("fail", "driver", text, "install a newer NVIDIA driver, or take an older STACK")
        else:
            yield Finding("ok", "driver", f"{have or 'unknown'} for {framework}, which needs {least}")


def claims(plan: Plan, prefix: str) -> Iterator[tuple[str, str]]:
    """(framework, value) of the stack's settings with a prefix, where there is a card to hold against them."""
    for name, value in settings(plan.stack).items():
        if plan.cards and name.startswith(prefix):
            yield name.removeprefix(prefix).lower(), value


def number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def check_toolkit(plan: Plan) -> Iterator[Finding]:
    if not plan.cards or plan.engine == "venv" or "CARDS_PYTORCH" not in settings(plan.stack):
        return
    if plan.engine == "docker" and has_nvidia_runtime():
        yield Finding("ok", "toolkit", "Docker has the NVIDIA runtime")
    elif described_cards():
        yield Finding("ok", "toolkit", "the cards have a CDI description")
    else:
        cure = "install the NVIDIA Container Toolkit, then: nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml"
        yield Finding("warn", "toolkit", f"{plan.engine} cannot give a container the card", cure)


def check_disk(plan: Plan) -> Iterator[Finding]:
    for name, folder, least in (("project", ROOT, least_for_packages(plan)), ("data", plan.data, DISK_LEAST)):
        free = shutil.disk_usage(existing(folder)).free
        level = "fail" if free < least else "warn" if free < DISK_NEEDED else "ok"
        cure = "" if level == "ok" else f"a first run needs about {DISK_NEEDED // GB} GB; DATA_DIR and VENVS can move"
        yield Finding(level, "disk", f"{free / GB:.0f} GB free for {name} ({folder})", cure)


def least_for_packages(plan: Plan) -> int:
    """What the packages' folder must have free: little where they are there already. An engine keeps its own place."""
    folders = [Path(os.environ.get("VENVS") or ROOT / ".venvs") / plan.stack / name for name in frameworks(plan.stack)]
    here = plan.engine != "venv" or all(folder.is_dir() for folder in folders)
    return DISK_LEAST if here else DISK_FOR_PACKAGES


def existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())


def check_memory(_plan: Plan) -> Iterator[Finding]:
    available = memory_available()
    level = "fail" if available < MEMORY_LEAST else "warn" if available < MEMORY_NEEDED else "ok"
    cure = "" if level == "ok" else "the largest row takes 4 GB: close other programs, or leave it out with MODEL="
    yield Finding(level, "memory", f"{available / GB:.0f} GB available", cure)


def memory_available() -> int:
    for line in read("/proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def check_governor(_plan: Plan) -> Iterator[Finding]:
    governor = read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").strip()
    if not governor:
        yield Finding("ok", "clock", "this machine does not tell its governor (a virtual machine, most often)")
    elif governor == "performance":
        yield Finding("ok", "clock", "governor performance")
    else:
        cure = "cpupower frequency-set -g performance"
        yield Finding("warn", "clock", f"governor {governor}: the clock will vary", cure)


def check_load(plan: Plan) -> Iterator[Finding]:
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    busy = load > 0.25 * cores
    cure = "wait, or end what runs: timings suffer" if busy else ""
    yield Finding("warn" if busy else "ok", "load", f"{load:.2f} on {cores} cores", cure)
    if plan.cards:
        others = ask(["nvidia-smi", "--query-compute-apps=pid,name", "--format=csv,noheader"]).splitlines()
        cure = "end them, or their work is measured too" if others else ""
        text = f"other programs on the card: {'; '.join(others)}" if others else "no other program on the card"
        yield Finding("warn" if others else "ok", "load", text, cure)


def check_data(plan: Plan) -> Iterator[Finding]:
    files = [path for path in plan.data.rglob("*") if path.is_file()] if plan.data.is_dir() else []
    if files:
        megabytes = sum(path.stat().st_size for path in files) / 1e6
        yield Finding("ok", "data", f"{len(files)} files, {megabytes:.0f} MB in {plan.data}")
    else:
        cure = "the first bench fetches them; without a network, copy them there (docs/containers.md)"
        yield Finding("warn", "data", f"none yet in {plan.data}", cure)


def check_bases(plan: Plan) -> Iterator[Finding]:
    """The base images, for a container engine: here already, or to be had."""
    for framework in frameworks(plan.stack) if plan.engine != "venv" else ():
        made = recipe(plan.stack, framework)
        base_id = image_id(plan.engine, made.base)
        if is_current(plan.engine, made, base_id):
            yield Finding("ok", "image", f"{made.image} is built")
        elif base_id:
            yield Finding("ok", "base", f"{made.base} is here")
        elif reachable(plan.engine, made.base):
            yield Finding("ok", "base", f"{made.base} can be pulled")
        else:
            cure = f"set {made.variable} or BASE to an image you have, REGISTRY to a mirror, or ENGINE=venv"
            yield Finding("fail", "base", f"{base(plan.stack, framework)} cannot be reached", cure)


def reachable(engine: str, image: str) -> bool:
    """Whether a registry answers for an image, without pulling it."""
    return bool(ask([engine, "manifest", "inspect", image]))


def ask(command: list[str]) -> str:
    """What a command prints; "" where it fails or takes too long."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=REACH_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def read(path: str) -> str:
    """A file's text; "" where it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""


CHECKS: tuple[Callable[[Plan], Iterator[Finding]], ...] = (
    check_python,
    check_engines,
    check_cards,
    check_machine_code,
    check_driver,
    check_toolkit,
    check_disk,
    check_memory,
    check_governor,
    check_load,
    check_data,
    check_bases,
)


if __name__ == "__main__":
    main()
