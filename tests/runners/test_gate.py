"""A time counts only if the model was really training."""

from runners.worker.gate import reason_not_timed, reason_not_training


def test_a_falling_loss_and_changed_parameters_count():
    """The usual case gives no reason."""
    assert reason_not_training([3.0, 2.5, 2.4, 2.0], True, b"before", b"after") is None


def test_a_loss_that_is_not_finite_does_not_count():
    """A diverged model is not training."""
    assert reason_not_training([3.0, float("nan")], True, b"before", b"after") == "the training loss was not finite"


def test_parameters_that_stay_do_not_count():
    """A step that updates nothing is not training."""
    reason = reason_not_training([3.0, 2.0, 1.0], True, b"same", b"same")
    assert reason == "training did not change the model's parameters"


def test_a_rising_loss_does_not_count():
    """The reason holds the figures."""
    reason = reason_not_training([1.0, 1.0, 2.0], True, b"before", b"after")
    assert reason == "the training loss did not fall over the timed steps (1 at first, 2 at last)"


def test_a_model_in_closed_form_need_not_improve_on_itself():
    """A second least-squares fit gives the same loss and the same coefficients."""
    assert reason_not_training([0.5, 0.5], False, b"same", b"same") is None


def test_times_that_do_not_count_may_not_be_used():
    """A row that failed, and one whose loss did not fall, each with its reason."""
    phases = {name: {"reason": None} for name in ("train", "predict")}
    assert reason_not_timed({"status": "ok", "timing": phases}) is None
    assert reason_not_timed({"status": "timeout", "reason": "too long", "timing": None}) == "too long"
    phases["train"]["reason"] = "the loss does not fall"
    assert reason_not_timed({"status": "ok", "timing": phases}) == "the loss does not fall"


def test_no_timed_step_is_no_training():
    """Nothing measured, nothing counted."""
    assert reason_not_training([], True, b"before", b"after") == "the training loss was not finite"
