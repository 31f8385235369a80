"""What the machine says of itself."""

import os
import sys

import pytest

from runners import environment


def test_the_machine_is_described_in_full():
    """Every field of the record is there, unknown ones as null."""
    found = environment.describe(2, {"numpy": "1"})
    assert set(found) == {
        "cpu", "cores", "threads", "governor", "memory_bytes", "gpu", "os", "kernel", "python", "versions",
    }  # fmt: skip
    assert found["cores"] >= 1
    assert found["memory_bytes"] > 1 << 28
    assert found["python"] == sys.version.split()[0]


def test_own_work_is_not_other_load():
    """A second of our own computing leaves others at what they were, and no negative figure."""
    before = environment.read_conditions()
    while environment.read_conditions().own_s - before.own_s < 0.5:
        sum(range(10000))
    found = environment.conditions(before, environment.read_conditions())
    assert 0 <= found["others_busy"] <= found["wall_s"] * 1000
    assert found["wall_s"] >= 0.4
    assert found["involuntary_switches"] >= 0


def test_the_peak_of_resident_memory_counts_from_its_reset():
    """64 MB that came and went before the reset are not in it; 64 MB after it are."""
    block = bytearray(64 << 20)
    del block
    if not environment.Resident.reset_peak():
        pytest.skip("this kernel does not let a process reset its peak (/proc/self/clear_refs)")
    low = environment.Resident.peak()
    block = bytearray(64 << 20)
    for index in range(0, len(block), 4096):
        block[index] = 1
    assert 60 << 20 <= environment.Resident.peak() - low <= 80 << 20


def test_threads_are_at_most_the_processors_this_process_may_use():
    """One a physical core."""
    assert 1 <= environment.default_threads() <= len(os.sched_getaffinity(0))


@pytest.fixture
def sys_file(tmp_path, monkeypatch):
    """Write a file of a ``/sys`` of the test's own."""
    monkeypatch.setattr(environment, "SYS", str(tmp_path))
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1})

    def sys_file(name, content):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content + "\n")

    return sys_file


def heat_and_governor(before=None):
    """(before, after) of temperature and governor, as the record holds them."""
    reading = environment.read_conditions()
    found = environment.conditions(before or reading, reading)
    return [(found[name + "_before"], found[name + "_after"]) for name in ("temperature_c", "governor")]


def test_no_sensor_and_no_governor_are_absent(sys_file):
    """A virtual machine has neither; the network card's heat is not the processor's."""
    assert heat_and_governor() == [(None, None), (None, None)]
    sys_file("class/hwmon/hwmon0/name", "mlx5")
    sys_file("class/hwmon/hwmon0/temp1_input", "71000")
    sys_file("class/thermal/thermal_zone0/type", "iwlwifi_1")
    sys_file("class/thermal/thermal_zone0/temp", "50000")
    assert heat_and_governor() == [(None, None), (None, None)]


@pytest.mark.parametrize("name", ["k10temp", "coretemp"])
def test_the_processor_s_heat_is_its_hottest_sensor_s(sys_file, name):
    """Before and after; a sensor that cannot answer is passed over."""
    sys_file("class/hwmon/hwmon1/name", name)
    sys_file("class/hwmon/hwmon1/temp1_input", "45250")
    sys_file("class/hwmon/hwmon1/temp2_input", "44000")
    sys_file("class/hwmon/hwmon1/temp3_input", "")
    before = environment.read_conditions()
    sys_file("class/hwmon/hwmon1/temp2_input", "80500")
    assert heat_and_governor(before)[0] == (45.25, 80.5)


def test_a_thermal_zone_stands_in_where_there_is_no_hwmon_sensor(sys_file):
    """Of the processor's package."""
    sys_file("class/thermal/thermal_zone2/type", "x86_pkg_temp")
    sys_file("class/thermal/thermal_zone2/temp", "61000")
    assert heat_and_governor()[0] == (61.0, 61.0)


def test_the_governor_is_that_of_the_processors_that_may_be_used(sys_file):
    """Before and after, all of them where they differ, and not that of a third processor."""
    for cpu, governor in enumerate(["performance", "performance", "userspace"]):
        sys_file("devices/system/cpu/cpu{}/cpufreq/scaling_governor".format(cpu), governor)
    before = environment.read_conditions()
    sys_file("devices/system/cpu/cpu1/cpufreq/scaling_governor", "powersave")
    assert heat_and_governor(before)[1] == ("performance", "performance, powersave")
    assert environment.describe(1, {})["governor"] == "performance, powersave"
