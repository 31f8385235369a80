"""PyTorch as a contract.Backend."""

from typing import Any, Dict, Optional

import torch

from runners.contract import Backend, DeviceUnavailable
from runners.pytorch import compat


def open_backend(device: str, threads: Optional[int]) -> Backend:
    """PyTorch on ``device`` ("cpu" or "gpu": the first GPU) with ``threads`` CPU threads.

    ``threads`` None leaves the number to PyTorch. Raises ``DeviceUnavailable`` where no GPU can be used.
    """
    if threads:
        torch.set_num_threads(threads)
    if device == "gpu":
        check_gpu(torch.cuda, torch.__version__, torch.version.cuda)
        return make_gpu(torch.cuda)
    return Backend(
        versions=compat.versions,
        execution=lambda: dict(compat.execution(), onednn=compat.onednn()),
        seed=compat.seed_everything,
    )


def make_gpu(cuda: Any) -> Backend:
    """The backend over ``torch.cuda``, or a test's stand-in."""

    def reset_memory() -> None:
        cuda.synchronize()
        compat.reset_peak_memory(cuda)

    def read_memory() -> Dict[str, int]:
        cuda.synchronize()
        return {
            "peak_allocated_bytes": int(cuda.max_memory_allocated()),
            "peak_reserved_bytes": compat.peak_reserved_memory(cuda),
        }

    return Backend(
        synchronize=cuda.synchronize,
        reset_memory=reset_memory,
        read_memory=read_memory,
        versions=compat.versions,
        execution=lambda: dict(compat.execution(), peak_memory=compat.peak_memory_since(cuda), **compat.cudnn()),
        seed=compat.seed_everything,
        asynchronous=True,
    )


def check_gpu(cuda: Any, version: str, cuda_version: Optional[str]) -> None:
    """Raise ``DeviceUnavailable`` unless the first GPU is visible and this PyTorch has code for it."""
    if cuda_version is None:
        raise DeviceUnavailable("build-without-gpu", framework="PyTorch", version=version)
    if not cuda.is_available():
        raise DeviceUnavailable("gpu-not-visible", framework="PyTorch", version=version)
    capability = tuple(cuda.get_device_capability(0))
    built_for = compat.built_for_others(capability, cuda, cuda_version)
    if built_for:
        raise DeviceUnavailable(
            "build-without-gpu-code",
            framework="PyTorch",
            version=version,
            gpu=cuda.get_device_name(0),
            capability="{}.{}".format(*capability),
            built_for=built_for,
        )
