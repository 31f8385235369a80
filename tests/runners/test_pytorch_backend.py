"""PyTorch as a backend: what is called on the card and when, and which cards are refused."""

import pytest

pytest.importorskip("torch")

from runners.contract import DeviceUnavailable, Rule
from runners.worker.measure import measure
from runners.pytorch import backend, compat


class FakeCuda:
    """Stands for torch.cuda of today: notes every call."""

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
        return "Card 1"

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
    gpu = backend.make_gpu(cuda, compat, lambda on_gpu: {})
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
    """Both calls wait for the card first."""
    cuda = FakeCuda()
    gpu = backend.make_gpu(cuda, compat, lambda on_gpu: {})
    gpu.reset_memory()
    assert cuda.calls == ["synchronize", "reset"]
    cuda.calls.clear()
    assert gpu.read_memory() == {"peak_allocated_bytes": 2000, "peak_reserved_bytes": 3000}
    assert cuda.calls == ["synchronize", "allocated", "reserved"]


def test_older_versions_have_a_call_for_each_counter():
    """PyTorch 1.1 to 1.3 named them otherwise; the record's names stay."""
    cuda = OldCuda()
    gpu = backend.make_gpu(cuda, compat, lambda on_gpu: {})
    gpu.reset_memory()
    assert cuda.calls == ["synchronize", "reset allocated", "reset cached"]
    assert gpu.read_memory() == {"peak_allocated_bytes": 20, "peak_reserved_bytes": 30}
    assert compat.peak_memory_since(cuda) == "since the last reset"
    assert compat.peak_memory_since(object()) == "of the whole process"


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
def test_a_card_needs_machine_code_or_ptx(capability, built_for, runs):
    """Machine code serves its own generation, PTX every newer card."""
    cuda = FakeCuda(capability, built_for)
    assert (compat.reason_no_code(capability, cuda, "13.0") is None) == runs


@pytest.mark.parametrize(("capability", "runs"), [((6, 1), True), ((7, 0), True), ((7, 5), False), ((8, 6), False)])
def test_the_era_build_refuses_cards_newer_than_its_cuda(capability, runs):
    """PyTorch 1.0 cannot list what it was built for; its CUDA 9.0 knows cards up to Volta."""
    assert (compat.reason_no_code(capability, OldCuda(), "9.0.176") is None) == runs


def test_a_card_without_code_is_refused_by_name():
    """The reason names version, card and cure."""
    with pytest.raises(DeviceUnavailable) as caught:
        backend.check_card(FakeCuda((6, 1)), "2.14.1", "13.0")
    assert str(caught.value) == (
        "PyTorch 2.14.1 cannot run on Card 1 (compute capability 6.1): it has code for sm_75, sm_80 only; "
        "choose another STACK"
    )


def test_no_card_and_no_cuda_are_two_reasons():
    """Each is told from the other."""
    with pytest.raises(DeviceUnavailable, match=r"PyTorch 2\.14\.1 \(CUDA 13\.0\) sees no GPU"):
        backend.check_card(FakeCuda(available=False), "2.14.1", "13.0")
    with pytest.raises(DeviceUnavailable, match="is a build for the CPU only"):
        backend.check_card(FakeCuda(), "2.14.1", None)


def test_the_cpu_backend_tells_its_threads():
    """What the framework says, not what was asked."""
    cpu = backend.open_backend("cpu", 1)
    assert cpu.kernel_path()["threads"] == 1
    assert cpu.read_memory() == {}
    assert cpu.synchronize() is None
    assert cpu.reset_memory() is None
    assert {"torch", "numpy"} <= set(cpu.versions())
