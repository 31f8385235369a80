"""PyTorch as a contract.Backend."""
import re
from typing import Any, Dict, List, Optional

from runners.contract import Backend, DeviceUnavailable

_ran = {}  # type: Dict[str, Any]
"""What a model saw of the kernels it ran: filled by ``note_kernels``, read by the backend's ``kernel_path``."""


# Operators that do the work, as against those that choose among them (conv2d, convolution, batch_norm, linear).
_KERNEL = re.compile("_?(cudnn|mkldnn|mkl|nnpack|thnn|slow_conv|native_batch_norm|addmm)")


def note_kernels(operators, memory_format):
    # type: (List[str], str) -> None
    """Keeps which kernels a training step ran (the profiler's names) and how its activations lay in memory."""
    kernels = [name for name in operators if _KERNEL.match(name) and "backward" not in name]
    _ran.update(operators=kernels, memory_format=memory_format)


def open_backend(device, threads):
    # type: (str, Optional[int]) -> Backend
    """PyTorch on ``device`` ("cpu" or "gpu": the first card) with ``threads`` processor threads.

    ``threads`` None leaves the number to PyTorch. Raises ``DeviceUnavailable`` where no card can be used.
    """
    import torch

    from runners.pytorch import compat

    if threads:
        torch.set_num_threads(threads)
    if device == "gpu":
        check_card(torch.cuda, torch.__version__, torch.version.cuda)
        return make_gpu(torch.cuda, compat, kernel_path)
    return Backend(
        name="PyTorch",
        synchronize=_nothing_to_wait_for,
        reset_memory=_nothing_to_reset,
        read_memory=dict,  # PyTorch counts no bytes on the CPU: the child's peak resident set is the figure there
        versions=compat.versions,
        kernel_path=lambda: kernel_path(False),
        seed=compat.seed_everything,
    )


def _nothing_to_wait_for():
    # type: () -> None
    """PyTorch's CPU operators have finished when they return."""


def _nothing_to_reset():
    # type: () -> None
    """There is no counter on the CPU."""


def make_gpu(cuda, compat, describe):
    # type: (Any, Any, Any) -> Backend
    """The backend over ``torch.cuda`` (or what stands for it in a test)."""

    def reset_memory():
        # type: () -> None
        cuda.synchronize()
        compat.reset_peak_memory(cuda)

    def read_memory():
        # type: () -> Dict[str, int]
        cuda.synchronize()
        return {
            "peak_allocated_bytes": int(cuda.max_memory_allocated()),
            "peak_reserved_bytes": compat.peak_reserved_memory(cuda),
        }

    return Backend(
        name="PyTorch",
        synchronize=cuda.synchronize,
        reset_memory=reset_memory,
        read_memory=read_memory,
        versions=compat.versions,
        kernel_path=lambda: describe(True),
        seed=compat.seed_everything,
    )


def check_card(cuda, version, cuda_version):
    # type: (Any, str, Optional[str]) -> None
    """Raises ``DeviceUnavailable`` unless the first card is there and this PyTorch has code for it."""
    from runners.pytorch import compat

    if cuda_version is None:
        raise DeviceUnavailable("PyTorch {} is a build for the CPU only; choose a stack with CUDA".format(version))
    if not cuda.is_available():
        raise DeviceUnavailable(
            "PyTorch {} (CUDA {}) sees no GPU: no card, no driver, or a driver too old for that CUDA".format(
                version, cuda_version
            )
        )
    capability = tuple(cuda.get_device_capability(0))
    reason = compat.reason_no_code(capability, cuda, cuda_version)
    if reason:
        raise DeviceUnavailable(
            "PyTorch {} cannot run on {} (compute capability {}.{}): {}; choose another STACK".format(
                version, cuda.get_device_name(0), capability[0], capability[1], reason
            )
        )


def kernel_path(on_gpu):
    # type: (bool) -> Dict[str, Any]
    """What ran, as PyTorch itself tells it after the timing."""
    import torch

    from runners.pytorch import compat

    cudnn = torch.backends.cudnn
    path = dict(_ran)  # type: Dict[str, Any]
    path.update(threads=torch.get_num_threads(), inter_op_threads=compat.inter_op_threads(), compiled=False)
    if on_gpu:
        path.update(
            cudnn=bool(cudnn.enabled and cudnn.is_available()),
            cudnn_version=cudnn.version(),
            cudnn_benchmark=bool(cudnn.benchmark),
            cudnn_deterministic=bool(cudnn.deterministic),
            peak_memory=compat.peak_memory_since(torch.cuda),
        )
        path.update(compat.tf32())
    else:
        path["onednn"] = compat.onednn()
    return path
