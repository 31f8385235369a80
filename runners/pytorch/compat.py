"""Every difference between PyTorch 1.0 and today's. Features are tested for, not versions."""

import inspect
import os
import random
import re
import shutil
import sys
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import numpy as np
import torch

from runners.contract import OptionUnavailable
from runners.nets.adam import CONVERSION, EPSILON_OF_DENSENET

# Before CUDA 11 there is no torch.cuda.get_arch_list(): the newest GPU (compute capability) that a wheel made with each
# CUDA has machine code for (PyTorch's own builds; CUDA Toolkit release notes, "supported GPUs").
_NEWEST_GPU = {"8": (6, 2), "9": (7, 0), "10": (7, 5)}

# Operators that do the work, as against those that choose among them (conv2d, convolution, batch_norm, linear).
_KERNEL = re.compile("_?(cudnn|mkldnn|mkl|nnpack|thnn|slow_conv|native_batch_norm|addmm|b?mm$)")


def versions() -> Dict[str, str]:
    """Versions of what the numbers depend on; CUDA and cuDNN are what PyTorch was built with."""
    found = {"torch": torch.__version__, "numpy": np.__version__}
    if torch.version.cuda:
        found["cuda"] = str(torch.version.cuda)
    if torch.backends.cudnn.is_available():
        found["cudnn"] = str(torch.backends.cudnn.version())
    return found


def seed_everything(seed: int) -> None:
    """Seed Python's, NumPy's and PyTorch's generators, on the CPU and on every GPU."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def reset_peak_memory(cuda: Any) -> None:
    """Set the allocator's peaks to what is allocated now, with the calls that the version has (1.0 has none)."""
    if hasattr(cuda, "reset_peak_memory_stats"):  # 1.4 and later
        cuda.reset_peak_memory_stats()
    elif hasattr(cuda, "reset_max_memory_allocated"):  # 1.1 to 1.3
        cuda.reset_max_memory_allocated()
        cuda.reset_max_memory_cached()


def peak_memory_since(cuda: Any) -> str:
    """What the peaks cover: the timed steps, or the whole process."""
    resets = hasattr(cuda, "reset_peak_memory_stats") or hasattr(cuda, "reset_max_memory_allocated")
    return "timed-steps" if resets else "process"


def peak_reserved_memory(cuda: Any) -> int:
    """The most bytes that the caching allocator held; called "cached" before PyTorch 1.4."""
    return int(cuda.max_memory_reserved() if hasattr(cuda, "max_memory_reserved") else cuda.max_memory_cached())


def built_for_others(capability: Tuple[int, int], cuda: Any, cuda_version: Optional[str]) -> List[str]:
    """What this build has code for, if none of it runs on a GPU of ``capability`` (major, minor); else nothing.

    Machine code (sm_XY) runs on GPUs of the same major number and at least that minor one; PTX (compute_XY) on every
    newer GPU. CUDA C++ Programming Guide, "Compute Capability" and "Just-in-Time Compilation".
    """
    if hasattr(cuda, "get_arch_list"):
        built_for = list(cuda.get_arch_list()) or ["no GPU"]
        return [] if any(_runs_on(name, capability) for name in built_for) else built_for
    newest = _NEWEST_GPU.get(str(cuda_version).split(".")[0])
    if newest is None or capability <= newest:
        return []
    return ["GPUs up to {}.{}".format(*newest)]


def _runs_on(built_for: str, capability: Tuple[int, int]) -> bool:
    match = re.match(r"(sm|compute)_(\d+)(\d)([af]?)$", built_for)
    if not match:
        return False
    kind, major, minor, only = match.groups()
    code = (int(major), int(minor))
    if only == "a":  # for this GPU and no other
        return code == capability
    if kind == "compute" and not only:
        return code <= capability
    return code[0] == capability[0] and code[1] <= capability[1]


def execution() -> Dict[str, Any]:
    """How PyTorch computed, on any device."""
    interop = torch.get_num_interop_threads() if hasattr(torch, "get_num_interop_threads") else None
    return {"threads": torch.get_num_threads(), "inter_op_threads": interop, "compiled": compiled_graphs() > 0}


def cudnn() -> Dict[str, Any]:
    """cuDNN's settings, and whether TF32 replaces FP32."""
    cudnn = torch.backends.cudnn
    return dict(
        _tf32(),
        cudnn=bool(cudnn.enabled and cudnn.is_available()),
        cudnn_version=cudnn.version(),
        cudnn_benchmark=bool(cudnn.benchmark),
        cudnn_deterministic=bool(cudnn.deterministic),
    )


def onednn() -> Optional[bool]:
    """Whether convolutions on the CPU may use oneDNN (MKL-DNN); ``None`` where the version does not tell."""
    backend = getattr(torch.backends, "mkldnn", None)
    if backend is None:
        return None
    return bool(backend.is_available() and getattr(backend, "enabled", True))


def _tf32() -> Dict[str, bool]:
    """Whether TF32 is used, by kind of operation: allowed, and on a GPU that has it (8.0 on). Empty if unknown."""
    backends = torch.backends
    if hasattr(backends.cudnn, "conv"):  # 2.9 and later: one setting per operation; the old names warn
        places = (backends.cudnn.conv, backends.cudnn.rnn, backends.cuda.matmul)
        allowed = [place.fp32_precision == "tf32" for place in places]
    elif hasattr(backends.cudnn, "allow_tf32"):
        allowed = [bool(place.allow_tf32) for place in (backends.cudnn, backends.cudnn, backends.cuda.matmul)]
    else:
        return {}
    has_it = tuple(torch.cuda.get_device_capability(0)) >= (8, 0)
    return dict(zip(("tf32_convolution", "tf32_rnn", "tf32_matmul"), [has_it and one for one in allowed]))


