"""The NVIDIA cards of this machine, as nvidia-smi or the driver's own library tells them."""

from __future__ import annotations

import ctypes
import subprocess
from typing import NamedTuple

NVIDIA_SMI_TIMEOUT_S = 10.0  # the first call after boot loads the driver, which takes seconds


class Card(NamedTuple):
    """One card. ``capability`` is the compute capability, (6, 1) for a GTX 1080."""

    name: str
    capability: tuple[int, int]
    driver: str


def cards() -> tuple[list[Card], str]:
    """The cards in nvidia-smi's order, and why there are none ("" where there are some)."""
    found, reason = from_nvidia_smi()
    if found:
        return found, ""
    # nvidia-smi of drivers before 2021 knows no compute_cap; the library has always told it.
    return (from_nvml(), "") if from_nvml() else ([], reason)


def from_nvidia_smi() -> tuple[list[Card], str]:
    """The cards nvidia-smi lists, and why none."""
    command = ["nvidia-smi", "--query-gpu=compute_cap,driver_version,name", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=NVIDIA_SMI_TIMEOUT_S, check=False)
    except FileNotFoundError:
        return [], "no NVIDIA GPU"
    except (OSError, subprocess.TimeoutExpired) as error:
        return [], f"nvidia-smi does not answer: {type(error).__name__}"
    found = [card for card in map(parse, done.stdout.splitlines()) if card]
    said = (done.stdout + done.stderr).strip().splitlines()
    return found, "" if found else f"nvidia-smi lists no GPU: {said[0][:120] if said else 'it says nothing'}"


def parse(line: str) -> Card | None:
    """A card from a line like ``6.1, 535.183.01, NVIDIA GeForce GTX 1080``; None where it is none."""
    fields = [field.strip() for field in line.split(",", 2)]
    major, _, minor = fields[0].partition(".")
    if len(fields) != 3 or not (major.isdigit() and minor.isdigit()):
        return None
    return Card(fields[2], (int(major), int(minor)), fields[1])


def from_nvml() -> list[Card]:
    """The cards that libnvidia-ml.so.1 lists, by the calls every driver since 2011 has."""
    try:
        nvml = ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return []
    if nvml.nvmlInit_v2():
        return []
    try:
        count = ctypes.c_uint(0)
        text = ctypes.create_string_buffer(96)
        nvml.nvmlDeviceGetCount_v2(ctypes.byref(count))
        driver = text.value.decode() if not nvml.nvmlSystemGetDriverVersion(text, 96) else ""
        found = []
        for index in range(count.value):
            device, major, minor = ctypes.c_void_p(), ctypes.c_int(), ctypes.c_int()
            if nvml.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(device)):
                continue
            if nvml.nvmlDeviceGetCudaComputeCapability(device, ctypes.byref(major), ctypes.byref(minor)):
                continue
            name = text.value.decode() if not nvml.nvmlDeviceGetName(device, text, 96) else "NVIDIA GPU"
            found.append(Card(name, (major.value, minor.value), driver))
        return found
    except AttributeError:  # a library without one of these functions is not NVIDIA's
        return []
    finally:
        nvml.nvmlShutdown()
