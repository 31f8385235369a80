"""TensorFlow as a contract.Backend."""

from typing import Any, Dict, Optional

from runners.contract import Backend, DeviceUnavailable


def open_backend(device: str, threads: Optional[int]) -> Backend:
    """TensorFlow on ``device`` ("cpu" or "gpu") with ``threads`` for each of its two thread pools.

    ``threads`` None leaves the number to TensorFlow. Call it once, before anything else uses TensorFlow. Raises
    ``DeviceUnavailable`` where no GPU is visible, or TensorFlow has no code for it.
    """
    from runners.keras import compat

    if device == "gpu" and not compat.visible_gpus():
        raise DeviceUnavailable(
            "TensorFlow {} sees no GPU (no driver, no CUDA libraries, or a build for the CPU only)".format(
                compat.tf.__version__
            )
        )
    compat.configure(device, threads)
    if device == "gpu":
        try:
            compat.try_gpu()
        except (compat.tf.errors.OpError, RuntimeError, ValueError) as error:
            raise DeviceUnavailable(
                "TensorFlow {} sees a GPU but cannot compute on it: {}".format(compat.tf.__version__, error)
            )

    def kernel_path() -> Dict[str, Any]:
        return describe_kernels(compat.operations_run(), compat, device, threads)

    return Backend(
        name="TensorFlow",
        synchronize=compat.synchronize,
        reset_memory=compat.reset_memory,
        read_memory=compat.read_memory,
        versions=compat.versions,
        execution=kernel_path,
        seed=compat.seed_everything,
    )


def describe_kernels(operations: Any, compat: Any, device: str, threads: Optional[int]) -> Dict[str, Any]:
    """What ran, told from the types of the operations in the graphs that were built, not from what was asked."""
    on_gpu = device == "gpu"
    path: Dict[str, Any] = {
        "lstm": "cuDNN" if any(name.startswith("CudnnRNN") for name in operations) else "generic",
        "execution": "graph session" if compat.TF1 else "tf.function",
        "xla": any(name.startswith("Xla") for name in operations),
        "deterministic": compat.determinism_is_on(),
        "threads": threads,
        "inter_op_threads": threads,
    }
    if on_gpu:
        path["tf32"] = compat.tf32_is_on()
        path["peak_memory"] = "of the whole process" if compat.TF1 else "since the last reset"
    else:
        path["onednn"] = compat.onednn_is_on()
    return path
