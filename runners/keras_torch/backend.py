"""Keras on PyTorch as a contract.Backend."""

import os
from typing import Any, Dict, Optional

from runners.contract import Backend, DeviceUnavailable


def open_backend(device: str, threads: Optional[int]) -> Backend:
    """Keras with the backend PyTorch on ``device`` ("cpu" or "gpu": the first GPU) with ``threads`` CPU threads.

    ``threads`` None leaves the number to PyTorch. Call it before anything else imports Keras. Raises
    ``DeviceUnavailable`` where no GPU can be used.
    """
    os.environ["KERAS_BACKEND"] = "torch"
    import torch

    if threads:
        torch.set_num_threads(threads)
    if device == "gpu":
        check_gpu(torch)
    import keras

    def nothing() -> None:
        """CPU operators have finished when they return, and PyTorch counts no bytes there."""

    def read_memory() -> Dict[str, int]:
        cuda = torch.cuda
        return {
            "peak_allocated_bytes": int(cuda.max_memory_allocated()),
            "peak_reserved_bytes": int(cuda.max_memory_reserved()),
        }

    def execution() -> Dict[str, Any]:
        found = {"threads": torch.get_num_threads(), "inter_op_threads": torch.get_num_interop_threads()}
        if device == "gpu":
            has_it = torch.cuda.get_device_capability(0) >= (8, 0)
            cudnn, matmul = (has_it and one.allow_tf32 for one in (torch.backends.cudnn, torch.backends.cuda.matmul))
            found.update(tf32_convolution=cudnn, tf32_rnn=cudnn, tf32_matmul=matmul)
        return found

    return Backend(
        name="Keras on PyTorch",
        synchronize=nothing if device == "cpu" else torch.cuda.synchronize,
        reset_memory=nothing if device == "cpu" else torch.cuda.reset_peak_memory_stats,
        read_memory=dict if device == "cpu" else read_memory,
        versions=versions,
        execution=execution,
        seed=keras.utils.set_random_seed,
        asynchronous=device == "gpu",
    )


def check_gpu(torch: Any) -> None:
    """Raise ``DeviceUnavailable`` unless PyTorch sees a GPU and can compute on it."""
    if not torch.cuda.is_available():
        raise DeviceUnavailable("gpu-not-visible", framework="PyTorch", version=torch.__version__)
    try:
        torch.ones(2, device="cuda").sum().item()
    except RuntimeError as error:
        raise DeviceUnavailable(
            "gpu-unusable", framework="PyTorch", version=torch.__version__, message=str(error)[:500]
        )


def versions() -> Dict[str, str]:
    """Versions of the libraries that compute; CUDA is what PyTorch was built with."""
    import keras
    import numpy
    import torch

    found = {"keras": keras.__version__, "torch": torch.__version__, "numpy": numpy.__version__}
    return dict(found, cuda=str(torch.version.cuda)) if torch.version.cuda else found
