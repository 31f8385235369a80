"""Every fork between PyTorch 1.0 and today's, so that the other files of this folder read as one version."""

import inspect
import os
import random
import re
import shutil
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Optional, Tuple

import numpy as np
import torch

from runners.contract import OptionUnavailable

# CUDA before 11 has no torch.cuda.get_arch_list() with it: the newest card (compute capability) that a wheel made
# with each version has machine code for (PyTorch's own builds; CUDA Toolkit release notes, "supported GPUs").
_NEWEST_CARD = {"8": (6, 2), "9": (7, 0), "10": (7, 5)}


def versions() -> Dict[str, str]:
    """Versions of what the numbers depend on; CUDA and cuDNN are what PyTorch was built with."""
    found = {"torch": torch.__version__, "numpy": np.__version__}
    if torch.version.cuda:
        found["cuda"] = str(torch.version.cuda)
    if torch.backends.cudnn.is_available():
        found["cudnn"] = str(torch.backends.cudnn.version())
    return found


def seed_everything(seed: int) -> None:
    """Seeds Python's, NumPy's and PyTorch's generators, on the CPU and on every GPU."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def reset_peak_memory(cuda: Any) -> None:
    """Sets the allocator's peaks to what is allocated now, with whatever calls the version has (1.0 has none)."""
    if hasattr(cuda, "reset_peak_memory_stats"):  # 1.4 and later
        cuda.reset_peak_memory_stats()
    elif hasattr(cuda, "reset_max_memory_allocated"):  # 1.1 to 1.3
        cuda.reset_max_memory_allocated()
        cuda.reset_max_memory_cached()


def peak_memory_since(cuda: Any) -> str:
    """What the peaks cover."""
    resets = hasattr(cuda, "reset_peak_memory_stats") or hasattr(cuda, "reset_max_memory_allocated")
    return "since the last reset" if resets else "of the whole process"


def peak_reserved_memory(cuda: Any) -> int:
    """Most bytes that the caching allocator held; called "cached" before PyTorch 1.4."""
    return int(cuda.max_memory_reserved() if hasattr(cuda, "max_memory_reserved") else cuda.max_memory_cached())


def reason_no_code(capability: Tuple[int, int], cuda: Any, cuda_version: Optional[str]) -> Optional[str]:
    """Why this build cannot run on a card of ``capability`` (major, minor); ``None`` if it can.

    Machine code (sm_XY) runs on cards of the same major number and at least that minor one; PTX (compute_XY) on
    every newer card. CUDA C++ Programming Guide, "Compute Capability" and "Just-in-Time Compilation".
    """
    if hasattr(cuda, "get_arch_list"):
        built_for = list(cuda.get_arch_list())
        if any(_runs_on(name, capability) for name in built_for):
            return None
        return "it has code for {} only".format(", ".join(built_for) or "no card")
    newest = _NEWEST_CARD.get(str(cuda_version).split(".")[0])
    if newest is None or capability <= newest:
        return None
    return "its CUDA {} knows no card above {}.{}".format(cuda_version, *newest)


def _runs_on(built_for: str, capability: Tuple[int, int]) -> bool:
    match = re.match(r"(sm|compute)_(\d+)(\d)([af]?)$", built_for)
    if not match:
        return False
    kind, major, minor, only = match.groups()
    code = (int(major), int(minor))
    if only == "a":  # for this very card and no other
        return code == capability
    if kind == "compute" and not only:
        return code <= capability
    return code[0] == capability[0] and code[1] <= capability[1]


def tf32() -> Dict[str, bool]:
    """Whether TF32 replaces FP32 on the GPU, by kind of operation; empty where the version knows no TF32.

    It does where it is allowed and the card has it, which those of compute capability 8.0 and later do.
    """
    backends = torch.backends
    if hasattr(backends.cudnn, "conv"):  # 2.9 and later: one setting an operation, and the old names warn
        allowed = [place.fp32_precision == "tf32" for place in (backends.cudnn.conv, backends.cuda.matmul)]
    elif hasattr(backends.cudnn, "allow_tf32"):
        allowed = [bool(place.allow_tf32) for place in (backends.cudnn, backends.cuda.matmul)]
    else:
        return {}
    has_it = tuple(torch.cuda.get_device_capability(0)) >= (8, 0)
    return dict(zip(("tf32_convolution", "tf32_matmul"), [has_it and one for one in allowed]))


