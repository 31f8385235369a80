"""The steps that are timed train, and report what they ran; tuned variants are the same function."""

import inspect
import json
import os
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pytorch_helpers import NET, make_context, small_data
from twins import check_option, check_training, losses_of

from runners.contract import BATCH_SIZE, OptionUnavailable
from runners.parent.jobs import RUNNERS
from runners.pytorch import compat, tuning
from runners.pytorch.densenet import images
from runners.pytorch.densenet.net import DenseNet
from runners.pytorch.densenet.row import prepare, train_to_quality
from runners.registry import framework, load_model


@pytest.mark.parametrize("seed", range(5))
def test_the_loss_falls_within_three_timed_steps(seed):
    """One step of warm-up and three timed ones, as in the smoke profile, pass the gate with every seed."""
    check_training(prepare(make_context(seed=seed)), (1, 3))


def test_the_state_changes_only_when_a_parameter_does():
    """Predicting trains nothing."""
    steps = prepare(make_context())
    before = steps.state()
    answer = steps.predict(steps.predict_batch())
    assert steps.state() == before
    assert answer.shape == (8,)
    assert answer.device.type == "cpu"
    steps.train(steps.train_batch())
    assert steps.state() != before


def test_an_images_prediction_does_not_depend_on_the_others():
    """A prediction uses the running statistics and leaves them alone: alone or together, the answer is the same."""
    steps = prepare(make_context())
    for _ in range(3):
        steps.train(steps.train_batch())
    batch = steps.predict_batch()
    together = steps.predict(batch)
    assert torch.equal(torch.cat([steps.predict(batch[number : number + 1]) for number in range(8)]), together)
    assert torch.equal(steps.predict(batch), together)


def test_what_ran_is_read_from_the_profiler():
    """The execution names a convolution kernel and the memory format of the activations."""
    execution = prepare(make_context()).execution()
    assert "native_batch_norm" in execution["operators"]
    assert any("conv" in name for name in execution["operators"])
    assert execution["memory_format"] == "contiguous"


AFTER_THE_CHECK = """
import json, os, sys
exec(json.load(open(sys.argv[1]))["check"])
before = set(sys.modules)
from pytorch_helpers import make_context
from runners.pytorch.densenet.row import prepare
steps = prepare(make_context())
steps.train(steps.train_batch())
files = {name: getattr(sys.modules[name], "__file__", None) or "" for name in set(sys.modules) - before}
print(json.dumps(sorted(name for name, file in files.items() if "/torch/" in file or "/sympy/" in file)))
"""


def test_a_new_environment_has_byte_code_of_what_a_row_imports():
    """It runs the framework's check once; what a row imported beyond that, each process would compile again."""
    command = [sys.executable, "-c", AFTER_THE_CHECK, os.path.join(RUNNERS, "pytorch", "framework.json")]
    found = subprocess.run(
        command, stdout=subprocess.PIPE, env=dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)), check=True
    )
    assert json.loads(found.stdout.decode()) == []


CPU_OPTIONS = {option.key: option.settings for option in framework("pytorch").options if "cpu" in option.devices}


def variant(settings):
    """A small net with an option's settings, or a skip where this version has no such option."""
    try:
        return tuning.prepare(make_context(), settings)
    except OptionUnavailable as error:
        pytest.skip(str(error))


def test_without_an_option_it_is_the_row_as_written():
    """The same weights, and the same losses."""
    own, plain = prepare(make_context()), variant({}).steps
    assert (plain.state(), plain.details) == (own.state(), own.details)
    assert losses_of(plain) == losses_of(own)


@pytest.mark.parametrize("key", sorted(set(CPU_OPTIONS) - {"compile"}))
def test_a_tuned_variant_is_the_same_function(key):
    """The outputs of the untrained net and the losses of its first steps agree; it trains."""
    check_option(tuning.prepare, make_context(), CPU_OPTIONS[key])


def test_channels_last_is_what_ran():
    """According to the activations."""
    assert variant(CPU_OPTIONS["channels-last"]).steps.execution()["memory_format"] == "channels_last"


@pytest.mark.skipif(not hasattr(torch, "compile"), reason="this PyTorch has no torch.compile")
def test_a_compiled_net_is_called_compiled_only_once_it_ran(monkeypatch):
    """The compiler is asked what it made; a stand-in for it saves the minutes of a C++ compiler."""
    monkeypatch.setattr(torch, "compile", lambda net, compiler=torch.compile: compiler(net, backend="eager"))
    torch._dynamo.utils.counters.clear()
    plain, tuned = variant({}), variant(CPU_OPTIONS["compile"])
    assert not compat.execution()["compiled"]
    assert np.abs(plain.outputs() - tuned.outputs()).max() <= 1e-4 * np.abs(plain.outputs()).max()
    tuned.steps.train(tuned.steps.train_batch())
    execution = tuned.steps.execution()
    assert compat.execution()["compiled"]
    assert execution["memory_format"] is None
    assert "native_batch_norm" in execution["operators"]


