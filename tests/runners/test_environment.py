"""What the machine says of itself."""

import sys

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
        import pytest

        pytest.skip("this kernel does not let a process reset its peak (/proc/self/clear_refs)")
    low = environment.Resident.peak()
    block = bytearray(64 << 20)
    for index in range(0, len(block), 4096):
        block[index] = 1
    assert 60 << 20 <= environment.Resident.peak() - low <= 80 << 20


def test_threads_are_at_most_the_processors_this_process_may_use():
    """One a physical core."""
    import os

    assert 1 <= environment.default_threads() <= len(os.sched_getaffinity(0))
