"""A device must prove that its synchronization waits for the work."""

import pytest

from runners.contract import RowError, Steps
from runners.worker import synchronization


class Device:
    """A device with a clock of its own: starting a step takes ``launch_s``, the work itself ``work_s``."""

    def __init__(self, work_s, launch_s=0.0001, waits=True, queue=None, reading_waits=True, pace=lambda now: 1.0):
        self.now = self.done = 0.0
        self.pace = pace
        self.work_s, self.launch_s, self.waits = work_s, launch_s, waits
        self.queue, self.reading_waits = queue, reading_waits

    def train(self, batch):
        self.now += self.launch_s
        self.done = max(self.done, self.now) + self.work_s * self.pace(self.now)
        if self.queue is not None:  # a full queue makes the next start wait
            self.now = max(self.now, self.done - self.queue * self.work_s)

    def wait(self):
        self.now = max(self.now, self.done)

    def read_loss(self, answer):
        if self.reading_waits:
            self.wait()
        return 0.5

    def prove(self):
        steps = Steps(
            train=self.train,
            train_batch=lambda: None,
            read_loss=self.read_loss,
            predict=None,
            predict_batch=None,
            state=None,
            parameters=1,
        )
        synchronize = self.wait if self.waits else (lambda: None)
        return synchronization.prove(steps, synchronize, clock=lambda: self.now)


@pytest.mark.parametrize("work_s", [0.0002, 0.003, 0.01, 0.3])
def test_a_device_that_waits_passes(work_s):
    """Whatever a step takes."""
    Device(work_s).prove()


@pytest.mark.parametrize("share", [0.5, 0.6])
def test_a_moment_at_a_higher_clock_changes_nothing(share):
    """It makes the shortest time of k steps too short, but no more than one of ten pairs."""
    Device(0.007, pace=lambda now: share if now % 0.071 < 0.014 else 1.0).prove()


def test_a_disturbed_attempt_is_repeated():
    """During the first one the device becomes slower and slower, so that 2k steps always take too long."""
    device = Device(0.007, pace=lambda now: 1.0 + 8 * max(now - 0.5, 0.0) if now < 5.0 else 1.0)
    device.prove()
    assert device.now > 5.0


def test_a_cost_of_every_probe_makes_the_probes_longer():
    """Waking threads takes as long as k steps: 2k take 1.5 times as long, 4k 1.7 times as long as 2k."""
    device = Device(0.007)
    wait = device.wait
    device.wait = lambda: (wait(), setattr(device, "now", device.now + 0.010))
    device.read_loss = lambda answer: 0.5
    device.prove()


@pytest.mark.parametrize(
    ("work_s", "launch_s"), [(4.0, 0.003), (0.3, 0.003), (0.01, 0.003), (0.003, 0.001), (0.001, 0.0001)]
)
@pytest.mark.parametrize("queue", [None, 3])
def test_a_device_that_returns_at_once_fails(work_s, launch_s, queue):
    """Even where its queue is short, so that starting many steps takes about as long as their work."""
    with pytest.raises(RowError) as error:
        Device(work_s, launch_s, waits=False, queue=queue).prove()
    assert error.value.reason.key == "not-synchronized"
    assert error.value.reason.values["ratio"] > synchronization.LARGEST_RATIO


def test_a_device_whose_every_call_returns_at_once_fails():
    """If not even reading the loss waits, thousands of steps take no time."""
    with pytest.raises(RowError, match="not-synchronized"):
        Device(0.01, launch_s=0.000001, waits=False, reading_waits=False).prove()


def test_twice_the_work_in_the_same_time_fails():
    """A step whose time does not depend on its number was not measured."""
    device = Device(0.0, reading_waits=False)
    device.wait = lambda: setattr(device, "now", device.now + 0.05)
    with pytest.raises(RowError) as error:
        device.prove()
    assert error.value.reason.values["ratio"] < synchronization.LEAST_RATIO


def test_long_steps_are_proven_with_few_of_them():
    """Ten pairs of a step of 4 s would take three minutes; one step is enough."""
    device = Device(4.0)
    device.prove()
    assert device.now == pytest.approx(4.0, rel=0.01)


def test_a_long_step_that_is_half_done_fails():
    """Synchronization returns after two of its four seconds, and reading the loss takes the others."""
    device = Device(4.0)
    finish = device.wait
    device.read_loss = lambda answer: finish() or 0.5
    device.wait = lambda: setattr(device, "now", max(device.now, device.done - 2.0))
    with pytest.raises(RowError, match="not-synchronized"):
        device.prove()
