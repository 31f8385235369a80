"""Energy that the processor packages used, from Linux's power capping framework.

Each package is a power zone ``/sys/class/powercap/intel-rapl:N`` with a counter in microjoules, AMD's under the same
name (https://docs.kernel.org/power/powercap/powercap.html). The zones inside a package (core, uncore) are counted with
it already; memory (dram) and the board (psys) lie outside it, and most machines do not count them: both are left out.

Since Linux 5.10 only root may read the counters (CVE-2020-8694), Docker and Podman hide them from containers, and
most virtual machines have none.
"""

import os
import re
from typing import Dict, NamedTuple, Optional

from runners.machine.files import read_text

ROOT = "/sys/class/powercap"
LARGEST_W = 1000.0  # a package draws less, so its counter cannot wrap twice within its range divided by this


class Counter(NamedTuple):
    """A package's counter at one moment, in microjoules; it wraps to zero after ``range_uj``."""

    energy_uj: int
    range_uj: int


def read() -> Optional[Dict[str, Counter]]:
    """Return zone -> counter for every package; ``None`` where there is none, or where one of them cannot be read."""
    try:
        zones = [zone for zone in os.listdir(ROOT) if re.fullmatch(r"intel-rapl:\d+", zone)]
    except OSError:
        return None
    counters = {}
    for zone in zones:
        if (read_text(ROOT, zone, "name") or "").startswith("package-"):
            energy_uj, range_uj = _number(zone, "energy_uj"), _number(zone, "max_energy_range_uj")
            if energy_uj is None or range_uj is None:
                return None  # the sum of the others would look like the total
            counters[zone] = Counter(energy_uj, range_uj)
    return counters or None


def joules(before: Dict[str, Counter], after: Optional[Dict[str, Counter]], elapsed_s: float) -> Optional[float]:
    """Return what all packages used between two readings ``elapsed_s`` apart; ``None`` where that cannot be known."""
    if after is None or set(before) != set(after):
        return None
    total_uj = 0
    for zone, (energy_uj, range_uj) in before.items():
        used_uj = after[zone].energy_uj - energy_uj
        if used_uj < 0:
            used_uj += range_uj
        if used_uj <= 0 or elapsed_s * LARGEST_W * 1e6 >= range_uj:  # does not count, or may have wrapped twice
            return None
        total_uj += used_uj
    return total_uj / 1e6


def _number(zone: str, name: str) -> Optional[int]:
    text = read_text(ROOT, zone, name)
    return int(text) if text is not None and text.isdigit() else None
