"""Keras on PyTorch as a contract.Backend: PyTorch's, with Keras' seed and version."""

import os
from typing import Optional

from runners.contract import Backend
from runners.pytorch.backend import open_backend as open_pytorch


def open_backend(device: str, threads: Optional[int]) -> Backend:
    """Keras with the backend PyTorch on ``device`` ("cpu" or "gpu": the first GPU) with ``threads`` CPU threads.

    ``threads`` None leaves the number to PyTorch. Call it before anything else imports Keras. Raises
    ``DeviceUnavailable`` where no GPU can be used.
    """
    os.environ["KERAS_BACKEND"] = "torch"
    pytorch = open_pytorch(device, threads)
    import keras

    return pytorch._replace(
        versions=lambda: dict(pytorch.versions(), keras=keras.__version__), seed=keras.utils.set_random_seed
    )
