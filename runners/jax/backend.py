"""JAX as a contract.Backend."""

import os
import random
from typing import Any, Dict, Optional

from runners.contract import Backend, DeviceUnavailable

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

    from runners.jax import device as places

    if device == "cpu":
        jax.config.update("jax_platforms", "cpu")
    else:
        check_gpu(jax)

    def seed(number: int) -> None:
        """JAX itself has no generator to seed: its keys are passed in."""
        random.seed(number)
        np.random.seed(number)

    return Backend(
        name="JAX",
        synchronize=places.synchronize,
        reset_memory=places.synchronize,  # JAX's counters cannot be reset
        read_memory=dict if device == "cpu" else lambda: peak_memory(jax.devices()[0]),
        versions=versions,
        execution=lambda: execution(jax, device),
        seed=seed,
        asynchronous=True,  # on the CPU too: a call returns as soon as its work is handed over
    )


def check_gpu(jax: Any) -> None:
    """Raise ``DeviceUnavailable`` unless JAX sees a GPU and can compute on it."""
    try:
        jax.numpy.ones(2, device=jax.devices("gpu")[0]).sum().block_until_ready()
    except RuntimeError as error:
        message, version = str(error), jax.__version__
        if "out of memory" in message.lower() or "no kernel" in message.lower():
            raise DeviceUnavailable("gpu-unusable", framework="JAX", version=version, message=message[:500])
        raise DeviceUnavailable("gpu-not-visible", framework="JAX", version=version)


def peak_memory(device: Any) -> Dict[str, int]:
    """The allocator's peak, where the device counts."""
    found = device.memory_stats() or {}
    return {"peak_allocated_bytes": int(found["peak_bytes_in_use"])} if "peak_bytes_in_use" in found else {}


def versions() -> Dict[str, str]:
    """Versions of the libraries that compute."""
    import flax
    import jax
    import jaxlib
    import numpy
    import optax

    libraries = {"jax": jax, "jaxlib": jaxlib, "flax": flax, "optax": optax, "numpy": numpy}
    return {name: library.__version__ for name, library in libraries.items()}


def execution(jax: Any, device: str) -> Dict[str, Any]:
    """How JAX computed: everything through XLA; the threads are those of its pool, counted."""
    found: Dict[str, Any] = {"xla": True, "threads": pool_threads(), "x64": bool(jax.config.jax_enable_x64)}
    if device == "gpu":
        found.update(peak_memory="process", matmul_precision=jax.config.jax_default_matmul_precision or "default")
    return found


def pool_threads() -> Optional[int]:
    """How many threads XLA's pool on the CPU has; ``None`` where the kernel does not tell."""
    tasks = "/proc/self/task"
    try:
        names = []
        for task in os.listdir(tasks):
            with open(os.path.join(tasks, task, "comm"), encoding="utf-8") as file:
                names.append(file.read().strip())
    except OSError:
        return None
    return sum(name.startswith(POOL) for name in names)
