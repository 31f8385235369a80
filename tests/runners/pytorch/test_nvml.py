"""The GPU as the real nvidia-ml-py reports it, from a driver library that the test compiles in place of NVIDIA's.

Here because PyTorch's environment has nvidia-ml-py; the one that runs the tests of ``machine`` has not.
"""

import json
import os
import subprocess
import sys

import pytest

pytest.importorskip("pynvml", reason="nvidia-ml-py is not in this environment")

from runners.machine import nvml

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
PROGRAM = "import json; from runners.machine import nvml; gpu = nvml.read(); print(json.dumps(gpu and gpu._asdict()))"
GTX_1080 = {
    "name": "NVIDIA GeForce GTX 1080",
    "driver": "535.183.01",
    "compute_capability": "6.1",
    "memory_total": 8 << 30,
    "memory_used": 1 << 30,
    "clock_mhz": 1733,
    "temperature_c": 62,
    "throttle": [],
    "energy_mj": 123456,
    "processes": [4242],
    "throttled_ns": None,
}
REASONS = ["power cap", "software thermal slowdown"]


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """The folder with the compiled stand-in."""
    folder = tmp_path_factory.mktemp("nvml")
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "nvml_standin.c")
    try:
        subprocess.check_call(["cc", "-shared", "-fPIC", "-o", str(folder / "libnvidia-ml.so.1"), source])
    except FileNotFoundError:
        pytest.skip("there is no C compiler to make the stand-in of libnvidia-ml.so.1")
    return folder


def read(library, states, visible=""):
    """What a program reads from the GPU in a state."""
    path = library / "state"
    path.write_text("\n".join(states.split()) + "\n")
    environ = dict(os.environ, LD_LIBRARY_PATH=str(library), NVML_STANDIN_STATE=str(path), PYTHONPATH=ROOT)
    environ["CUDA_VISIBLE_DEVICES"] = visible
    return json.loads(subprocess.check_output([sys.executable, "-c", PROGRAM], env=environ).decode())


@pytest.mark.parametrize(
    ("states", "changes"),
    [
        ("card", {}),
        ("card full", {"memory_used": 8 << 30}),
        ("card throttled", {"clock_mhz": 1101, "temperature_c": 91, "throttle": REASONS}),
        ("card no-energy", {"energy_mj": None}),  # Pascal GPUs have no counter: that is not zero joules
        ("card old-driver", {}),  # before 510 there is only the older function for the processes
        ("card lost-later", {name: None for name in GTX_1080 if not name.startswith("memory_")}),
    ],
)
def test_a_gpu_is_read_completely(library, states, changes):
    """Every field comes through the real nvidia-ml-py; of a driver that is lost, what was read before."""
    assert read(library, states) == dict(GTX_1080, **changes)


@pytest.mark.parametrize(("states", "visible"), [("none", ""), ("card lost", ""), ("card", "1")])
def test_a_gpu_that_is_not_there_is_none(library, states, visible):
    """There is none, or no driver, or no visible one: no other one takes its place, and nothing is raised."""
    assert read(library, states, visible=visible) is None


def test_a_phase_has_the_gpu_s_clock_heat_and_reasons_before_and_after(library):
    """From a cool GPU to a throttled one."""
    before, after = (nvml.Gpu(**read(library, states)) for states in ("card", "card throttled"))
    assert nvml.conditions(before, after) == {
        "gpu_clock_mhz_before": 1733,
        "gpu_clock_mhz_after": 1101,
        "gpu_temperature_c_before": 62,
        "gpu_temperature_c_after": 91,
        "gpu_throttle_before": [],
        "gpu_throttle_after": REASONS,
        "gpu_power_cap_s": None,
        "gpu_thermal_slowdown_s": None,
    }


def test_the_driver_counts_how_long_a_gpu_was_throttled(library):
    """Three seconds for power between the readings, none for heat."""
    before, after = (nvml.Gpu(**read(library, states)) for states in ("card counts", "card counts throttled"))
    assert before.throttled_ns == {"power cap": 500000000, "thermal slowdown": 2000000000}
    found = nvml.conditions(before, after)
    assert (found["gpu_power_cap_s"], found["gpu_thermal_slowdown_s"]) == (3.0, 0.0)


@pytest.mark.parametrize(("visible", "celsius"), [("", 62), ("0,1", 62), ("1", 91), ("1,0", 91), ("GPU-2", 91)])
def test_the_gpu_asked_about_is_the_one_that_computes(library, visible, celsius):
    """The first that CUDA_VISIBLE_DEVICES names, by number or by UUID."""
    assert read(library, "card second", visible=visible)["temperature_c"] == celsius
