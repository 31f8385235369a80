"""Keras on JAX as a contract.Backend."""

import os
from typing import Any, Dict, Optional

from runners.contract import Backend, DeviceUnavailable


def open_backend(device: str, threads: Optional[int]) -> Backend:
    """Keras with the backend JAX on ``device`` ("cpu" or "gpu": the first GPU) with ``threads`` CPU threads.

    ``threads`` None leaves the number to JAX. Call it before anything else imports Keras or JAX. Raises
    ``DeviceUnavailable`` where no GPU can be used.
    """
    os.environ["KERAS_BACKEND"] = "jax"
    if threads:
        os.environ["NPROC"] = str(threads)  # the one setting that XLA's pool on the CPU listens to
    import jax

    if device == "cpu":
        jax.config.update("jax_platforms", "cpu")
    else:
        check_gpu(jax)
    import keras

    def read_memory() -> Dict[str, int]:
        found = jax.devices()[0].memory_stats() or {}
        return {"peak_allocated_bytes": int(found["peak_bytes_in_use"])} if "peak_bytes_in_use" in found else {}

    def nothing() -> None:
        """A step returns its loss, and a prediction its answer, in host memory: their work is done."""

    def execution() -> Dict[str, Any]:
        found = {"xla": True, "x64": bool(jax.config.jax_enable_x64), "threads": threads}
        if device == "gpu":
            found.update(peak_memory="process", matmul_precision=jax.config.jax_default_matmul_precision or "default")
        return found

    return Backend(
        name="Keras on JAX",
        synchronize=nothing,
        reset_memory=nothing,
        read_memory=dict if device == "cpu" else read_memory,
        versions=versions,
        execution=execution,
        seed=keras.utils.set_random_seed,
        asynchronous=device == "gpu",
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


def versions() -> Dict[str, str]:
    """Versions of the libraries that compute."""
    import jax
    import jaxlib
    import keras
    import numpy

    libraries = {"keras": keras, "jax": jax, "jaxlib": jaxlib, "numpy": numpy}
    return {name: library.__version__ for name, library in libraries.items()}
