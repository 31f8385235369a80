"""``make doctor``: check this machine for a bench; one line per finding, with a fix.

Exit status 1 if the bench cannot run, 0 otherwise; a warning means that it runs but its figures may suffer.
"""

from __future__ import annotations

import os
import shutil
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from erabench import options
from erabench.choose import choose, has_python
from erabench.containers.command import (
    CONTAINER_ENGINES,
    has_cdi_description,
    has_nvidia_runtime,
    image_id,
    unusable,
)
from erabench.containers.image import is_current, source
from erabench.environments import locks
from erabench.hardware import Gpu, gpus, read
from images.recipe import recipe
from images.stack import ROOT, declaration, frameworks, gpu_capabilities, output, settings

GB = 10**9
REACH_TIMEOUT_S = 20.0
# Measured: environments of the cpu stack 7.2 GB, linked from uv's cache, data 1 GB; the largest row 6 GB of memory.
DISK_NEEDED, DISK_FOR_PACKAGES, DISK_LEAST, MEMORY_NEEDED, MEMORY_LEAST = 10 * GB, 8 * GB, 2 * GB, 7 * GB, 2 * GB
BUSY = 0.25  # load per CPU


class Finding(NamedTuple):
    """One line. ``level`` is "ok", "warn" (the figures may suffer) or "fail" (the bench cannot run)."""

    level: str
    what: str
    text: str
    cure: str = ""

    def __str__(self) -> str:
        return f"{self.level:<4}  {self.what:<9} {self.text}" + (f"  ->  {self.cure}" if self.cure else "")


class Plan(NamedTuple):
    """What `make bench` would use."""

    engine: str
    engine_asked: bool
    stack: str
    gpus: list[Gpu]
    data: Path


def examine(asked: Namespace) -> int:
    """Print a line for every finding; return 1 if the bench cannot run. Raises Problem for a wrong option."""
    choice = choose(asked.ENGINE, asked.STACK)
    print(Finding("ok", "choice", str(choice)))
    plan = Plan(choice.engine, bool(asked.ENGINE), choice.stack, gpus()[0], options.data_folder(asked))
    worst = 0
    for check in CHECKS:
        for finding in check(plan):
            print(finding, flush=True)
            worst = max(worst, finding.level == "fail")
    print("The bench cannot run: see the lines with fail." if worst else "The bench can run.")
    return int(worst)


def check_python(plan: Plan) -> Iterator[Finding]:
    if plan.engine == "venv" and not has_python(plan.stack):
        text = f"stack {plan.stack} needs Python {settings(plan.stack)['PYTHON_VERSIONS']}"
        yield Finding("fail", "python", text, "install it, or use a container engine")
    else:
        yield Finding("ok", "python", sys.version.split()[0])


def check_engines(_plan: Plan) -> Iterator[Finding]:
    for engine in CONTAINER_ENGINES:
        reason = unusable(engine)
        cure = "install or start it to run in containers; the bench runs without" if reason else ""
        yield Finding("ok", "engine", reason or f"{engine} answers", cure)


def check_gpus(plan: Plan) -> Iterator[Finding]:
    if not plan.gpus:
        level = "warn" if gpu_capabilities(plan.stack) else "ok"
        yield Finding(level, "gpu", gpus()[1], "GPU rows will be skipped" if level == "warn" else "")
    for gpu in plan.gpus:
        yield Finding("ok", "gpu", f"{gpu.name}, compute capability {gpu.dotted}, driver {gpu.driver}")


def check_machine_code(plan: Plan) -> Iterator[Finding]:
    """Check that the stack's wheels have machine code for the first GPU."""
    for framework, built_for in gpu_capabilities(plan.stack).items() if plan.gpus else ():
        if not any(runs_on(name, plan.gpus[0].capability) for name in built_for):
            known = " ".join(built_for)
            text = f"{framework} of stack {plan.stack} has machine code for {known}, not for {plan.gpus[0].dotted}"
            yield Finding("warn", "gpu", text, "its GPU rows will be skipped or fail; choose another STACK")


def runs_on(built_for: str, capability: tuple[int, int]) -> bool:
    """Whether machine code runs on a GPU: same major version, no newer minor (CUDA Programming Guide, 3.1.2)."""
    major, minor = (int(part) for part in built_for.split("."))
    return major == capability[0] and minor <= capability[1]


def check_driver(plan: Plan) -> Iterator[Finding]:
    """Check the driver against the oldest one that the stack's CUDA supports."""
    claims = {name: value for name, value in settings(plan.stack).items() if name.startswith("DRIVER_")}
    for name, oldest in claims.items() if plan.gpus else ():
        have, framework = plan.gpus[0].driver, name.removeprefix("DRIVER_").lower()
        if have and number(have) < number(oldest):
            text = f"{have} is too old for {framework} of stack {plan.stack}, which needs {oldest}"
            yield Finding("fail", "driver", text, "install a newer NVIDIA driver, or choose an older STACK")
        else:
            yield Finding("ok", "driver", f"{have or 'unknown'} for {framework}, which needs {oldest}")


