"""PyTorch as a backend: what is called on the GPU and when, and which GPUs are refused."""

from unittest import mock

import pytest

pytest.importorskip("torch")

from runners.contract import DeviceUnavailable
from runners.pytorch import backend, compat


def fake_cuda(**answers):
    """Stands for a torch.cuda that has functions of these names only, and answers this."""
    cuda = mock.Mock(spec=list(answers))
    for name, answer in answers.items():
        getattr(cuda, name).return_value = answer
    return cuda


def cuda_of_today(available=True):
    """As far as the backend calls it."""
    return fake_cuda(
        synchronize=None,
        reset_peak_memory_stats=None,
        max_memory_allocated=2000,
        max_memory_reserved=3000,
        is_available=available,
        get_device_capability=(6, 1),
        get_device_name="GPU 1",
        get_arch_list=["sm_75", "sm_80"],
    )


def calls(cuda):
    """Names of what was called since the last time, in order."""
    names = [name for name, _, _ in cuda.mock_calls]
    cuda.reset_mock()
    return names


def test_the_timing_loop_waits_for_the_gpu():
    """By PyTorch's own call, which has to prove that it waits."""
    cuda = cuda_of_today()
    gpu = backend.make_gpu(cuda)
    gpu.synchronize()
    assert (calls(cuda), gpu.asynchronous) == (["synchronize"], True)


def test_memory_counters_are_reset_before_and_read_after_all_work_is_done():
    """Both calls wait for the GPU first."""
    cuda = cuda_of_today()
    gpu = backend.make_gpu(cuda)
    gpu.reset_memory()
    assert calls(cuda) == ["synchronize", "reset_peak_memory_stats"]
    assert gpu.read_memory() == {"peak_allocated_bytes": 2000, "peak_reserved_bytes": 3000}
    assert calls(cuda) == ["synchronize", "max_memory_allocated", "max_memory_reserved"]


def test_older_versions_have_a_call_for_each_counter():
    """PyTorch 1.1 to 1.3 had other names for them; the record's names stay."""
    resets = dict.fromkeys(("synchronize", "reset_max_memory_allocated", "reset_max_memory_cached"))
    cuda = fake_cuda(max_memory_allocated=20, max_memory_cached=30, **resets)
    gpu = backend.make_gpu(cuda)
    gpu.reset_memory()
    assert calls(cuda) == ["synchronize", "reset_max_memory_allocated", "reset_max_memory_cached"]
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
    assert (compat.built_for_others(capability, fake_cuda(get_arch_list=built_for), "13.0") == []) == runs


@pytest.mark.parametrize(("capability", "runs"), [((6, 1), True), ((7, 0), True), ((7, 5), False), ((8, 6), False)])
def test_the_era_build_refuses_gpus_newer_than_its_cuda(capability, runs):
    """PyTorch 1.0 cannot list what it was built for; its CUDA 9.0 knows GPUs up to Volta."""
    assert compat.built_for_others(capability, fake_cuda(), "9.0.176") == ([] if runs else ["GPUs up to 7.0"])


def test_a_gpu_without_code_is_refused_by_name():
    """The reason names version, GPU and what the build has code for."""
    with pytest.raises(DeviceUnavailable) as caught:
        backend.check_gpu(cuda_of_today(), "2.14.1", "13.0")
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
    [(cuda_of_today(available=False), "13.0", "gpu-not-visible"), (cuda_of_today(), None, "build-without-gpu")],
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
