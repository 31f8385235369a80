"""The peak of a real net agrees with what others see of the same process."""

import pytest

pytest.importorskip("torch")

from outside import maximum_resident, memory_group, memory_of, waited_for, worker

from runners.registry import load_model

RULE = load_model("pytorch", "densenet-24x3").rules["smoke"]
WITHIN = 0.05


def test_a_densenet_s_peak_is_what_its_control_group_and_the_waiting_process_are_told(tmp_path, request):
    """The files that are PyTorch itself are mapped, but charged to whoever read them first."""
    path, group = tmp_path / "usage", memory_group(request)
    memory, files = memory_of(group.around(waited_for("wait4", path, worker("pytorch/pytorch_worker.py"))), RULE)
    assert memory["peak_resident_bytes"] == pytest.approx(maximum_resident(path), rel=WITHIN)
    assert group.agrees(memory["peak_resident_bytes"] - files, WITHIN)
