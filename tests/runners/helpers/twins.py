"""What the tests of the described nets share: small data, and the tests that every framework's class inherits."""

import json
import os
from importlib import import_module

import numpy as np
import pytest
import untouched

from runners import registry
from runners.contract import Context, OptionUnavailable
from runners.data import airline, household
from runners.data.cifar10 import Cifar10
from runners.data.source import Source
from runners.nets import implementation, sameness
from runners.registry import load_model
from runners.worker.gate import reason_not_training

LSTM = {"units": 4, "epochs": 20, "learning_rate": 5e-3, "amplitudes": [1.0], "seeds": 2, "timing_learning_rate": 1e-4}
BILSTM = {
    "units": 3,
    "epochs": 2,
    "learning_rate": 1e-2,
    "train_minutes": 600,
    "test_minutes": 100,
    "timing_learning_rate": 1e-4,
}
DENSENET = {"blocks": [1, 1], "compression": 0.5, "growth": 4, "timing_learning_rate": 1e-4, "batch_size": 8}
PARAMETERS = {  # one bias per gate: 4 (u (i + u) + u) for each layer and direction, and the output layer
    "lstm": 4 * (4 * (1 + 4) + 4) + 4 * (4 * (4 + 4) + 4) + 4 + 1,
    "bilstm": 2 * 4 * (3 * (1 + 3) + 3) + 2 * 4 * (3 * (6 + 3) + 3) + 6 + 1,
}
BOTH = ("float64", "float32")
LSTMS = pytest.mark.parametrize("net", ["lstm", "bilstm"])


def made_up(minutes=1000):
    """A small series in place of household electricity: an AR(1) about 0.3, on the scale 0..1."""
    random = np.random.RandomState(0)
    values = [0.3]
    for _ in range(1, minutes):
        values.append(0.03 + 0.9 * values[-1] + 0.02 * random.randn())
    scaled = np.asarray(values, np.float32)
    split = int(minutes * 0.7)
    source = Source("household", "made up for a test", "0" * 64, synthetic=True)
    return household.Household(scaled, scaled[:split], scaled[split:], source)


def few_images():
    """Forty random images in place of CIFAR-10's, for training and test."""
    random = np.random.RandomState(0)
    part = random.randint(0, 255, (40, 32, 32, 3)).astype(np.uint8), (np.arange(40) % 10).astype(np.uint8)
    return Cifar10(*(part + part), source=Source("cifar10", "made for a test", "0" * 64))


SMALL = {"airline": (LSTM, airline.load), "household": (BILSTM, made_up), "cifar10": (DENSENET, few_images)}


def make_context(framework, key, backend, **changes):
    """A context of a row on the CPU, with a small net on small data."""
    model = load_model(framework, key)
    settings, load = SMALL[model.dataset]
    return Context(backend, model, "cpu", "smoke", dict(settings, **changes), 1, load(), lambda *progress: None)


class LstmNets:
    """Tests of a framework's LSTM nets. The subclass names the framework; its module has the fixture ``backend``."""

    framework = ""

    def model(self, net):
        """The framework's row that has the net of this published row."""
        twins = registry.framework(self.framework).twins
        return load_model(self.framework, next((key for key, published in twins.items() if published == net), net))

    def row(self, backend, net, **changes):
        """The row's implementation, and a context for it."""
        model = self.model(net)
        return import_module(model.implementation), make_context(self.framework, model.key, backend, **changes)

    def refused_by(self, backend, net):
        """The quantity that gave a net away."""
        row, context = self.row(backend, net)
        return quantity(row.prove(context))

    @LSTMS
    def test_it_is_the_described_net(self, backend, net):
        """Outputs, loss, every gradient, a step of every parameter and ten losses are NumPy's."""
        row, context = self.row(backend, net)
        check_proof(row.prove(context))

    @LSTMS
    def test_the_timed_steps_really_train(self, backend, net):
        """On 32 real windows from host memory, answers back in host memory; all parameters that the description has."""
        row, context = self.row(backend, net)
        steps = row.prepare(context)
        inputs, targets = steps.train_batch()
        assert (tuple(inputs.shape)[::2], tuple(targets.shape), steps.batch_size) == ((32, 1), (32, 1), 32)
        assert np.asarray(steps.predict(steps.predict_batch())).shape == (32, 1)
        check_training(steps, (3, 6), (3, 10), (20, 10), (3, 57))
        assert steps.parameters == PARAMETERS[net]

    @LSTMS
    def test_it_trains_to_quality(self, backend, net):
        """With the loops and scores of every framework: the loss falls, and a second time gives the same forecasts."""
        row, context = self.row(backend, net)
        quality, again = (row.train_to_quality(context) for _ in range(2))
        assert quality.protocol == "one-step"
        assert quality.history["loss"][-1] < quality.history["loss"][0]
        assert quality.forecasts == again.forecasts
        check_by_seed(quality)

    @pytest.mark.usefixtures("in_float64")
    def test_another_order_of_the_gates_is_refused(self, backend, monkeypatch):
        """Forget gate and candidate exchanged, as another library may have them: by the outputs."""
        monkeypatch.setattr(implementation, "prove", prove_with_exchanged_gates)
        assert self.refused_by(backend, "lstm") == "outputs"

    def test_a_row_leaves_its_process_as_it_was(self):
        """In the worker, with real settings: variables, processors, priority, allocator."""
        untouched.check_row(self.framework, self.model("lstm").key)


