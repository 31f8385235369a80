"""Main memory: of the machine, of this process, and what the kernel killed for it."""

import re
from typing import Optional

from runners.machine.files import read_text


def total_bytes() -> Optional[int]:
    return _bytes("/proc/meminfo", "MemTotal")


def resident_bytes() -> Optional[int]:
    """This process's resident memory."""
    return _bytes("/proc/self/status", "VmRSS")


def peak_resident_bytes() -> Optional[int]:
    """The most resident memory this process had, since its start or the last reset."""
    return _bytes("/proc/self/status", "VmHWM")


def reset_peak() -> bool:
    """Reset the peak, where the kernel allows it (proc(5), ``clear_refs``: writing 5; Linux >= 4.0)."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
        return True
    except OSError:
        return False


def kills() -> int:
    """How many processes the kernel has killed for memory, here and in this control group: what counts is a change."""
    texts = [read_text(path) or "" for path in ("/sys/fs/cgroup/memory.events", "/proc/vmstat")]
    return sum(int(count) for text in texts for count in re.findall(r"^oom_kill (\d+)$", text, re.MULTILINE))


def _bytes(path: str, field: str) -> Optional[int]:
    match = re.search(r"^{}:\s+(\d+) kB".format(field), read_text(path) or "", re.MULTILINE)
    return int(match.group(1)) * 1024 if match else None
