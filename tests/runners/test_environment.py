"""What the machine says of itself."""

import os
import subprocess
import sys

import pytest

from runners import environment


def test_the_machine_is_described_in_full():
    """Every field of the record is there, unknown ones as null."""
    found = environment.describe(2, 4, {"numpy": "1"})
    assert set(found) == {
        "cpu", "cores", "processors", "threads", "governor", "memory_bytes", "gpu", "os", "kernel", "python",
        "versions",
    }  # fmt: skip
    assert (found["cores"], found["threads"]) == (4, 2)
    assert found["processors"] == sorted(os.sched_getaffinity(0))
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


def test_a_processor_held_back_for_heat_is_counted(sys_file):
    """Between the two readings, over the processors that may be used; null where the kernel does not count."""
    before = environment.read_conditions()
    assert environment.conditions(before, before)["throttled"] is None
    for cpu, count in enumerate([7, 7, 900]):  # 0 and 1 are one core, and 2 is not ours
        place = "devices/system/cpu/cpu{}/".format(cpu)
        sys_file(place + "thermal_throttle/core_throttle_count", str(count))
        sys_file(place + "thermal_throttle/package_throttle_count", str(3 * count))
        sys_file(place + "topology/thread_siblings_list", "2" if cpu == 2 else "0-1")
        sys_file(place + "topology/physical_package_id", "0")
    before = environment.read_conditions()
    for cpu in (0, 1):
        sys_file("devices/system/cpu/cpu{}/thermal_throttle/core_throttle_count".format(cpu), "11")
        sys_file("devices/system/cpu/cpu{}/thermal_throttle/package_throttle_count".format(cpu), "22")
    assert environment.conditions(before, environment.read_conditions())["throttled"] == 4 + 1


def test_amd_s_offset_for_the_fan_is_no_heat(sys_file):
    """Where Tdie is told apart it alone counts: Tctl is up to 27 degrees above it."""
    for number, label, reading in ((1, "Tctl", "90000"), (2, "Tdie", "63000"), (3, "Tccd1", "61000")):
        sys_file("class/hwmon/hwmon1/temp{}_label".format(number), label)
        sys_file("class/hwmon/hwmon1/temp{}_input".format(number), reading)
    sys_file("class/hwmon/hwmon1/name", "k10temp")
    assert heat_and_governor()[0] == (63.0, 63.0)


@pytest.mark.parametrize(
    ("files", "threads"),
    [
        ({}, 2),
        ({"fs/cgroup/cpu.max": "max 100000"}, 2),
        ({"fs/cgroup/cpu.max": "150000 100000"}, 2),
        ({"fs/cgroup/cpu.max": "100000 100000"}, 1),
        ({"fs/cgroup/cpu.max": "20000 100000"}, 1),
        ({"fs/cgroup/cpu/cpu.cfs_quota_us": "50000", "fs/cgroup/cpu/cpu.cfs_period_us": "100000"}, 1),
        ({"fs/cgroup/cpu/cpu.cfs_quota_us": "-1", "fs/cgroup/cpu/cpu.cfs_period_us": "100000"}, 2),
        ({"devices/system/cpu/cpu{}/topology/thread_siblings_list".format(cpu): "0-1" for cpu in (0, 1)}, 1),
    ],
)
def test_threads_are_no_more_than_cores_and_than_the_group_has_time_for(sys_file, files, threads):
    """Two processors; a control group's limit is rounded up, and none means all."""
    for name, content in files.items():
        sys_file(name, content)
    assert environment.default_threads() == threads


@pytest.mark.parametrize("name", ["fs/cgroup/cpu.stat", "fs/cgroup/cpu/cpu.stat"])
def test_stops_for_the_group_s_limit_are_counted(sys_file, name):
    """Between two readings; null where there is no such count."""
    before = environment.read_conditions()
    assert environment.conditions(before, before)["quota_stops"] is None
    sys_file(name, "nr_periods 50\nnr_throttled 7\nthrottled_usec 9")
    before = environment.read_conditions()
    sys_file(name, "nr_periods 60\nnr_throttled 12\nthrottled_usec 9")
    assert environment.conditions(before, environment.read_conditions())["quota_stops"] == 5


def test_a_process_is_pinned_to_one_processor_a_core(sys_file, monkeypatch):
    """Of four processors on two cores the first of each; not where more threads are asked for."""
    pinned = []
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1, 2, 3})
    monkeypatch.setattr(os, "sched_setaffinity", lambda process, processors: pinned.append(processors))
    for cpu in range(4):
        sys_file(
            "devices/system/cpu/cpu{}/topology/thread_siblings_list".format(cpu), "{},{}".format(cpu % 2, cpu % 2 + 2)
        )
    environment.pin_to_cores(3)
    assert pinned == []
    environment.pin_to_cores(2)
    environment.pin_to_cores(1)
    assert pinned == [[0, 1], [0, 1]]


def test_a_compiler_that_the_process_ran_is_no_other_load():
    """What children computed belongs to the process once they have ended."""
    before = environment.read_conditions()
    subprocess.check_call([sys.executable, "-c", "import time\nwhile time.process_time() < 0.5: pass"])
    assert environment.read_conditions().own_s - before.own_s >= 0.4


def test_the_governor_is_that_of_the_processors_that_may_be_used(sys_file):
    """Before and after, all of them where they differ, and not that of a third processor."""
    for cpu, governor in enumerate(["performance", "performance", "userspace"]):
        sys_file("devices/system/cpu/cpu{}/cpufreq/scaling_governor".format(cpu), governor)
    before = environment.read_conditions()
    sys_file("devices/system/cpu/cpu1/cpufreq/scaling_governor", "powersave")
    assert heat_and_governor(before)[1] == ("performance", "performance, powersave")
    assert environment.describe(1, 1, {})["governor"] == "performance, powersave"
