"""The hardware and driver of a node, which must be equal on all nodes of a type."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from images.stack import output

QUERY = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits"]
KEYS = ("cpu", "logical_cpus", "gpus", "driver")  # what must be equal on nodes of one type; the memory nearly so
MEMORY_TOLERANCE = 0.02  # firmware and kernels keep slightly different amounts


def hardware() -> dict[str, Any]:
    """Return the processor, the memory in bytes, and the GPUs."""
    gpus = _gpus()
    return {
        "cpu": _first(r"model name\s*:\s*(.+)", "/proc/cpuinfo") or os.uname().machine,
        "logical_cpus": os.cpu_count() or 0,
        "memory_bytes": int(_first(r"MemTotal:\s*(\d+)", "/proc/meminfo") or 0) * 1024,
        "gpus": [gpu[0] for gpu in gpus],
        "driver": gpus[0][2] if gpus else "",
    }


def _gpus() -> list[list[str]]:
    answer = output(*QUERY, timeout_s=60)
    lines = [[part.strip() for part in line.split(",")] for line in answer.splitlines()]
    return [line for line in lines if len(line) == 3]


def _first(pattern: str, path: str) -> str:
    found = re.search(pattern, _read(path))
    return found[1].strip() if found else ""


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def memory_kills() -> int:
    """Return how many processes of this one's control group were killed for memory, in either version of cgroups."""
    for line in _read("/proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        files = {"": f"/sys/fs/cgroup{path}/memory.events", "memory": f"/sys/fs/cgroup/memory{path}/memory.oom_control"}
        found = re.search(r"^oom_kill (\d+)", _read(files.get(controllers, "")), re.MULTILINE)
        if found and int(found[1]):
            return int(found[1])
    return 0


def unexpected(found: Mapping[str, Any], expect: Mapping[str, str]) -> str:
    """Return what of a node is not as the fleet file expects, "" if all is."""
    for key, wanted in expect.items():
        if key == "gpus":
            have, fits = str(len(found["gpus"])), str(len(found["gpus"])) == wanted
        elif key == "gpu":
            have = ", ".join(found["gpus"]) or "none"
            fits = bool(found["gpus"]) and all(wanted.lower() in name.lower() for name in found["gpus"])
        else:
            have, fits = str(found[key]) or "none", wanted.lower() in str(found[key]).lower()
        if not fits:
            return f"expected {key} '{wanted}', found '{have}'"
    return ""


def differs(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two nodes are not alike, so that their measurements must not be mixed."""
    if any(one.get(key) != other.get(key) for key in KEYS):
        return True
    memory = [float(each.get("memory_bytes") or 0) for each in (one, other)]
    return abs(memory[0] - memory[1]) > MEMORY_TOLERANCE * max(memory)
