"""A training continues after a kill as if nothing had happened, stops when it should, and reports what it did."""

import os
import signal
import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")

from pytorch_helpers import TRAINING, make_context
from twins import check_by_seed

from runners.contract import RowError
from runners.pytorch.densenet.row import train_to_quality
from runners.pytorch.densenet.training import Training


class Killed(Exception):
    """Stands for the process's end in the middle of a step."""


def run(folder, settings=TRAINING, kill_after=None, seed=1):
    """(losses of the steps that ran, the training), from the checkpoint if there is one."""
    losses = []

    def progress(phase, done, total):
        if phase != "test set":
            losses.append(training._done.losses[-1])
            if len(losses) == kill_after:
                raise Killed

    training = Training(make_context(settings, folder, seed=seed, progress=progress))
    training.restore()
    try:
        while not training.is_finished():
            training.run_epoch()
    except Killed:
        pass
    return losses, training


def without_seconds(history):
    return {key: values for key, values in history.items() if key != "seconds"}


@pytest.mark.parametrize("kill_after", [1, 4, 5, 7, 13])
def test_a_killed_training_continues_identically(tmp_path, kill_after):
    """Killed before, at and after a checkpoint, within any epoch: loss for loss and bit for bit the same."""
    whole, uninterrupted = run(tmp_path / "whole")
    before, _ = run(tmp_path / "killed", kill_after=kill_after)
    after, resumed = run(tmp_path / "killed")
    assert len(whole) == 15
    assert before == whole[:kill_after]
    assert after == whole[len(whole) - len(after) :]
    assert without_seconds(resumed.history) == without_seconds(uninterrupted.history)
    mine, other = uninterrupted._net.state_dict(), resumed._net.state_dict()
    assert all(torch.equal(mine[name], other[name]) for name in mine)


def test_a_process_killed_outright_leaves_a_checkpoint_that_goes_on(tmp_path):
    """SIGKILL in the middle of writing a checkpoint leaves the one before it whole."""
    program = (
        "import os, signal, sys\n"
        "sys.path.insert(0, {!r})\n"
        "from pytorch_helpers import TRAINING, make_context\n"
        "from runners.pytorch.densenet import row, training\n"
        "saves, save = [], training.torch.save\n"
        "def dies_at_the_third(state, file):\n"
        "    saves.append(1)\n"
        "    if len(saves) == 3:\n"
        "        file.write(b'half a checkpoint'); file.flush()\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    save(state, file)\n"
        "training.torch.save = dies_at_the_third\n"
        "row.train_to_quality(make_context(TRAINING, sys.argv[1]))\n"
    ).format(os.path.dirname(os.path.abspath(__file__)))
    killed = subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "killed")])
    assert killed.wait(300) == -signal.SIGKILL
    whole, uninterrupted = run(tmp_path / "whole")
    after, resumed = run(tmp_path / "killed")
    assert after == whole[4:]  # the second checkpoint was after step 4
    assert without_seconds(resumed.history) == without_seconds(uninterrupted.history)


def test_another_seed_or_setting_starts_afresh_and_spoils_nothing(tmp_path):
    """A checkpoint belongs to one training; another leaves it alone."""
    run(tmp_path, kill_after=7)
    files = {name: (tmp_path / name).read_bytes() for name in os.listdir(str(tmp_path))}
    assert len(run(tmp_path, seed=2)[0]) == 15
    assert len(run(tmp_path, settings=dict(TRAINING, learning_rate=1e-4))[0]) == 15
    assert all((tmp_path / name).read_bytes() == content for name, content in files.items())
    assert len(run(tmp_path)[0]) == 10  # from the end of the first epoch


def test_more_epochs_go_on_from_the_finished_ones(tmp_path):
    """The number of epochs does not change the course: three and then five are five."""
    five, _ = run(tmp_path / "five", settings=dict(TRAINING, epochs=5))
    three, _ = run(tmp_path / "then", settings=TRAINING)
    two, _ = run(tmp_path / "then", settings=dict(TRAINING, epochs=5))
    assert three + two == five


def test_a_broken_checkpoint_is_named_and_kept(tmp_path):
    """The file may be worth hours, so nothing is deleted."""
    run(tmp_path, kill_after=5)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(RowError) as caught:
        run(tmp_path)
    assert caught.value.reason == ("checkpoint-damaged", {"file": "{}/{}".format(tmp_path.name, path.name)})
    assert path.exists()


def test_training_stops_at_the_target(tmp_path):
    """The first epoch at the target accuracy is the last."""
    quality = train_to_quality(make_context(dict(TRAINING, target_accuracy=0.0), tmp_path))
    assert quality.epochs == 1
    assert len(quality.history["loss"]) == 1
    assert quality.by_seed[0]["seconds"] > 0
    check_by_seed(quality)
    (note,) = quality.notes
    assert (note.key, note.values["epochs"], note.values["target"]) == ("trained-to-target", 1, 0.0)


def test_training_stops_at_its_epochs_and_reports_the_last(tmp_path):
    """Where the target is out of reach, accuracy is the last epoch's, not the best one's."""
    quality = train_to_quality(make_context(dict(TRAINING, target_accuracy=1.1), tmp_path))
    assert quality.epochs == 3
    assert (quality.protocol, quality.loss_metric, quality.accuracy_metric) == ("held-out", "cross-entropy", "top-1")
    assert quality.scores[0].accuracy == quality.history["held_out_accuracy"][-1]
    assert quality.scores[0].note == ("test-images", {"images": 20})
    assert quality.test_seconds > 0
    (note,) = quality.notes
    assert (note.key, note.values["target"]) == ("trained-without-target", 1.1)


def test_the_net_learns_what_can_be_learned():
    """Ten brightnesses in noise: the same code path gets far above chance."""
    quality = train_to_quality(make_context(dict(TRAINING, epochs=25, learning_rate=3e-3)))
    assert quality.history["loss"][-1] < quality.history["loss"][0] / 2
    assert quality.scores[0].accuracy >= 0.4


def test_a_loss_that_is_no_number_fails_with_epoch_and_batch():
    """A diverged training is an error, not an accuracy."""
    with pytest.raises(RowError) as caught:
        train_to_quality(make_context(dict(TRAINING, learning_rate=1e30)))
    reason = caught.value.reason
    assert (reason.key, reason.values["epoch"], reason.values["learning_rate"]) == ("loss-diverged", 1, 1e30)


def test_the_subset_is_drawn_by_the_seed():
    """A stated part is a part: so many images, from all classes, none twice."""
    training = Training(make_context(dict(TRAINING, train_images=30, test_images=10)))
    assert len(training._train[1]) == 30
    assert len(set(training._train[1].tolist())) > 7
    assert len(training._test[1]) == 10
