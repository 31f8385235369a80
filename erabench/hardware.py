"""The machine: its NVIDIA GPUs, as nvidia-smi or the driver's own library reports them, and a name for it."""

from __future__ import annotations

import ctypes
import functools
import os
import platform
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

NVIDIA_SMI_TIMEOUT_S = 10.0  # the first call after boot loads the driver, which takes seconds
NOT_A_NAME = r"nvidia|geforce|\(r\)|\(tm\)|\bcpu\b|\bprocessor\b|\d+-core|@.*|\bwith .*"  # in product names


class Gpu(NamedTuple):
    """One GPU. ``capability`` is the compute capability, (6, 1) for a GTX 1080."""

    name: str
    capability: tuple[int, int]
    driver: str

    @property
    def dotted(self) -> str:
        """The compute capability as NVIDIA writes it, "6.1"."""
        return f"{self.capability[0]}.{self.capability[1]}"


def machine_name() -> str:
    """A name from the hardware: ``gtx-1080``, ``amd-epyc-2cpu``. It names no host and no user."""
    found, _ = gpus()
    return plain(found[0].name) if found else f"{plain(cpu_model()) or plain(platform.machine())}-{os.cpu_count()}cpu"


def plain(name: str) -> str:
    """Return a vendor's product name as part of a folder's name."""
    words = re.sub(NOT_A_NAME, " ", name.lower())
    return re.sub(r"[^a-z0-9]+", "-", words).strip("-")[:80]


def cpu_model() -> str:
    """The processor's name; "" if the kernel gives none (some ARM)."""
    found = re.search(r"^model name\s*:\s*(.+)$", read("/proc/cpuinfo"), re.MULTILINE)
    return found[1] if found else ""


def read(path: str) -> str:
    """A file of the kernel; "" if it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


@functools.cache
def gpus() -> tuple[list[Gpu], str]:
    """The GPUs in nvidia-smi's order, and why there are none ("" if there are some).

    CUDA_VISIBLE_DEVICES leaves only the first GPU that it names, by number or UUID: the one that is measured. Where it
    is empty or starts with -1, it hides them all.
    """
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    visible = (named or "").split(",")[0].strip()
    if named is not None and visible in ("", "-1"):
        return [], "CUDA_VISIBLE_DEVICES hides every GPU"
    found, reason = from_nvidia_smi(visible)
    if found:
        return found, ""
    # nvidia-smi of drivers before 2021 lacks compute_cap; the library always had it.
    found = from_nvml()
    if visible.isdecimal():
        found = found[int(visible) :][:1]
    return found, "" if found else reason


def from_nvidia_smi(visible: str) -> tuple[list[Gpu], str]:
    """The GPUs that nvidia-smi lists, and why none; of one GPU alone where ``visible`` names it."""
    command = ["nvidia-smi", "--query-gpu=compute_cap,driver_version,name", "--format=csv,noheader"]
    if visible:
        command.append(f"--id={visible}")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=NVIDIA_SMI_TIMEOUT_S, check=False)
    except FileNotFoundError:
        return [], "no NVIDIA GPU"
    except (OSError, subprocess.TimeoutExpired) as error:
        return [], f"nvidia-smi does not answer: {type(error).__name__}"
    found = [gpu for gpu in map(parse, done.stdout.splitlines()) if gpu]
    output = (done.stdout + done.stderr).strip().splitlines()
    return found, "" if found else f"nvidia-smi lists no GPU: {output[0][:120] if output else 'no output'}"


def parse(line: str) -> Gpu | None:
    """A GPU from a line like ``6.1, 535.183.01, NVIDIA GeForce GTX 1080``; None for any other line."""
    fields = [field.strip() for field in line.split(",", 2)]
    major, _, minor = fields[0].partition(".")
    if len(fields) != 3 or not (major.isdigit() and minor.isdigit()):
        return None
    return Gpu(fields[2], (int(major), int(minor)), fields[1])


def from_nvml() -> list[Gpu]:
    """The GPUs that libnvidia-ml.so.1 lists, by the calls that every driver since 2011 has."""
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
            found.append(Gpu(name, (major.value, minor.value), driver))
        return found
    except AttributeError:  # a library without one of these functions is not NVIDIA's
        return []
    finally:
        nvml.nvmlShutdown()
