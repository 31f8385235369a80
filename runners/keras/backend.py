"""TensorFlow as a contract.Backend."""

from typing import Any, Dict, Optional, Set

from runners.contract import Backend, DeviceUnavailable
from runners.keras import compat


def open_backend(device: str, threads: Optional[int]) -> Backend:
    """TensorFlow on ``device`` ("cpu" or "gpu") with ``threads`` for each of its two thread pools.

    ``threads`` None leaves the number to TensorFlow. Call it once, before anything else uses TensorFlow. Raises
    ``DeviceUnavailable`` where no GPU is visible, or TensorFlow has no code for it.
    """
    version = compat.tf.__version__
    if device == "gpu" and not compat.visible_gpus():
        raise DeviceUnavailable("gpu-not-visible", framework="TensorFlow", version=version)
    compat.configure(device, threads)
    if device == "gpu":
        try:
            compat.try_gpu()
        except (compat.tf.errors.OpError, RuntimeError, ValueError) as error:
            raise DeviceUnavailable("gpu-unusable", framework="TensorFlow", version=version, message=str(error)[:500])
    return Backend(
        synchronize=compat.synchronize,
        reset_memory=compat.reset_memory,
        read_memory=compat.read_memory,
        versions=compat.versions,
        execution=lambda: describe(compat.operations_run(), device, threads),
        seed=compat.seed_everything,
        asynchronous=device == "gpu",
    )


def describe(operations: Optional[Set[str]], device: str, threads: Optional[int]) -> Dict[str, Any]:
    """What ran, according to the types of the operations in the graphs that were built."""
    found: Dict[str, Any] = {
        "lstm": None,
        "execution": compat.EXECUTION,
        "xla": None,
        "deterministic": compat.determinism_is_on(),
        "threads": threads,
        "inter_op_threads": threads,
    }
    if operations is not None:
        has_cudnn = any(name.startswith("CudnnRNN") for name in operations)  # before Keras 3 also on the CPU, unused
        found["lstm"] = "cuDNN" if has_cudnn and device == "gpu" else "generic"
        found["xla"] = any(name.startswith("Xla") for name in operations)
    if device == "gpu":
        found["tf32"] = compat.tf32_is_on()
        found["peak_memory"] = "timed-steps" if compat.resets_memory() else "process"
    else:
        found["onednn"] = compat.onednn_is_on()
    return found
