"""The record's ``environment``: which machine this is, without its name."""

import glob
import os
import platform
import re
from typing import Any, Dict, Optional

from runners.machine import cpu, memory, nvml
from runners.machine.files import read_text


def describe(threads: Optional[int], versions: Dict[str, str]) -> Dict[str, Any]:
    """Return processor, memory, GPU, system and the framework's ``versions``.

    ``threads`` is ``None`` where the framework chose the number itself.
    """
    affinity = cpu.affinity()
    system = re.search(r'^PRETTY_NAME="?([^"\n]+)', read_text("/etc/os-release") or "", re.MULTILINE)
    return {
        "cpu": cpu.name(),
        "logical_cpus": len(affinity),
        "cpu_affinity": affinity,
        "threads": threads,
        "governor": cpu.governor(),
        "memory_bytes": memory.total_bytes(),
        "gpu": nvml.record(nvml.read()),
        "os": system.group(1) if system else platform.system(),
        "kernel": ".".join(platform.release().split(".")[:2]),  # the rest names the builder
        "python": platform.python_version(),
        "versions": versions,
    }


def has_nvidia_device() -> bool:
    """Whether the kernel shows an NVIDIA GPU (``/dev/dxg``: under WSL 2), without asking the driver."""
    return bool(glob.glob("/dev/nvidia[0-9]*")) or os.path.exists("/dev/dxg")
