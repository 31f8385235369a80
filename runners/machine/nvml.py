"""What the driver says of the card that computes, through ``nvidia-ml-py``. Absent is ``None``, never assumed."""

import os
from contextlib import contextmanager
from typing import Any, Dict, List, NamedTuple, Optional

THROTTLE_REASONS = {  # nvml.h, nvmlClocksEventReasons*: those that mean the card ran slower than it can
    0x0000000000000004: "power cap",
    0x0000000000000008: "hardware slowdown",
    0x0000000000000020: "software thermal slowdown",
    0x0000000000000040: "hardware thermal slowdown",
    0x0000000000000080: "hardware power brake",
}


class Card(NamedTuple):
    """One reading. Bytes, MHz, degrees Celsius, millijoules since the driver was loaded."""

    name: Optional[str]
    driver: Optional[str]
    compute_capability: Optional[str]
    memory_total: Optional[int]
    memory_used: Optional[int]
    clock_mhz: Optional[int]
    temperature_c: Optional[int]
    throttle: Optional[List[str]]
    energy_mj: Optional[int]
    processes: Optional[List[int]]
    held_ns: Optional[Dict[str, int]] = None  # how long it was held back since the driver was loaded, by why


def read_card() -> Optional[Card]:
    """The first visible card as it is now; ``None`` where there is no card, no driver or no ``nvidia-ml-py``."""
    try:
        import pynvml
    except ImportError:
        return None
    with _session(pynvml) as handle:
        return None if handle is None else _read(pynvml, handle)


@contextmanager
def _session(pynvml):
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        yield None
        return
    try:
        try:
            handle = _handle(pynvml, os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")[0].strip())
        except pynvml.NVMLError:
            handle = None
        yield handle
    finally:
        try:
            pynvml.nvmlShutdown()
        except pynvml.NVMLError:
            pass  # the driver went away meanwhile: what was read stands


def _handle(pynvml, visible: str) -> Any:
    """The card that CUDA_VISIBLE_DEVICES names by its number or UUID; the first where it names none.

    The driver's numbers follow the PCI bus, CUDA's do so where CUDA_DEVICE_ORDER asks for it (runners/child.py does).
    """
    if visible.startswith("GPU-"):
        return pynvml.nvmlDeviceGetHandleByUUID(visible)
    return pynvml.nvmlDeviceGetHandleByIndex(int(visible) if visible.isdigit() else 0)


def _read(pynvml, handle):
    def ask(function, *arguments):
        """One question; a card or driver that cannot answer it gives ``None``."""
        try:
            return getattr(pynvml, function)(*arguments)
        except (pynvml.NVMLError, AttributeError):
            return None

    memory = ask("nvmlDeviceGetMemoryInfo", handle)
    capability = ask("nvmlDeviceGetCudaComputeCapability", handle)
    bits = ask("nvmlDeviceGetCurrentClocksThrottleReasons", handle)
    processes = ask("nvmlDeviceGetComputeRunningProcesses_v3", handle)
    if processes is None:  # drivers before 510 know an older form of the question only
        processes = ask("nvmlDeviceGetComputeRunningProcesses_v2", handle)
    held = {
        why: status.violationTime
        for why, policy in (("power cap", "NVML_PERF_POLICY_POWER"), ("thermal slowdown", "NVML_PERF_POLICY_THERMAL"))
        for status in [ask("nvmlDeviceGetViolationStatus", handle, getattr(pynvml, policy, None))]
        if status is not None
    }
    return Card(
        name=_text(ask("nvmlDeviceGetName", handle)),
        driver=_text(ask("nvmlSystemGetDriverVersion")),
        compute_capability=None if capability is None else "{}.{}".format(*capability),
        memory_total=None if memory is None else int(memory.total),
        memory_used=None if memory is None else int(memory.used),
        clock_mhz=ask("nvmlDeviceGetClockInfo", handle, pynvml.NVML_CLOCK_SM),
        temperature_c=ask("nvmlDeviceGetTemperature", handle, pynvml.NVML_TEMPERATURE_GPU),
        throttle=None if bits is None else [name for bit, name in sorted(THROTTLE_REASONS.items()) if bits & bit],
        energy_mj=ask("nvmlDeviceGetTotalEnergyConsumption", handle),
        processes=None if processes is None else [process.pid for process in processes],
        held_ns=held or None,
    )


def _text(value: Any) -> Optional[str]:
    """Older releases of nvidia-ml-py answer in bytes."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def joules(before: Optional[Card], after: Optional[Card]) -> Optional[float]:
    """What the card took between two readings; ``None`` where it has no counter, or one that went back."""
    if before is None or after is None or before.energy_mj is None or after.energy_mj is None:
        return None
    taken_mj = after.energy_mj - before.energy_mj
    return taken_mj / 1000.0 if taken_mj > 0 else None


def held_s(before: Optional[Card], after: Optional[Card]) -> Dict[str, float]:
    """Seconds that the card was held back between two readings, by why; empty where the driver does not count."""
    if before is None or after is None or before.held_ns is None or after.held_ns is None:
        return {}
    return {why: (count - before.held_ns.get(why, count)) / 1e9 for why, count in after.held_ns.items()}


def conditions(before: Optional[Card], after: Optional[Card]) -> Dict[str, Any]:
    """The card's part of a phase's ``conditions``: clock, temperature and why it was held back, before and after.

    The reasons are those of a moment; the driver's counters, where it has them, tell how long it was meanwhile.
    """
    found = {
        "card_{}_{}".format(field, when): None if card is None else getattr(card, field)
        for field in ("clock_mhz", "temperature_c", "throttle")
        for when, card in (("before", before), ("after", after))
    }
    held = held_s(before, after)
    found.update(card_power_cap_s=held.get("power cap"), card_thermal_slowdown_s=held.get("thermal slowdown"))
    return found


def record(card: Optional[Card]) -> Optional[Dict[str, Any]]:
    """The card as the result record's ``environment.gpu`` holds it."""
    if card is None:
        return None
    return {
        "name": card.name,
        "memory_bytes": card.memory_total,
        "driver": card.driver,
        "compute_capability": card.compute_capability,
        "clock_mhz": card.clock_mhz,
        "temperature_c": card.temperature_c,
    }
