"""JAX as a contract.Backend."""

import glob
import os
import random
from importlib import import_module
from typing import Any, Dict, Optional

from runners.contract import Backend, DeviceUnavailable
from runners.machine.files import read_text

POOL = "tf_XLAEigen"  # what XLA calls the threads that compute on the CPU


def open_backend(device: str, threads: Optional[int]) -> Backend:
    """JAX on ``device`` ("cpu" or "gpu": the first GPU) with ``threads`` CPU threads.

    ``threads`` None leaves the number to JAX: one per processor that the process may use. Call it before anything else
    imports JAX. Raises ``DeviceUnavailable`` where no GPU can be used.
    """
    if threads:
        os.environ["NPROC"] = str(threads)  # the one setting that XLA's pool on the CPU listens to
    import jax
    import numpy as np

    from runners.jax.device import synchronize

    if device == "cpu":
        jax.config.update("jax_platforms", "cpu")
    else:
        check_gpu(jax)

    def seed(number: int) -> None:
        """JAX itself has no generator to seed: its keys are passed in."""
        random.seed(number)
        np.random.seed(number)

    return Backend(
        synchronize=synchronize,
        reset_memory=synchronize,  # JAX's counters cannot be reset
        read_memory=dict if device == "cpu" else lambda: peak_memory(jax.devices()[0]),
        versions=lambda: versions("flax", "optax"),
        execution=lambda: execution(jax, device),
        seed=seed,
        asynchronous=True,  # on the CPU too: a call returns as soon as its work is handed over
    )


def check_gpu(jax: Any) -> None:
    """Raise ``DeviceUnavailable`` unless JAX sees a GPU and can compute on it."""
    try:
        place = jax.devices("gpu")[0]
    except RuntimeError:
        raise DeviceUnavailable("gpu-not-visible", framework="JAX", version=jax.__version__)
    try:
        jax.numpy.ones(2, device=place).sum().block_until_ready()
    except RuntimeError as error:
        raise DeviceUnavailable("gpu-unusable", framework="JAX", version=jax.__version__, message=str(error)[:500])


def peak_memory(device: Any) -> Dict[str, int]:
    """The allocator's peak, where the device counts."""
    found = device.memory_stats() or {}
    return {"peak_allocated_bytes": int(found["peak_bytes_in_use"])} if "peak_bytes_in_use" in found else {}


def versions(*names: str) -> Dict[str, str]:
    """Versions of the libraries that compute: JAX, NumPy and those named."""
    return {name: import_module(name).__version__ for name in ("jax", "jaxlib", "numpy") + names}


def execution(jax: Any, device: str) -> Dict[str, Any]:
    """How JAX computed: everything through XLA; the threads are those of its pool, counted."""
    found: Dict[str, Any] = {"xla": True, "threads": pool_threads(), "x64": bool(jax.config.jax_enable_x64)}
    if device == "gpu":
        found.update(peak_memory="process", matmul_precision=jax.config.jax_default_matmul_precision or "default")
    return found


def pool_threads() -> Optional[int]:
    """How many threads XLA's pool on the CPU has; ``None`` where the kernel does not tell."""
    names = [read_text(path) or "" for path in glob.glob("/proc/self/task/*/comm")]  # a thread may have ended since
    return sum(name.startswith(POOL) for name in names) if names else None
