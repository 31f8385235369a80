"""The processors: name, clock, governor, temperature and throttling, from the files of the Linux kernel."""

import glob
import os
import platform
import re
from typing import Any, Dict, List, Optional

from runners.machine.files import read_text

SYS = "/sys"
_SENSORS = (  # where a sensor's name is, the names that mean a processor, and its readings beside it
    ("class/hwmon/hwmon*/name", ("coretemp", "k10temp", "zenpower"), "temp*_input"),
    ("class/thermal/thermal_zone*/type", ("x86_pkg_temp", "cpu-thermal", "cpu_thermal"), "temp"),
)


def affinity() -> List[int]:
    """The logical processors that this process may use."""
    return sorted(os.sched_getaffinity(0))


def name() -> str:
    match = re.search(r"^model name\s*:\s*(.+)$", read_text("/proc/cpuinfo") or "", re.MULTILINE)
    return match.group(1).strip() if match else platform.machine()


def frequency_mhz() -> Optional[float]:
    """The fastest clock among the processors that this process may use: the others may be idle."""
    found = re.findall(
        r"^processor\s*:\s*(\d+)$.*?^cpu MHz\s*:\s*([0-9.]+)$",
        read_text("/proc/cpuinfo") or "",
        re.MULTILINE | re.DOTALL,
    )
    allowed = affinity()
    return max((float(clock) for cpu, clock in found if int(cpu) in allowed), default=None)


def governor() -> Optional[str]:
    """What sets the clock of the processors that this process may use: one name, or several where they differ."""
    governors = {_of_cpu(cpu, "cpufreq/scaling_governor") for cpu in affinity()}
    return ", ".join(sorted(filter(None, governors))) or None


def temperature_c() -> Optional[float]:
    """The processors' hottest sensor (Linux's ``Documentation/hwmon/sysfs-interface.rst``: thousandths of a degree)."""
    for names, processors, pattern in _SENSORS:
        found = [
            int(text)
            for path in glob.glob(os.path.join(SYS, names))
            if read_text(path) in processors
            for text in map(read_text, _readings(os.path.dirname(path), pattern))
            if text is not None and text.isdigit()
        ]
        if found:
            return max(found) / 1000.0
    return None


def _readings(folder: str, pattern: str) -> List[str]:
    """A sensor's readings; only AMD's Tdie where it exists, since Tctl may include an offset for the fan."""
    paths = glob.glob(os.path.join(folder, pattern))
    return [path for path in paths if read_text(path.replace("_input", "_label")) == "Tdie"] or paths


def throttle_count() -> Optional[int]:
    """How often since boot the cores that this process may use, and their packages, were too hot for their clock."""
    counts: Dict[Any, int] = {}
    for cpu in affinity():
        for counter, shared_by in (
            ("core_throttle_count", "thread_siblings_list"),
            ("package_throttle_count", "physical_package_id"),
        ):
            count = _of_cpu(cpu, "thermal_throttle/" + counter)
            if count is not None and count.isdigit():
                counts[counter, _of_cpu(cpu, "topology/" + shared_by) or cpu] = int(count)
    return sum(counts.values()) if counts else None


def cgroup_throttle_count() -> Optional[int]:
    """How often this control group was stopped because it had used up its processor time."""
    for path in ("fs/cgroup/cpu.stat", "fs/cgroup/cpu/cpu.stat"):
        found = re.search(r"^nr_throttled (\d+)$", read_text(SYS, path) or "", re.MULTILINE)
        if found:
            return int(found.group(1))
    return None


def _of_cpu(cpu: int, path: str) -> Optional[str]:
    return read_text(SYS, "devices/system/cpu/cpu{}".format(cpu), path)
