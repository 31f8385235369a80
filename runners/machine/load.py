"""What the machine and this process did between two moments."""

import os
import resource
from typing import Any, Dict, NamedTuple, Optional

from runners.machine import cpu
from runners.machine.files import read_text

_COUNTERS = (  # a field of the record, and getrusage's name for it
    ("minor_faults", "ru_minflt"),
    ("major_faults", "ru_majflt"),
    ("voluntary_switches", "ru_nvcsw"),
    ("involuntary_switches", "ru_nivcsw"),
)


class Reading(NamedTuple):
    """The machine and this process at one moment. Processor seconds since boot; counts since the process began."""

    wall_s: float
    busy_s: Optional[float]
    steal_s: Optional[float]
    own_s: float
    usage: Any  # resource.getrusage
    cpu_mhz: Optional[float]
    governor: Optional[str]
    cpu_temperature_c: Optional[float]
    cpu_throttled: Optional[int]
    cgroup_throttled: Optional[int]


def read() -> Reading:
    """Read ``/proc/stat`` (proc(5)), this process's counters, and the processors' clock, governor and temperature."""
    times = os.times()
    busy = steal = None
    stat = read_text("/proc/stat")
    if stat:
        user, nice, system, _, _, irq, softirq, stolen = [int(field) for field in stat.splitlines()[0].split()[1:9]]
        tick = float(os.sysconf("SC_CLK_TCK"))
        busy, steal = (user + nice + system + irq + softirq) / tick, stolen / tick
    return Reading(
        wall_s=times.elapsed,
        busy_s=busy,
        steal_s=steal,
        own_s=times.user + times.system + times.children_user + times.children_system,  # a compiler is own work
        usage=resource.getrusage(resource.RUSAGE_SELF),
        cpu_mhz=cpu.frequency_mhz(),
        governor=cpu.governor(),
        cpu_temperature_c=cpu.temperature_c(),
        cpu_throttled=cpu.throttle_count(),
        cgroup_throttled=cpu.cgroup_throttle_count(),
    )


def conditions(before: Reading, after: Reading) -> Dict[str, Any]:
    """Return the processor's part of a phase's ``conditions``.

    ``other_load_cpus`` and ``steal_cpus`` are processors on average: those that other processes kept busy, and those
    that the host of a virtual machine took away; the kernel counts them in hundredths of a second. ``cpu_throttled``
    is how often a processor slowed down because of heat, which the kernel counts on Intel's; ``cgroup_throttled`` how
    often the process had used up its control group's time.
    """
    wall_s = after.wall_s - before.wall_s
    found: Dict[str, Any] = {"wall_s": wall_s, "cpus": len(cpu.affinity()), "other_load_cpus": None, "steal_cpus": None}
    if wall_s > 0 and before.busy_s is not None and after.busy_s is not None:
        others = (after.busy_s - before.busy_s) - (after.own_s - before.own_s)
        found["other_load_cpus"] = max(0.0, others) / wall_s
        found["steal_cpus"] = max(0.0, (after.steal_s or 0.0) - (before.steal_s or 0.0)) / wall_s
    for name, counter in _COUNTERS:
        found[name] = getattr(after.usage, counter) - getattr(before.usage, counter)
    for name in ("cpu_mhz", "governor", "cpu_temperature_c"):
        found[name + "_before"], found[name + "_after"] = getattr(before, name), getattr(after, name)
    for name in ("cpu_throttled", "cgroup_throttled"):
        first, last = getattr(before, name), getattr(after, name)
        found[name] = None if first is None or last is None else last - first
    return found
