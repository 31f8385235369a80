"""PyTorch as a contract.Backend."""

import re
from typing import Any, Callable, Dict, List, Optional

from runners.contract import Backend, DeviceUnavailable

# Operators that do the work, as against those that choose among them (conv2d, convolution, batch_norm, linear).
_KERNEL = re.compile("_?(cudnn|mkldnn|mkl|nnpack|thnn|slow_conv|native_batch_norm|addmm)")

_facts: Dict[str, Any] = {}
"""What was set in this process, and what ``look_at`` was given."""


def look_at(net: Any, forward: Any, make_batch: Callable[[], Any]) -> None:
    """Name the net whose kernels ``kernel_path`` is to tell, and what makes a batch for it on its device.

    ``forward`` is what is called in its place, such as the net compiled.
    """
    _facts.update(net=net, forward=forward, make_batch=make_batch)


def kernels_run(net: Any, forward: Any, batch: Any) -> Dict[str, Any]:
    """Which kernels a pass of the batch through the net runs, from PyTorch's profiler, and its memory format.

    With the whole batch, since the choice of a convolution's kernel depends on its size. Call it after the timing:
    the profiler takes memory and leaves the net in training mode. A compiled net does not tell its memory format, and
    runs as it did in training, since without gradients it would be compiled once more.
    """
    import torch

    from runners.pytorch import compat

    net.train()
    outputs: List[Any] = []
    hook = None
    if forward is net:
        hook = next(net.children()).register_forward_hook(lambda module, given, output: outputs.append(output))
    with torch.set_grad_enabled(forward is not net):
        operators = compat.operators_run(lambda: forward(batch))
    if hook is not None:
        hook.remove()
    names = [name for name in operators if _KERNEL.match(name) and "available" not in name]
    return {"operators": names, "memory_format": compat.memory_format(outputs[0]) if outputs else None}


def open_backend(device: str, threads: Optional[int]) -> Backend:
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
        execution=lambda: kernel_path(False),
        seed=compat.seed_everything,
    )


def _nothing_to_wait_for() -> None:
    """PyTorch's CPU operators have finished when they return."""


def _nothing_to_reset() -> None:
    """There is no counter on the CPU."""


def make_gpu(cuda: Any, compat: Any, describe: Any) -> Backend:
    """The backend over ``torch.cuda`` (or what stands for it in a test)."""

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
        name="PyTorch",
        synchronize=cuda.synchronize,
        reset_memory=reset_memory,
        read_memory=read_memory,
        versions=compat.versions,
        execution=lambda: describe(True),
        seed=compat.seed_everything,
    )


def check_card(cuda: Any, version: str, cuda_version: Optional[str]) -> None:
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


def kernel_path(on_gpu: bool) -> Dict[str, Any]:
    """What ran, as PyTorch itself tells it after the timing."""
    import torch

    from runners.pytorch import compat

    cudnn = torch.backends.cudnn
    path: Dict[str, Any] = {}
    if "net" in _facts:
        path.update(kernels_run(_facts["net"], _facts["forward"], _facts["make_batch"]()))
    path.update(
        threads=torch.get_num_threads(),
        inter_op_threads=compat.inter_op_threads(),
        compiled=compat.compiled_graphs() > 0,
    )
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
        path.update(onednn=compat.onednn())
    return path
