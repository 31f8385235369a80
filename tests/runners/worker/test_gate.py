"""A time is reported only if the model actually trained."""

import pytest

from runners.worker.gate import reason_not_training


@pytest.mark.parametrize(
    ("losses", "iterative", "after", "expected"),
    [
        ([3.0, 2.5, 2.4, 2.0], True, b"after", None),
        ([3.0, float("nan")], True, b"after", ("loss-not-finite", {})),
        ([], True, b"after", ("loss-not-finite", {})),
        ([3.0, 2.0, 1.0], True, b"before", ("parameters-unchanged", {})),
        ([1.0, 1.0, 2.0], True, b"after", ("loss-not-falling", {"first": 1.0, "last": 2.0})),
        ([0.5, 0.5], False, b"before", None),
    ],
)
def test_training_is_valid_if_the_loss_is_finite_and_falls_and_the_parameters_change(
    losses, iterative, after, expected
):
    """A model in closed form need not improve: its second fit gives the same loss and coefficients."""
    reason = reason_not_training(losses, iterative, b"before", after)
    assert reason == expected