class AllNets(LstmNets):
    """The same, and tests of a DenseNet that is only timed."""

    densenet_precisions = BOTH

    def test_the_densenet_is_the_described_net(self, backend):
        """A small one on made-up images."""
        row, context = self.row(backend, "densenet-24x3")
        check_proof(row.prove(context), self.densenet_precisions)

    def test_the_densenet_is_timed_and_not_trained(self, backend):
        """Its loss falls and a prediction is a class per image; the reason names the row that is trained instead."""
        row, context = self.row(backend, "densenet-24x3")
        steps = row.prepare(context)
        check_training(steps, (0, 4))
        assert np.asarray(steps.predict(steps.predict_batch())).shape == (8,)
        assert row.train_to_quality(context).reason == ("only-timed", {"row": "densenet-24x3"})


class KerasNets(AllNets):
    """The same in Keras 3 on the backend that the framework is named after: "keras_jax"."""

    densenet_precisions = ("float32",)  # there is no batch norm in float64

    @pytest.fixture
    def backend(self):
        """The CPU, opened before anything imports Keras; single precision again after a proof."""
        yield import_module("runners.{}.backend".format(self.framework)).open_backend("cpu", None)
        from runners.keras_nets import keras3

        keras3.start("float32", import_module(self.model("lstm").implementation).set_precision)

    def test_keras_has_this_backend(self, backend):
        """Not the one of the user's own settings."""
        import keras

        assert "keras_" + keras.backend.backend() == self.framework


def check_gradients(weights, gradients, loss_of, **within):
    """An entry of each gradient is the slope of the loss over a small step to either side."""
    random = np.random.RandomState(0)
    for name, gradient in sorted(gradients.items()):
        place = tuple(random.randint(size) for size in gradient.shape)
        losses = []
        for step in (1e-6, -1e-6):
            moved = dict(weights, **{name: weights[name].copy()})
            moved[name][place] += step
            losses.append(loss_of(moved))
        assert (losses[0] - losses[1]) / 2e-6 == pytest.approx(gradient[place], **within), name


def check_training(steps, *timed):
    """Loss falls and parameters change: the steps pass the gate with each of these numbers of warm-ups and samples."""
    before = steps.state()
    losses = [steps.read_loss(steps.train(steps.train_batch())) for _ in range(max(map(sum, timed)))]
    for warmups, count in timed:
        samples = losses[warmups : warmups + count]
        assert reason_not_training(samples, True, before, steps.state()) is None, (warmups, count)


def options_of(framework):
    """Settings of the options that LSTM rows are tuned by on the CPU."""
    return [
        pytest.param(option.settings, id=option.key)
        for option in registry.framework(framework).options
        if "cpu" in option.devices and (not option.datasets or "airline" in option.datasets)
    ]


def losses_of(steps):
    """Of the first three steps."""
    return [steps.read_loss(steps.train(steps.train_batch())) for _ in range(3)]


def check_option(prepare, context, settings):
    """A variant answers, untrained, and trains as the row as written does; a version may lack it."""
    context.backend.seed(context.seed)
    plain = prepare(context, {})
    context.backend.seed(context.seed)
    try:
        tuned = prepare(context, settings)
    except OptionUnavailable as error:
        pytest.skip(str(error))
    wanted, before = plain.outputs(), tuned.steps.state()
    assert np.abs(tuned.outputs() - wanted).max() <= 1e-4 * np.abs(wanted).max()
    assert losses_of(tuned.steps) == pytest.approx(losses_of(plain.steps), rel=1e-3)
    assert tuned.steps.state() != before


def check_proof(found, precisions=BOTH):
    """The net is the described one, in each of the precisions."""
    assert found["same"], found
    assert tuple(one["precision"] for one in found["precisions"]) == precisions


def quantity(found):
    """What gave a net away."""
    assert not found["same"]
    assert found["reason"].key == "not-the-same-net"
    return found["reason"].values["quantity"]


def prove_with_exchanged_gates(description, open_reference, open_subject, folder):
    """As ``sameness.prove``, of a net whose weights have forget gate and candidate exchanged."""

    def exchanged(values):
        one, two, three, four = np.split(values, 4, axis=-1)
        return np.concatenate([one, three, two, four], axis=-1)

    weights = {
        name: exchanged(values) if name.startswith("lstm") else values for name, values in description.weights.items()
    }
    altered = description._replace(weights=weights)
    return sameness.prove(description, open_reference, lambda _, precision: open_subject(altered, precision), folder)


def check_by_seed(quality):
    """The report knows every field: it refuses a record with another one."""
    with open(os.path.join(untouched.ROOT, "report", "schema", "result.schema.json"), encoding="utf-8") as file:
        known = json.load(file)["$defs"]["SeedScore"]["properties"]
    assert quality.by_seed
    assert all(set(one) <= set(known) for one in quality.by_seed)
