"""What machine this is, from the files Linux keeps about itself. Absent is ``None``."""

import glob
import os
import platform
import re
import resource
from typing import Any, Dict, List, NamedTuple, Optional

from runners import nvml

SYS = "/sys"
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
_PROCESSOR_SENSORS = (  # where a sensor's name stands, the names that mean a processor, and its readings beside it
    ("class/hwmon/hwmon*/name", ("coretemp", "k10temp", "zenpower"), "temp*_input"),
    ("class/thermal/thermal_zone*/type", ("x86_pkg_temp", "cpu-thermal", "cpu_thermal"), "temp"),
)


def describe(threads: Optional[int], cores: int, versions: Dict[str, str]) -> Dict[str, Any]:
    """The record's ``environment``: processor, memory, card, system and the framework's ``versions``.

    ``cores`` is how many logical processors the process may use, ``processors`` which ones; ``threads`` is ``None``
    where the framework chose the number itself.
    """
    return {
        "cpu": _cpu_name(),
        "cores": cores,
        "processors": sorted(os.sched_getaffinity(0)),
        "threads": threads,
        "governor": _governor(),
        "memory_bytes": _memory_bytes(),
        "gpu": nvml.record(nvml.read_card()),
        "os": _os_name(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "versions": versions,
    }


def has_nvidia_device() -> bool:
    """Whether the kernel shows an NVIDIA card (``/dev/dxg``: under WSL 2), without asking the driver."""
    return bool(glob.glob("/dev/nvidia[0-9]*")) or os.path.exists("/dev/dxg")


def _quota_stops() -> Optional[int]:
    """How often that control group was stopped for having used up its time."""
    for name in ("fs/cgroup/cpu.stat", "fs/cgroup/cpu/cpu.stat"):
        found = re.search(r"^nr_throttled (\d+)$", _read(os.path.join(SYS, name)) or "", re.MULTILINE)
        if found:
            return int(found.group(1))
    return None


def thread_variables(threads: int) -> Dict[str, str]:
    """The variables from which linear algebra and OpenMP libraries take their number of threads when loaded."""
    return {name: str(threads) for name in _THREAD_VARIABLES}


class Reading(NamedTuple):
    """The machine and this process at one moment. Processor seconds since boot; counts since the process began."""

    wall_s: float
    busy_s: Optional[float]
    stolen_s: Optional[float]
    own_s: float
    usage: Any  # resource.getrusage
    frequency_mhz: Optional[float]
    governor: Optional[str]
    temperature_c: Optional[float]
    throttled: Optional[int]
    quota_stops: Optional[int]


def read_conditions() -> Reading:
    """Reads ``/proc/stat`` (proc(5)), this process's counters, and the processors' clock, governor and temperature."""
    times = os.times()
    busy = stolen = None
    line = _read("/proc/stat", first_line=True)
    if line is not None:
        user, nice, system, _, _, irq, softirq, steal = [int(field) for field in line.split()[1:9]]
        tick = float(os.sysconf("SC_CLK_TCK"))
        busy, stolen = (user + nice + system + irq + softirq) / tick, steal / tick
    own = times.user + times.system + times.children_user + times.children_system  # a compiler is no other's load
    usage = resource.getrusage(resource.RUSAGE_SELF)
    kernel = _frequency_mhz(), _governor(), _temperature_c(), _throttled(), _quota_stops()
    return Reading(times.elapsed, busy, stolen, own, usage, *kernel)


def conditions(before: Reading, after: Reading) -> Dict[str, Any]:
    """What happened between two readings, as the record's ``conditions`` holds it.

    ``others_busy`` and ``stolen`` are processors on average: those that other processes kept busy, and those that
    the host of a virtual machine took away. The kernel counts them in hundredths of a second. ``throttled`` is how
    often a processor held itself back for heat, which the kernel counts on Intel's; ``quota_stops`` how often the
    process had used up its control group's time.
    """
    wall_s = after.wall_s - before.wall_s
    others = stolen = None
    if wall_s > 0 and before.busy_s is not None and after.busy_s is not None:
        others = max(0.0, (after.busy_s - before.busy_s) - (after.own_s - before.own_s)) / wall_s
        stolen = max(0.0, (after.stolen_s or 0.0) - (before.stolen_s or 0.0)) / wall_s
    counted = {
        name: getattr(after.usage, field) - getattr(before.usage, field)
        for name, field in (
            ("minor_faults", "ru_minflt"),
            ("major_faults", "ru_majflt"),
            ("voluntary_switches", "ru_nvcsw"),
            ("involuntary_switches", "ru_nivcsw"),
        )
    }
    return dict(
        counted,
        wall_s=wall_s,
        processors=len(os.sched_getaffinity(0)),
        others_busy=others,
        stolen=stolen,
        frequency_mhz_before=before.frequency_mhz,
        frequency_mhz_after=after.frequency_mhz,
        governor_before=before.governor,
        governor_after=after.governor,
        temperature_c_before=before.temperature_c,
        temperature_c_after=after.temperature_c,
        throttled=_more(before.throttled, after.throttled),
        quota_stops=_more(before.quota_stops, after.quota_stops),
    )


def _more(before: Optional[int], after: Optional[int]) -> Optional[int]:
    return None if before is None or after is None else after - before


def _governor() -> Optional[str]:
    """What sets the clock of the processors that this process may use: one name, or several where they differ."""
    governors = {_read_of_cpu(cpu, "cpufreq/scaling_governor") for cpu in os.sched_getaffinity(0)}
    return ", ".join(sorted(filter(None, governors))) or None


def _temperature_c() -> Optional[float]:
    """The processors' hottest sensor (Linux's ``Documentation/hwmon/sysfs-interface.rst``: thousandths of a degree)."""
    for names, processors, readings in _PROCESSOR_SENSORS:
        found = [
            int(text)
            for name in glob.glob(os.path.join(SYS, names))
            if _read(name) in processors
            for text in map(_read, _readings(os.path.dirname(name), readings))
            if text is not None and text.isdigit()
        ]
        if found:
            return max(found) / 1000.0
    return None


def _readings(folder: str, pattern: str) -> List[str]:
    """A sensor's readings; AMD's Tdie alone where it is told apart, since Tctl may have an offset for the fan."""
    every = glob.glob(os.path.join(folder, pattern))
    true = [path for path in every if _read(path.replace("_input", "_label")) == "Tdie"]
    return true or every


def _throttled() -> Optional[int]:
    """How often since boot the cores that this process may use, and their packages, were too hot for their clock."""
    counts: Dict[Any, int] = {}
    for cpu in os.sched_getaffinity(0):
        for name, shared_by in (
            ("core_throttle_count", "thread_siblings_list"),
            ("package_throttle_count", "physical_package_id"),
        ):
            count = _read_of_cpu(cpu, "thermal_throttle/" + name)
            if count is not None and count.isdigit():
                counts[name, _read_of_cpu(cpu, "topology/" + shared_by) or cpu] = int(count)
    return sum(counts.values()) if counts else None


def _frequency_mhz() -> Optional[float]:
    """The fastest clock among the processors that this process may use: the others may well idle."""
    found = re.findall(
        r"^processor\s*:\s*(\d+)$.*?^cpu MHz\s*:\s*([0-9.]+)$", _read("/proc/cpuinfo") or "", re.MULTILINE | re.DOTALL
    )
    allowed = os.sched_getaffinity(0)
    return max((float(clock) for cpu, clock in found if int(cpu) in allowed), default=None)


class Resident:
    """This process's resident memory, in bytes, with a peak that can be set back (Linux >= 4.0)."""

    @staticmethod
    def reset_peak() -> bool:
        """Whether the peak now counts from here (proc(5), ``clear_refs``: writing 5)."""
        try:
            with open("/proc/self/clear_refs", "w") as file:
                file.write("5")
            return True
        except OSError:
            return False

    @staticmethod
    def now() -> Optional[int]:
        return _status_bytes("VmRSS")

    @staticmethod
    def peak() -> Optional[int]:
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


def _read_of_cpu(cpu: int, name: str) -> Optional[str]:
    return _read(os.path.join(SYS, "devices/system/cpu/cpu{}".format(cpu), name))


def _read(path: str, first_line: bool = False) -> Optional[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return (file.readline() if first_line else file.read()).strip()
    except OSError:
        return None
