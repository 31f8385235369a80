"""Peaks of resident memory agree with what others see of the same process."""

import pytest

pytest.importorskip("numpy")

from hungry import BLOCK
from outside import maximum_resident, memory_group, memory_of, waited_for, worker

from runners.contract import Rule

HUNGRY = worker("helpers/hungry.py")
RULE = Rule(min_warmup=1, warmup_s=0, min_samples=3, max_samples=3, min_time_s=0, budget_s=0)
WITHIN = 0.05


def test_a_step_s_block_is_the_peak_above_what_was_there_before():
    """300 MB, touched and freed in each step."""
    memory, _ = memory_of(HUNGRY, RULE)
    assert memory["peak_resident_bytes"] - memory["resident_before_bytes"] == pytest.approx(BLOCK, rel=WITHIN)


@pytest.mark.parametrize("waiter", ["time", "wait4"])
def test_the_peak_is_what_the_waiting_process_is_told(tmp_path, waiter):
    """By /usr/bin/time, and by wait4 itself."""
    path = tmp_path / "usage"
    memory, _ = memory_of(waited_for(waiter, path, HUNGRY), RULE)
    assert memory["peak_resident_bytes"] == pytest.approx(maximum_resident(path), rel=WITHIN)


def test_the_peak_is_that_of_a_control_group_around_the_process(request):
    """The group's account is of the pages charged to it, whether or not a process maps them."""
    group = memory_group(request)
    memory, files = memory_of(group.around(HUNGRY), RULE)
    assert group.agrees(memory["peak_resident_bytes"] - files, WITHIN)
