"""What NVIDIA's driver reports about the GPU that computes, through ``nvidia-ml-py``."""

import os
from contextlib import suppress
from typing import Any, Dict, List, NamedTuple, Optional

THROTTLE_REASONS = {  # nvml.h, nvmlClocksEventReasons*: those that mean the GPU ran slower than it can
    0x0000000000000004: "power cap",
    0x0000000000000008: "hardware slowdown",
    0x0000000000000020: "software thermal slowdown",
    0x0000000000000040: "hardware thermal slowdown",
    0x0000000000000080: "hardware power brake",
}
_POLICIES = (("power cap", "NVML_PERF_POLICY_POWER"), ("thermal slowdown", "NVML_PERF_POLICY_THERMAL"))


class Gpu(NamedTuple):
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
    throttled_ns: Optional[Dict[str, int]] = None  # since the driver was loaded, by reason


def read() -> Optional[Gpu]:
    """The first visible GPU as it is now; ``None`` where there is no GPU, no driver or no ``nvidia-ml-py``."""
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    try:
        handle = _handle(pynvml, os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")[0].strip())
        return _read(pynvml, handle)
    except pynvml.NVMLError:  # there is no such GPU
        return None
    finally:
        with suppress(pynvml.NVMLError):  # if the driver went away, what was read before is valid
            pynvml.nvmlShutdown()


def _handle(pynvml: Any, visible: str) -> Any:
    """The GPU that CUDA_VISIBLE_DEVICES names by its number or UUID; the first where it names none.

    The driver's numbers follow the PCI bus; CUDA's do so where CUDA_DEVICE_ORDER asks for it, as parent/child.py does.
    """
    if visible.startswith(("GPU-", "MIG-")):
        return pynvml.nvmlDeviceGetHandleByUUID(visible)
    return pynvml.nvmlDeviceGetHandleByIndex(int(visible) if visible.isdigit() else 0)


def _read(pynvml: Any, handle: Any) -> Gpu:
    def ask(function: str, *arguments: Any) -> Any:
        """Ask one question; ``None`` where this GPU or driver cannot answer it."""
        try:
            return getattr(pynvml, function)(*arguments)
        except (pynvml.NVMLError, AttributeError):
            return None

    memory = ask("nvmlDeviceGetMemoryInfo", handle)
    capability = ask("nvmlDeviceGetCudaComputeCapability", handle)
    bits = ask("nvmlDeviceGetCurrentClocksThrottleReasons", handle)
    processes = ask("nvmlDeviceGetComputeRunningProcesses_v3", handle)
    if processes is None:  # drivers before 510 only know an older form of the question
        processes = ask("nvmlDeviceGetComputeRunningProcesses_v2", handle)
    statuses = {
        reason: ask("nvmlDeviceGetViolationStatus", handle, getattr(pynvml, policy, None))
        for reason, policy in _POLICIES
    }
    throttled_ns = {reason: status.violationTime for reason, status in statuses.items() if status is not None}
    return Gpu(
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
        throttled_ns=throttled_ns or None,
    )


def _text(value: Any) -> Optional[str]:
    """Older releases of nvidia-ml-py answer in bytes."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def joules(before: Optional[Gpu], after: Optional[Gpu]) -> Optional[float]:
    """What the GPU used between two readings; ``None`` where it has no counter, or one that went back."""
    if before is None or after is None or before.energy_mj is None or after.energy_mj is None:
        return None
    used_mj = after.energy_mj - before.energy_mj
    return used_mj / 1000.0 if used_mj > 0 else None


def throttled_s(before: Optional[Gpu], after: Optional[Gpu]) -> Dict[str, float]:
    """Seconds that the GPU was throttled between two readings, by reason; empty where the driver does not count."""
    if before is None or after is None or before.throttled_ns is None or after.throttled_ns is None:
        return {}
    return {
        reason: (count - before.throttled_ns.get(reason, count)) / 1e9 for reason, count in after.throttled_ns.items()
    }


def conditions(before: Optional[Gpu], after: Optional[Gpu]) -> Dict[str, Any]:
    """The GPU's part of a phase's ``conditions``: clock, temperature and throttling.

    ``gpu_throttle_*`` are the reasons of one moment; the driver's counters, where it has them, cover the whole phase.
    """
    found = {
        "gpu_{}_{}".format(field, when): None if gpu is None else getattr(gpu, field)
        for field in ("clock_mhz", "temperature_c", "throttle")
        for when, gpu in (("before", before), ("after", after))
    }
    throttled = throttled_s(before, after)
    found.update(gpu_power_cap_s=throttled.get("power cap"), gpu_thermal_slowdown_s=throttled.get("thermal slowdown"))
    return found


def record(gpu: Optional[Gpu]) -> Optional[Dict[str, Any]]:
    """The GPU as the record's ``environment.gpu`` holds it."""
    if gpu is None:
        return None
    return {
        "name": gpu.name,
        "memory_bytes": gpu.memory_total,
        "driver": gpu.driver,
        "compute_capability": gpu.compute_capability,
    }
