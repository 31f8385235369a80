"""What the machine reports: its description, its load, its clocks and its heat."""

import os
import platform
import re
import subprocess
import sys

import pytest

from runners.machine import cpu, environment, load, memory


def test_the_machine_is_described_completely_and_without_its_name():
    """Every field of the record is there, and neither the host's name nor the kernel's build."""
    found = environment.describe(2, {"numpy": "1"})
    assert set(found) == {
        "cpu", "logical_cpus", "cpu_affinity", "threads", "governor", "memory_bytes", "gpu", "os", "kernel", "python",
        "versions",
    }  # fmt: skip
    assert (found["threads"], found["versions"]) == (2, {"numpy": "1"})
    assert found["cpu_affinity"] == sorted(os.sched_getaffinity(0))
    assert found["logical_cpus"] == len(found["cpu_affinity"])
    assert found["memory_bytes"] > 1 << 28
    assert found["python"] == sys.version.split()[0]
    assert re.fullmatch(r"\d+\.\d+", found["kernel"])
    assert platform.node() not in str(found).split("'")


def test_own_work_is_not_other_load():
    """Half a second of our own computing adds nothing to the others' load."""
    before = load.read()
    while load.read().own_s - before.own_s < 0.5:
        sum(range(10000))
    found = load.conditions(before, load.read())
    assert 0 <= found["other_load_cpus"] <= found["wall_s"] * 1000
    assert found["wall_s"] >= 0.4
    assert found["involuntary_switches"] >= 0


def test_a_compiler_that_the_process_ran_is_not_other_load():
    """What children computed belongs to the process once they have ended."""
    before = load.read()
    subprocess.check_call([sys.executable, "-c", "import time\nwhile time.process_time() < 0.5: pass"])
    assert load.read().own_s - before.own_s >= 0.4


def test_the_peak_of_resident_memory_counts_from_its_reset():
    """64 MB that were freed before the reset are not in it; 64 MB after it are."""
    block = bytearray(64 << 20)
    del block
    if not memory.reset_peak():
        pytest.skip("this kernel does not let a process reset its peak (/proc/self/clear_refs)")
    low = memory.peak_resident_bytes()
    block = bytearray(64 << 20)
    for index in range(0, len(block), 4096):
        block[index] = 1
    assert 60 << 20 <= memory.peak_resident_bytes() - low <= 80 << 20


@pytest.fixture
def sys_file(tmp_path, monkeypatch):
    """Write a file of a ``/sys`` that the test makes up."""
    monkeypatch.setattr(cpu, "SYS", str(tmp_path))
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1})

    def sys_file(name, content):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content + "\n")

    return sys_file


def heat_and_governor(before=None):
    """(before, after) of temperature and governor, as the record holds them."""
    reading = load.read()
    found = load.conditions(before or reading, reading)
    return [(found[name + "_before"], found[name + "_after"]) for name in ("cpu_temperature_c", "governor")]


def test_no_sensor_and_no_governor_are_absent(sys_file):
    """A virtual machine has neither; a network card's heat is not the processor's."""
    assert heat_and_governor() == [(None, None), (None, None)]
    sys_file("class/hwmon/hwmon0/name", "mlx5")
    sys_file("class/hwmon/hwmon0/temp1_input", "71000")
    sys_file("class/thermal/thermal_zone0/type", "iwlwifi_1")
    sys_file("class/thermal/thermal_zone0/temp", "50000")
    assert heat_and_governor() == [(None, None), (None, None)]


@pytest.mark.parametrize("name", ["k10temp", "coretemp"])
def test_the_processor_s_heat_is_that_of_its_hottest_sensor(sys_file, name):
    """Before and after; a sensor that cannot answer is ignored."""
    sys_file("class/hwmon/hwmon1/name", name)
    sys_file("class/hwmon/hwmon1/temp1_input", "45250")
    sys_file("class/hwmon/hwmon1/temp2_input", "44000")
    sys_file("class/hwmon/hwmon1/temp3_input", "")
    before = load.read()
    sys_file("class/hwmon/hwmon1/temp2_input", "80500")
    assert heat_and_governor(before)[0] == (45.25, 80.5)


def test_a_thermal_zone_is_used_where_there_is_no_hwmon_sensor(sys_file):
    """The zone is that of the processor's package."""
    sys_file("class/thermal/thermal_zone2/type", "x86_pkg_temp")
    sys_file("class/thermal/thermal_zone2/temp", "61000")
    assert heat_and_governor()[0] == (61.0, 61.0)


def test_amd_s_offset_for_the_fan_is_not_heat(sys_file):
    """Where there is a Tdie only it is read: Tctl is up to 27 degrees above it."""
    for number, label, reading in ((1, "Tctl", "90000"), (2, "Tdie", "63000"), (3, "Tccd1", "61000")):
        sys_file("class/hwmon/hwmon1/temp{}_label".format(number), label)
        sys_file("class/hwmon/hwmon1/temp{}_input".format(number), reading)
    sys_file("class/hwmon/hwmon1/name", "k10temp")
    assert heat_and_governor()[0] == (63.0, 63.0)


def test_a_processor_throttled_for_heat_is_counted(sys_file):
    """Between two readings, each core and package once; null where the kernel does not count."""
    before = load.read()
    assert load.conditions(before, before)["cpu_throttled"] is None
    counters = ("thermal_throttle/core_throttle_count", "thermal_throttle/package_throttle_count")
    for number, count in enumerate([7, 7, 900]):  # 0 and 1 are one core, and 2 is not ours
        place = "devices/system/cpu/cpu{}/".format(number)
        for counter in counters:
            sys_file(place + counter, str(count))
        sys_file(place + "topology/thread_siblings_list", "2" if number == 2 else "0-1")
        sys_file(place + "topology/physical_package_id", "0")
    before = load.read()
    for number in (0, 1):
        for counter, count in zip(counters, ("11", "8")):
            sys_file("devices/system/cpu/cpu{}/{}".format(number, counter), count)
    assert load.conditions(before, load.read())["cpu_throttled"] == 4 + 1


@pytest.mark.parametrize("name", ["fs/cgroup/cpu.stat", "fs/cgroup/cpu/cpu.stat"])
def test_stops_for_the_control_group_s_limit_are_counted(sys_file, name):
    """Between two readings, of cgroups version 2 and 1; null where there is no such count."""
    before = load.read()
    assert load.conditions(before, before)["cgroup_throttled"] is None
    sys_file(name, "nr_periods 50\nnr_throttled 7\nthrottled_usec 9")
    before = load.read()
    sys_file(name, "nr_periods 60\nnr_throttled 12\nthrottled_usec 9")
    assert load.conditions(before, load.read())["cgroup_throttled"] == 5


def test_the_governor_is_that_of_the_processors_that_may_be_used(sys_file):
    """Before and after, all of them where they differ, and not that of a third processor."""
    for number, governor in enumerate(["performance", "performance", "userspace"]):
        sys_file("devices/system/cpu/cpu{}/cpufreq/scaling_governor".format(number), governor)
    before = load.read()
    sys_file("devices/system/cpu/cpu1/cpufreq/scaling_governor", "powersave")
    assert heat_and_governor(before)[1] == ("performance", "performance, powersave")
    assert environment.describe(1, {})["governor"] == "performance, powersave"
