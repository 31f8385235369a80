"""The steps that are timed really train, and say what they ran."""

import inspect

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pytorch_helpers import NET, make_context, small_data

from runners.contract import BATCH_SIZE, OptionUnavailable
from runners.worker.gate import reason_not_training
from runners.pytorch import compat, images, tuning
from runners.pytorch.steps import prepare
from runners.registry import load_model


@pytest.mark.parametrize("seed", range(5))
def test_the_loss_falls_within_three_timed_steps(seed):
    """One step of warm-up and three timed ones, as in the smoke profile, pass the gate with every seed."""
    steps = prepare(make_context(dict(NET, batch_size=8), seed=seed))
    before, losses = steps.state(), []
    for _ in range(4):
        losses.append(steps.read_loss(steps.train(steps.train_batch())))
    assert reason_not_training(losses[1:], steps.iterative, before, steps.state()) is None


def test_the_state_changes_only_when_a_parameter_does():
    """Predicting trains nothing."""
    steps = prepare(make_context(dict(NET, batch_size=4)))
    before = steps.state()
    answer = steps.predict(steps.predict_batch())
    assert steps.state() == before
    assert answer.shape == (4,)
    assert answer.device.type == "cpu"
    steps.train(steps.train_batch())
    assert steps.state() != before


def test_an_images_prediction_does_not_depend_on_the_others():
    """A prediction uses the running statistics and leaves them alone: alone or together, the answer is the same."""
    steps = prepare(make_context(dict(NET, batch_size=8)))
    for _ in range(3):
        steps.train(steps.train_batch())
    batch = steps.predict_batch()
    together = steps.predict(batch)
    assert torch.equal(torch.cat([steps.predict(batch[number : number + 1]) for number in range(8)]), together)
    assert torch.equal(steps.predict(batch), together)


def test_what_ran_is_told_from_the_profiler():
    """The kernel path names a convolution kernel and the memory format of the activations."""
    context = make_context(dict(NET, batch_size=4))
    prepare(context)
    path = context.backend.kernel_path()
    assert "native_batch_norm" in path["operators"]
    assert any("convolution" in name or "conv" in name for name in path["operators"])
    assert path["memory_format"] == "contiguous"
    assert path["threads"] == 1


CPU_OPTIONS = {option.key: option.settings for option in tuning.options("cpu", 1, 1)}


def prepared(settings):
    """Steps of a small net with the settings laid over its own, or a skip where this version has no such option."""
    try:
        context = make_context(dict(NET, batch_size=8), seed=1)
        return context, prepare(context._replace(settings=dict(context.settings, **settings)))
    except OptionUnavailable as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("key", sorted(set(CPU_OPTIONS) - {"compile"}))
def test_a_tuned_variant_is_the_same_function(key):
    """The outputs of the untrained net and the losses of its first steps agree; it trains."""
    plain, tuned = prepared({})[1], prepared(CPU_OPTIONS[key])[1]
    assert np.abs(plain.outputs() - tuned.outputs()).max() <= 1e-4 * np.abs(plain.outputs()).max()
    before = tuned.state()
    for _ in range(3):
        losses = [steps.read_loss(steps.train(steps.train_batch())) for steps in (plain, tuned)]
        assert losses[1] == pytest.approx(losses[0], rel=1e-3)
    assert tuned.state() != before


def test_channels_last_is_what_ran():
    """Told from the activations."""
    context = prepared(CPU_OPTIONS["channels-last"])[0]
    assert context.backend.kernel_path()["memory_format"] == "channels_last"


@pytest.mark.skipif(not hasattr(torch, "compile"), reason="this PyTorch has no torch.compile")
def test_a_compiled_net_is_called_compiled_only_once_it_ran(monkeypatch):
    """The kernel path asks the compiler what it made; a stand-in for it spares the minutes of a C++ compiler."""
    monkeypatch.setattr(torch, "compile", lambda net, compiler=torch.compile: compiler(net, backend="eager"))
    torch._dynamo.utils.counters.clear()
    plain = prepared({})[1]
    context, steps = prepared(CPU_OPTIONS["compile"])
    assert compat.compiled_graphs() == 0
    assert np.abs(plain.outputs() - steps.outputs()).max() <= 1e-4 * np.abs(plain.outputs()).max()
    steps.train(steps.train_batch())
    path = context.backend.kernel_path()
    assert (path["compiled"], path["memory_format"]) == (True, None)
    assert "native_batch_norm" in path["operators"]


def test_an_option_that_a_version_lacks_is_named(monkeypatch):
    """With the version, so that a reader knows why."""
    for name, call in (("compile", compat.compiled), ("channels_last", compat.channels_last)):
        monkeypatch.delattr(torch, name, raising=False)
        with pytest.raises(OptionUnavailable, match=r"PyTorch .* has no "):
            call(None)


def test_details_name_the_linear_inputs_and_the_batch():
    """What the record says of the model is what was built."""
    steps = prepare(make_context(dict(NET, batch_size=4)))
    assert steps.batch_size == 4
    assert steps.train_batch()[0].shape == (4, 3, 32, 32)
    assert steps.details["linear_inputs"] == 16 * 8 * 8
    assert steps.parameters == sum(values.numel() for values in _net_parameters())


def _net_parameters():
    from runners.pytorch.densenet import DenseNet

    return list(DenseNet(NET["blocks"], NET["compression"], NET["growth"]).parameters())


def test_the_batch_size_is_the_published_one_or_the_row_says_why():
    """32 x 24 x 32 takes 16 with a note; smoke takes less and is marked as smoke."""
    assert load_model("pytorch", "densenet-24x3").settings["quick"]["batch_size"] == BATCH_SIZE
    row = load_model("pytorch", "densenet-32-24-32")
    assert row.settings["quick"]["batch_size"] == row.settings["full"]["batch_size"] == 16
    context = make_context(row.settings["quick"])
    assert any("batches of 16" in note for note in row.train_to_quality(context).notes)


def test_batchare_scaled_mirrored_and_turned_to_channels_first():
    """0 and 255 become -1 and 1; a marked image is its mirror image; the stored one stays as it was."""
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


def test_quick_and_smoke_leave_accuracy_empty_with_a_reason():
    """No accuracy without the full profile, and none of a CPU in days."""
    for key in ("densenet-24x3", "densenet-32-24-32"):
        row = load_model("pytorch", key)
        for profile, said in (("smoke", "full profile"), ("quick", "full profile"), ("full", "2 training steps")):
            context = make_context(row.settings[profile], data=small_data(train=33 if key == "densenet-24x3" else 17))
            quality = row.train_to_quality(context)
            assert quality.scores == []
            assert said in quality.reason


def test_the_fused_adam_is_the_usual_one():
    """Ten updates from the same gradients; tuning takes one for the other, and its comparison sees no update."""
    if "fused" not in inspect.signature(torch.optim.Adam).parameters:
        pytest.skip("PyTorch {} has no fused Adam".format(torch.__version__))
    generator = torch.Generator().manual_seed(1)
    gradients = [torch.randn(1000, generator=generator) for _ in range(10)]
    found = []
    for fused in (False, True):
        weights = torch.nn.Parameter(torch.linspace(-1, 1, 1000))
        optimizer = compat.adam([weights], 1e-3, fused)
        for gradient in gradients:
            weights.grad = gradient.clone()
            optimizer.step()
        found.append(weights.detach())
    assert not torch.equal(found[0], torch.linspace(-1, 1, 1000))
    assert torch.allclose(*found, rtol=0, atol=1e-6)