def number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def check_toolkit(plan: Plan) -> Iterator[Finding]:
    if not plan.gpus or plan.engine == "venv" or not gpu_capabilities(plan.stack):
        return
    if plan.engine == "docker" and has_nvidia_runtime():
        yield Finding("ok", "toolkit", "Docker has the NVIDIA runtime")
    elif has_cdi_description():
        yield Finding("ok", "toolkit", "the GPUs have a CDI description")
    else:
        cure = "install the NVIDIA Container Toolkit, then: nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml"
        yield Finding("warn", "toolkit", f"{plan.engine} cannot give a container the GPU", cure)


def check_disk(plan: Plan) -> Iterator[Finding]:
    packages = locks.folder() if plan.engine == "venv" else ROOT
    for name, folder, least in (("packages", packages, least_for_packages(plan)), ("data", plan.data, DISK_LEAST)):
        existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
        free = shutil.disk_usage(existing).free
        level = "fail" if free < least else "warn" if free < DISK_NEEDED else "ok"
        cure = "" if level == "ok" else f"a first run needs about {DISK_NEEDED // GB} GB; DATA_DIR and VENVS can move"
        yield Finding(level, "disk", f"{free / GB:.0f} GB free for {name} ({folder})", cure)


def least_for_packages(plan: Plan) -> int:
    """Return the free bytes that the environments need: few if they exist. A container engine has its own folder."""
    measured = (name for name in frameworks(plan.stack) if declaration(name)["rows"])  # by `make bench`
    made = all((locks.folder() / plan.stack / name).is_dir() for name in measured)
    return DISK_LEAST if made or plan.engine != "venv" else DISK_FOR_PACKAGES


def check_memory(_plan: Plan) -> Iterator[Finding]:
    available = memory_available()
    level = "fail" if available < MEMORY_LEAST else "warn" if available < MEMORY_NEEDED else "ok"
    cure = "the largest row needs 6 GB and ends as out of memory: close other programs, or leave it out with MODEL="
    yield Finding(level, "memory", f"{available / GB:.0f} GB available", "" if level == "ok" else cure)


def memory_available() -> int:
    for line in read("/proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def check_governor(_plan: Plan) -> Iterator[Finding]:
    governor = read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").strip()
    if governor in ("", "performance"):
        text = "governor performance" if governor else "no governor is visible (a virtual machine, most often)"
        yield Finding("ok", "clock", text)
    else:
        text = f"governor {governor}: the clock will vary"
        yield Finding("warn", "clock", text, "cpupower frequency-set -g performance")


def check_load(plan: Plan) -> Iterator[Finding]:
    load, cpus = os.getloadavg()[0], os.cpu_count() or 1
    busy = load > BUSY * cpus
    cure = "wait, or end what is running: it disturbs the timings" if busy else ""
    yield Finding("warn" if busy else "ok", "load", f"{load:.2f} on {cpus} CPUs", cure)
    if plan.gpus:
        command = "nvidia-smi", "--query-compute-apps=pid,name", "--format=csv,noheader"
        others = output(*command, timeout_s=REACH_TIMEOUT_S).splitlines()
        cure = "end them, or their work is measured too" if others else ""
        text = f"other programs on the GPU: {'; '.join(others)}" if others else "no other program on the GPU"
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
    """Check that the base images of a container engine are present or can be pulled."""
    for framework in frameworks(plan.stack) if plan.engine != "venv" else ():
        made = recipe(plan.stack, framework)
        base_id = image_id(plan.engine, made.base)
        if is_current(plan.engine, made, base_id):
            yield Finding("ok", "image", f"{made.image} is built")
        elif base_id:
            yield Finding("ok", "base", f"{made.base} is present")
        elif output(plan.engine, "manifest", "inspect", source(made.base), timeout_s=REACH_TIMEOUT_S):
            yield Finding("ok", "base", f"{made.base} can be pulled")
        else:
            cure = f"set {made.variable} or BASE to an image you have, REGISTRY to a mirror, or ENGINE=venv"
            text = f"{source(made.base)} cannot be reached"
            if plan.engine_asked:
                yield Finding("fail", "base", text, cure)
            else:
                yield Finding("warn", "base", f"{text}; the bench will use ENGINE=venv", cure)


CHECKS: tuple[Callable[[Plan], Iterator[Finding]], ...] = (
    check_python,
    check_engines,
    check_gpus,
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
