"""Keras on JAX as a contract.Backend: JAX's, with Keras' seed and version, and without its waiting."""

import os
from typing import Optional

from runners.contract import Backend
from runners.jax.backend import open_backend as open_jax
from runners.jax.backend import versions


def open_backend(device: str, threads: Optional[int]) -> Backend:
    """Keras with the backend JAX on ``device`` ("cpu" or "gpu": the first GPU) with ``threads`` CPU threads.

    ``threads`` None leaves the number to JAX. Call it before anything else imports Keras or JAX. Raises
    ``DeviceUnavailable`` where no GPU can be used.
    """
    os.environ["KERAS_BACKEND"] = "jax"
    jax = open_jax(device, threads)
    import keras

    # Nothing to wait for: a step returns its loss, and a prediction its answer, in host memory.
    return Backend(
        versions=lambda: versions("keras"),
        execution=jax.execution,
        seed=keras.utils.set_random_seed,
        read_memory=jax.read_memory,
        asynchronous=device == "gpu",
    )
