"""What machine this is, from the files Linux keeps about itself. Absent is ``None``."""
import glob
import os
import platform
import re
from typing import Any, Dict, NamedTuple, Optional, Tuple

from runners import nvml

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def describe(threads, versions):
    # type: (int, Dict[str, str]) -> Dict[str, Any]
    """The record's ``environment``: processor, memory, card, system and the framework's ``versions``."""
    return {
        "cpu": _cpu_name(),
        "cores": len(os.sched_getaffinity(0)),
        "threads": threads,
        "governor": _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "memory_bytes": _memory_bytes(),
        "gpu": nvml.record(nvml.read_card()),
        "os": _os_name(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "versions": versions,
    }


def has_nvidia_device():
    # type: () -> bool
    """Whether the kernel shows an NVIDIA card (``/dev/dxg``: under WSL 2), without asking the driver."""
    return bool(glob.glob("/dev/nvidia[0-9]*")) or os.path.exists("/dev/dxg")


def default_threads():
    # type: () -> int
    """One thread a physical core that this process may run on: two on one core only hinder each other."""
    siblings = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"
    cores = {_read(siblings.format(cpu)) or str(cpu) for cpu in os.sched_getaffinity(0)}
    return len(cores)


def thread_variables(threads):
    # type: (int) -> Dict[str, str]
    """The variables from which linear algebra and OpenMP libraries take their number of threads when loaded."""
    return {name: str(threads) for name in _THREAD_VARIABLES}


class CpuTime(NamedTuple):
    """Processor seconds since boot, of the whole machine and of this process."""

    busy_s: float
    stolen_s: float
    own_s: float
    wall_s: float


def cpu_time():
    # type: () -> Optional[CpuTime]
    """A reading of ``/proc/stat`` (proc(5)); ``None`` where there is none."""
    line = _read("/proc/stat", first_line=True)
    if line is None:
        return None
    user, nice, system, idle, iowait, irq, softirq, steal = [int(field) for field in line.split()[1:9]]
    tick = float(os.sysconf("SC_CLK_TCK"))
    times = os.times()
    busy = (user + nice + system + irq + softirq) / tick
    return CpuTime(busy, steal / tick, times.user + times.system, times.elapsed)


def other_load(before, after):
    # type: (Optional[CpuTime], Optional[CpuTime]) -> Tuple[float, float]
    """(processors kept busy by others, processors stolen by the host) on average between two readings."""
    if before is None or after is None or after.wall_s <= before.wall_s:
        return 0.0, 0.0
    wall = after.wall_s - before.wall_s
    others = (after.busy_s - before.busy_s) - (after.own_s - before.own_s)
    return max(0.0, others / wall), max(0.0, (after.stolen_s - before.stolen_s) / wall)


class Resident:
    """This process's resident memory, in bytes, with a peak that can be set back (Linux >= 4.0)."""

    @staticmethod
    def reset_peak():
        # type: () -> bool
        """Whether the peak now counts from here (proc(5), ``clear_refs``: writing 5)."""
        try:
            with open("/proc/self/clear_refs", "w") as file:
                file.write("5")
            return True
        except OSError:
            return False

    @staticmethod
    def now():
        # type: () -> Optional[int]
        return _status_bytes("VmRSS")

    @staticmethod
    def peak():
        # type: () -> Optional[int]
        return _status_bytes("VmHWM")


def _status_bytes(field):
    match = re.search(r"^{}:\s+(\d+) kB".format(field), _read("/proc/self/status") or "", re.MULTILINE)
    return int(match.group(1)) * 1024 if match else None


def _cpu_name():
    match = re.search(r"^model name\s*:\s*(.+)$", _read("/proc/cpuinfo") or "", re.MULTILINE)
    return match.group(1).strip() if match else platform.machine()


def _memory_bytes():
    match = re.search(r"^MemTotal:\s+(\d+) kB", _read("/proc/meminfo") or "", re.MULTILINE)
    return int(match.group(1)) * 1024 if match else None


def _os_name():
    match = re.search(r'^PRETTY_NAME="?([^"\n]+)', _read("/etc/os-release") or "", re.MULTILINE)
    return match.group(1) if match else platform.system()


def _read(path, first_line=False):
    # type: (str, bool) -> Optional[str]
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return (file.readline() if first_line else file.read()).strip()
    except OSError:
        return None