@contextmanager
def exact_products() -> Iterator[None]:
    """FP32 on the GPU without TF32 meanwhile."""
    cudnn, matmul = torch.backends.cudnn, getattr(torch.backends.cuda, "matmul", None)
    if hasattr(cudnn, "conv"):
        places, name, exact = [cudnn.conv, matmul], "fp32_precision", "ieee"
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


def adam(parameters: Any, learning_rate: float, fused: bool) -> Any:
    """Adam; ``fused`` does a whole update in one kernel (1.13 and later on a GPU, 2.4 on the CPU)."""
    if not fused:
        return torch.optim.Adam(parameters, lr=learning_rate)
    if "fused" not in inspect.signature(torch.optim.Adam).parameters:
        raise OptionUnavailable("PyTorch {} has no fused Adam".format(torch.__version__))
    return torch.optim.Adam(parameters, lr=learning_rate, fused=True)


def channels_last(thing: Any) -> Any:
    """A net or a batch of images laid out channels last (1.5 and later)."""
    if not hasattr(torch, "channels_last"):
        raise OptionUnavailable("PyTorch {} has no channels-last format".format(torch.__version__))
    return thing.to(memory_format=torch.channels_last)


def compiled(net: Any) -> Any:
    """The net through ``torch.compile`` (2.0 and later)."""
    if not hasattr(torch, "compile"):
        raise OptionUnavailable("PyTorch {} has no torch.compile".format(torch.__version__))
    if next(net.parameters()).is_cuda:  # Triton compiles its launchers
        language, compilers = "C", [os.environ.get("CC") or "cc", "gcc", "clang"]
    else:
        language, compilers = "C++", [os.environ.get("CXX") or "c++", "g++", "clang++"]
    if not any(shutil.which(name) for name in compilers):
        raise OptionUnavailable(
            "PyTorch's compiler needs a {} compiler, and none is here ({})".format(language, ", ".join(compilers))
        )
    return torch.compile(net)


def compiled_graphs() -> int:
    """How many graphs ``torch.compile`` made in this process: 0 if nothing was compiled."""
    if not hasattr(torch, "compile"):
        return 0
    from torch._dynamo.utils import counters

    return int(counters["stats"]["unique_graphs"])


def onednn() -> Optional[bool]:
    """Whether convolutions on the CPU may use oneDNN (MKL-DNN); ``None`` where the version does not tell."""
    backend = getattr(torch.backends, "mkldnn", None)
    if backend is None:
        return None
    return bool(backend.is_available() and getattr(backend, "enabled", True))


def inter_op_threads() -> Optional[int]:
    return torch.get_num_interop_threads() if hasattr(torch, "get_num_interop_threads") else None


def memory_format(tensor: Any) -> str:
    """How a tensor of four dimensions lies in memory: "contiguous" (NCHW), "channels_last" (NHWC) or "strided"."""
    if tensor.is_contiguous():
        return "contiguous"
    if hasattr(torch, "channels_last") and tensor.is_contiguous(memory_format=torch.channels_last):
        return "channels_last"
    return "strided"


def operators_run(work: Any) -> List[str]:
    """Names of the operators that PyTorch ran in ``work()``, from its own profiler, without their namespace."""
    with torch.autograd.profiler.profile() as profile:
        work()
    events = profile.function_events or []
    return sorted({event.name.split("::")[-1] for event in events})


def generator_states(on_gpu: bool) -> Dict[str, Any]:
    """States of PyTorch's generators, each a tensor of bytes."""
    states = {"cpu": torch.get_rng_state()}
    if on_gpu:
        states["gpu"] = torch.cuda.get_rng_state()
    return states


def set_generator_states(states: Dict[str, Any]) -> None:
    torch.set_rng_state(states["cpu"])
    if "gpu" in states:
        torch.cuda.set_rng_state(states["gpu"])


def load_file(path: str) -> Any:
    """What ``torch.save`` wrote, on the CPU; from version 1.13 on reading cannot run code from the file."""
    if "weights_only" in inspect.signature(torch.load).parameters:
        return torch.load(path, map_location="cpu", weights_only=True)
    return torch.load(path, map_location="cpu")
