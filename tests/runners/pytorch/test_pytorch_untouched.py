"""Nothing is added to what is measured."""

import pytest
import untouched

pytest.importorskip("torch")

SETTINGS = """
import torch
deterministic = getattr(torch, "are_deterministic_algorithms_enabled", lambda: False)()
found = [torch.get_num_threads(), torch.is_grad_enabled(), torch.backends.cudnn.benchmark,
         torch.backends.cudnn.deterministic, deterministic]
"""
ROW = (
    """
before = facts()
from pytorch_helpers import TRAINING, make_context
from runners.pytorch.densenet import row
context = make_context(TRAINING)
steps = row.prepare(context)
steps.train(steps.train_batch())
"""
    + SETTINGS
    + "print(json.dumps([before, facts(), found]))"
)


def test_a_row_leaves_its_process_and_pytorch_as_they_were():
    """Variables, processors, priority, allocator, threads, determinism: those of a script that only imports torch."""
    before, after, found = untouched.run(ROW)
    assert untouched.changed(before.pop("variables"), after["variables"]) == {}
    assert before == {name: after[name] for name in before}
    assert after["adapts"]
    assert found == untouched.run("import torch\ntorch.set_num_threads(1)\n" + SETTINGS + "print(json.dumps(found))")
