"""Energy that the processor packages took, from Linux's power capping framework. Absent is ``None``, never assumed.

Each package is a power zone ``/sys/class/powercap/intel-rapl:N`` with a counter in microjoules, AMD's under the same
name (https://docs.kernel.org/power/powercap/powercap.html). The zones inside a package (core, uncore) are counted with
it already; memory (dram) and the board (psys) lie outside it, and most machines do not count them: both are left out.

Since Linux 5.10 only root may read the counters (CVE-2020-8694), Docker and Podman hide them from containers, and
virtual machines seldom have any.
"""

import os
import re
from typing import Dict, NamedTuple, Optional

ROOT = "/sys/class/powercap"
LARGEST_W = 1000.0  # a package draws less, so a counter cannot have gone round twice in less than its range over this


class Counter(NamedTuple):
    """A package's counter at one moment, in microjoules; it starts again from zero behind ``range_uj``."""

    energy_uj: int
    range_uj: int


def read(root: str = ROOT) -> Optional[Dict[str, Counter]]:
    """Zone -> its counter, of every package; ``None`` where there is none, or where one of them cannot be read."""
    try:
        zones = [zone for zone in os.listdir(root) if re.fullmatch(r"intel-rapl:\d+", zone)]
    except OSError:
        return None
    counters = {}
    for zone in zones:
        if (_read(root, zone, "name") or "").startswith("package-"):
            energy_uj, range_uj = _number(root, zone, "energy_uj"), _number(root, zone, "max_energy_range_uj")
            if energy_uj is None or range_uj is None:
                return None  # the sum of the others would pass for the whole
            counters[zone] = Counter(energy_uj, range_uj)
    return counters or None


def joules(
    before: Optional[Dict[str, Counter]], after: Optional[Dict[str, Counter]], elapsed_s: float
) -> Optional[float]:
    """What all packages took between two readings ``elapsed_s`` apart; ``None`` where that cannot be known."""
    if before is None or after is None or set(before) != set(after):
        return None
    total_uj = 0
    for zone, (energy_uj, range_uj) in before.items():
        taken_uj = after[zone].energy_uj - energy_uj
        if taken_uj < 0:
            taken_uj += range_uj
        if taken_uj <= 0 or elapsed_s * LARGEST_W * 1e6 >= range_uj:  # stands still, or may have gone round twice
            return None
        total_uj += taken_uj
    return total_uj / 1e6


def _number(root: str, zone: str, name: str) -> Optional[int]:
    text = _read(root, zone, name)
    return int(text) if text is not None and text.isdigit() else None


def _read(root: str, zone: str, name: str) -> Optional[str]:
    try:
        with open(os.path.join(root, zone, name), encoding="ascii", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return None