def test_an_option_that_a_version_lacks_has_its_reason(monkeypatch):
    """With the version."""
    for name, call in (("compile", compat.compiled), ("channels_last", compat.channels_last)):
        monkeypatch.delattr(torch, name, raising=False)
        with pytest.raises(OptionUnavailable) as caught:
            call(None)
        assert caught.value.reason.key == "option-missing"
        assert caught.value.reason.values["version"] == torch.__version__


def test_details_name_the_linear_inputs_and_the_batch():
    """What the record says of the model is what was built."""
    steps = prepare(make_context())
    assert steps.batch_size == 8
    assert steps.train_batch()[0].shape == (8, 3, 32, 32)
    assert steps.details["linear_inputs"] == 16 * 8 * 8
    net = DenseNet(NET)
    assert steps.parameters == sum(values.numel() for values in net.parameters())


def test_the_batch_size_is_the_published_one_or_the_row_says_why():
    """32 x 24 x 32 takes 16 with a note; smoke takes fewer and is marked as smoke."""
    assert load_model("pytorch", "densenet-24x3").settings["quick"]["batch_size"] == BATCH_SIZE
    row = load_model("pytorch", "densenet-32-24-32")
    assert row.settings["quick"]["batch_size"] == row.settings["full"]["batch_size"] == 16
    assert [note.key for note in row.notes] == ["batch-of-16"]


def test_images_are_scaled_mirrored_and_turned_to_channels_first():
    """0 and 255 become -1 and 1; a marked image is mirrored; the stored one stays as it was."""
    stored = np.zeros((2, 32, 32, 3), np.uint8)
    stored[:, 4, 0] = (255, 0, 255)
    kept = stored.copy()
    tensor = images.to_tensor(stored, np.array([False, True]))
    assert tensor.shape == (2, 3, 32, 32)
    assert tensor.dtype == torch.float32
    assert tensor[0, :, 4, 0].tolist() == [1, -1, 1]
    assert tensor[1, :, 4, 31].tolist() == [1, -1, 1]
    assert float(tensor.sum()) == 2 * (2 - (3 * 1024 - 2))
    assert (stored == kept).all()


def test_an_epochs_order_follows_from_seed_and_epoch():
    """Every image once; the same again when asked again; another with another epoch or seed."""
    order, flipped = images.epoch_order(100, 1, 0)
    assert sorted(order.tolist()) == list(range(100))
    assert 20 < flipped.sum() < 80
    assert (order == images.epoch_order(100, 1, 0)[0]).all()
    assert (order != images.epoch_order(100, 1, 1)[0]).any()
    assert (order != images.epoch_order(100, 2, 0)[0]).any()


@pytest.mark.parametrize(
    ("profile", "reason"),
    [
        ("smoke", ("full-profile-only", {})),
        ("quick", ("full-profile-only", {})),
        ("full", ("too-slow-on-cpu", {"batches": 2})),
    ],
)
def test_an_accuracy_that_is_not_measured_has_its_reason(profile, reason):
    """Only the full profile trains, and not on a CPU, where it would take days."""
    settings = load_model("pytorch", "densenet-24x3").settings[profile]
    quality = train_to_quality(make_context(settings, data=small_data(train=33)))
    assert (quality.scores, quality.reason) == ([], reason)


def test_the_fused_adam_is_the_usual_one():
    """Ten updates from the same gradients; tuning takes one for the other, and its comparison sees no update."""
    if "fused" not in inspect.signature(torch.optim.Adam).parameters:
        pytest.skip("PyTorch {} has no fused Adam".format(torch.__version__))
    generator = torch.Generator().manual_seed(1)
    gradients = [torch.randn(1000, generator=generator) for _ in range(10)]
    found = []
    for fused in (False, True):
        weights = torch.nn.Parameter(torch.linspace(-1, 1, 1000))
        optimizer = compat.adam([weights], 1e-3, fused=fused)
        for gradient in gradients:
            weights.grad = gradient.clone()
            optimizer.step()
        found.append(weights.detach())
    assert not torch.equal(found[0], torch.linspace(-1, 1, 1000))
    assert torch.allclose(*found, rtol=0, atol=1e-6)
