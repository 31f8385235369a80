"""PyTorch as a backend: what is called on the GPU and when, and which GPUs are refused."""

import pytest

pytest.importorskip("torch")

from runners.contract import DeviceUnavailable, Rule
from runners.pytorch import backend, compat
from runners.worker.measure import measure


class FakeCuda:
    """Stands for torch.cuda of today and records every call."""

    def __init__(self, capability=(8, 0), built_for=("sm_75", "sm_80"), available=True):
        self.calls = []
        self._capability, self._built_for, self._available = capability, built_for, available

    def synchronize(self):
        self.calls.append("synchronize")

    def reset_peak_memory_stats(self):
        self.calls.append("reset")

    def max_memory_allocated(self):
        self.calls.append("allocated")
        return 2000

    def max_memory_reserved(self):
        self.calls.append("reserved")
        return 3000

    def is_available(self):
        return self._available

    def get_device_capability(self, index):
        return self._capability

    def get_device_name(self, index):
        return "GPU 1"

    def get_arch_list(self):
        return list(self._built_for)


class OldCuda:
    """Stands for torch.cuda of version 1.1: a call for each counter, and no list of what it was built for."""

    def __init__(self):
        self.calls = []

    def synchronize(self):
        self.calls.append("synchronize")

    def reset_max_memory_allocated(self):
        self.calls.append("reset allocated")

    def reset_max_memory_cached(self):
        self.calls.append("reset cached")

    def max_memory_allocated(self):
        return 20

    def max_memory_cached(self):
        return 30


def test_the_clock_starts_after_waiting_and_stops_after_waiting():
    """Each timed step is: wait, clock, step, wait, clock."""
    cuda = FakeCuda()
    gpu = backend.make_gpu(cuda, compat)
    ticks = iter(range(1000))

    def clock():
        cuda.calls.append("clock")
        return float(next(ticks))

    def step(batch):
        cuda.calls.append("step")

    rule = Rule(min_warmup=1, warmup_s=0, min_samples=1, max_samples=1, budget_s=0.0)
    measure(step, gpu.synchronize, rule, clock=clock)
    timed = ["synchronize", "clock", "step", "synchronize", "clock"]
    assert " ".join(timed) in " ".join(cuda.calls)
    assert cuda.calls.count("step") == 2
    assert cuda.calls.count("synchronize") == 4


def test_memory_counters_are_reset_before_and_read_after_all_work_is_done():
    """Both calls wait for the GPU first."""
    cuda = FakeCuda()
    gpu = backend.make_gpu(cuda, compat)
    gpu.reset_memory()
    assert cuda.calls == ["synchronize", "reset"]
    cuda.calls.clear()
    assert gpu.read_memory() == {"peak_allocated_bytes": 2000, "peak_reserved_bytes": 3000}
    assert cuda.calls == ["synchronize", "allocated", "reserved"]


def test_older_versions_have_a_call_for_each_counter():
    """PyTorch 1.1 to 1.3 had other names for them; the record's names stay."""
    cuda = OldCuda()
    gpu = backend.make_gpu(cuda, compat)
    gpu.reset_memory()
    assert cuda.calls == ["synchronize", "reset allocated", "reset cached"]
    assert gpu.read_memory() == {"peak_allocated_bytes": 20, "peak_reserved_bytes": 30}
    assert compat.peak_memory_since(cuda) == "timed-steps"
    assert compat.peak_memory_since(object()) == "process"


@pytest.mark.parametrize(
    ("capability", "built_for", "runs"),
    [
        ((8, 6), ["sm_75", "sm_80"], True),
        ((7, 0), ["sm_75", "sm_80"], False),
        ((9, 0), ["sm_80"], False),
        ((9, 0), ["sm_80", "compute_80"], True),
        ((6, 1), ["sm_75", "compute_75"], False),
        ((6, 1), ["sm_60"], True),
        ((12, 0), ["sm_75", "sm_90", "sm_120"], True),
        ((9, 0), ["sm_90a"], True),
        ((9, 1), ["sm_90a"], False),
        ((10, 3), ["sm_100f"], True),
        ((8, 0), [], False),
    ],
)
def test_a_gpu_needs_machine_code_or_ptx(capability, built_for, runs):
    """Machine code runs on its own generation, PTX on every newer GPU."""
    cuda = FakeCuda(capability, built_for)
    assert (compat.built_for_others(capability, cuda, "13.0") == []) == runs


@pytest.mark.parametrize(("capability", "runs"), [((6, 1), True), ((7, 0), True), ((7, 5), False), ((8, 6), False)])
def test_the_era_build_refuses_gpus_newer_than_its_cuda(capability, runs):
    """PyTorch 1.0 cannot list what it was built for; its CUDA 9.0 knows GPUs up to Volta."""
    assert compat.built_for_others(capability, OldCuda(), "9.0.176") == ([] if runs else ["GPUs up to 7.0"])


def test_a_gpu_without_code_is_refused_by_name():
    """The reason names version, GPU and what the build has code for."""
    with pytest.raises(DeviceUnavailable) as caught:
        backend.check_gpu(FakeCuda((6, 1)), "2.14.1", "13.0")
    assert caught.value.reason == (
        "build-without-gpu-code",
        {
            "framework": "PyTorch",
            "version": "2.14.1",
            "gpu": "GPU 1",
            "capability": "6.1",
            "built_for": ["sm_75", "sm_80"],
        },
    )


@pytest.mark.parametrize(
    ("cuda", "cuda_version", "key"),
    [(FakeCuda(available=False), "13.0", "gpu-not-visible"), (FakeCuda(), None, "build-without-gpu")],
)
def test_no_gpu_and_no_cuda_are_two_reasons(cuda, cuda_version, key):
    """One is about the machine, the other about the stack."""
    with pytest.raises(DeviceUnavailable) as caught:
        backend.check_gpu(cuda, "2.14.1", cuda_version)
    assert caught.value.reason == (key, {"framework": "PyTorch", "version": "2.14.1"})


def test_the_cpu_backend_reports_pytorchs_threads():
    """What the framework says, not what was asked."""
    cpu = backend.open_backend("cpu", 1)
    execution = cpu.execution()
    assert (execution["threads"], execution["compiled"]) == (1, False)
    assert cpu.read_memory() == {}
    assert cpu.synchronize() is None
    assert cpu.reset_memory() is None
    assert {"torch", "numpy"} <= set(cpu.versions())