@contextmanager
def disable_tf32() -> Iterator[None]:
    """FP32 on the GPU without TF32 within the block."""
    cudnn, matmul = torch.backends.cudnn, getattr(torch.backends.cuda, "matmul", None)
    if hasattr(cudnn, "conv"):
        places, name, exact = [cudnn.conv, cudnn.rnn, matmul], "fp32_precision", "ieee"
    elif hasattr(cudnn, "allow_tf32"):
        places, name, exact = [cudnn, matmul], "allow_tf32", False
    else:
        places, name, exact = [], "", None
    before = [getattr(place, name) for place in places]
    for place in places:
        setattr(place, name, exact)
    try:
        yield
    finally:
        for place, value in zip(places, before):
            setattr(place, name, value)


def _missing(option: str) -> OptionUnavailable:
    return OptionUnavailable("option-missing", framework="PyTorch", version=torch.__version__, option=option)


def adam(parameters: Any, learning_rate: float, epsilon: float = EPSILON_OF_DENSENET, fused: bool = False) -> Any:
    """Adam, the same function in every version: ``epsilon`` is for the form that adds it to the corrected root.

    ``fused`` does a complete update in one kernel (1.13 and later on a GPU, 2.4 on the CPU).
    """
    epsilon *= 1.0 if _corrects_before_epsilon() else CONVERSION
    if not fused:
        return torch.optim.Adam(parameters, lr=learning_rate, eps=epsilon)
    if "fused" not in inspect.signature(torch.optim.Adam).parameters:
        raise _missing("fused Adam")
    return torch.optim.Adam(parameters, lr=learning_rate, eps=epsilon, fused=True)


def _corrects_before_epsilon() -> bool:
    """Whether Adam adds epsilon to the corrected root of the second moment (1.3 and later), or to the bare one.

    By its source, since a step taken to find out would also load what the first timed step loads.
    """
    return ".sqrt().add_(group['eps'])" not in inspect.getsource(torch.optim.Adam)


def channels_last(thing: Any) -> Any:
    """A net or a batch of images laid out channels last; a page-locked batch stays page-locked."""
    if not hasattr(torch, "channels_last"):
        raise _missing("channels-last format")
    found = thing.to(memory_format=torch.channels_last)
    is_pinned = isinstance(thing, torch.Tensor) and thing.is_pinned()
    return found.pin_memory() if is_pinned else found


def compiled(net: Any) -> Any:
    """The net through ``torch.compile`` (2.0 and later)."""
    if not hasattr(torch, "compile"):
        raise _missing("torch.compile")
    if next(net.parameters()).is_cuda:  # Triton compiles its launchers
        language, compilers = "C", [os.environ.get("CC") or "cc", "gcc", "clang"]
    else:
        language, compilers = "C++", [os.environ.get("CXX") or "c++", "g++", "clang++"]
    if not any(shutil.which(name) for name in compilers):
        raise OptionUnavailable("compiler-missing", language=language, compilers=compilers)
    return torch.compile(net)


def compiled_graphs() -> int:
    """How many graphs ``torch.compile`` made in this process: 0 if nothing was compiled."""
    if "torch._dynamo" not in sys.modules:  # its import takes seconds, and compiling has imported it
        return 0
    from torch._dynamo.utils import counters

    return int(counters["stats"]["unique_graphs"])


def memory_format(tensor: Any) -> str:
    """A tensor's layout in memory: "contiguous" (NCHW), "channels_last" (NHWC) or "strided"."""
    if tensor.is_contiguous():
        return "contiguous"
    if hasattr(torch, "channels_last") and tensor.is_contiguous(memory_format=torch.channels_last):
        return "channels_last"
    return "strided"


def operators_run(call: Callable[[], Any]) -> List[str]:
    """Names of the operators that do the work of a call, from PyTorch's profiler, which takes time and memory."""
    with torch.autograd.profiler.profile() as profile:
        call()
    names = {event.name.split("::")[-1] for event in profile.function_events or []}
    asked = re.compile("available|acceptable")  # operators that only look
    return sorted(name for name in names if _KERNEL.match(name) and not asked.search(name))


def kernels_run(net: Any, forward: Any, batch: Any) -> Dict[str, Any]:
    """Which kernels a pass of the batch through the net runs, from PyTorch's profiler, and its memory format.

    With a complete batch, since the choice of a convolution's kernel depends on its size. Call it after the timing: the
    profiler takes memory and leaves the net in training mode. A compiled net (``forward`` is not ``net``) does not tell
    its memory format, and runs as it did in training, since without gradients it would be compiled once more.
    """
    net.train()
    formats: List[str] = []
    hook = None
    if forward is net:
        hook = next(net.children()).register_forward_hook(lambda *given: formats.append(memory_format(given[2])))
    with torch.set_grad_enabled(forward is not net):
        operators = operators_run(lambda: forward(batch))
    if hook is not None:
        hook.remove()
    return {"operators": operators, "memory_format": formats[0] if formats else None}


def load_file(path: str) -> Any:
    """What ``torch.save`` wrote, on the CPU; from version 1.13 on reading cannot run code from the file."""
    if "weights_only" in inspect.signature(torch.load).parameters:
        return torch.load(path, map_location="cpu", weights_only=True)
    return torch.load(path, map_location="cpu")
