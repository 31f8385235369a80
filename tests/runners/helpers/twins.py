"""What the tests of the twins share: data, contexts, and what holds in every framework."""

import json
import os

import numpy as np
import pytest

from runners import registry
from runners.contract import Context, OptionUnavailable
from runners.data import airline, household
from runners.data.cifar10 import Cifar10
from runners.data.source import Source
from runners.registry import load_model
from runners.worker.gate import reason_not_training

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
LSTM = {"units": 4, "epochs": 20, "learning_rate": 5e-3, "amplitudes": [1.0], "seeds": 2, "timing_learning_rate": 1e-4}
BILSTM = {
    "units": 3,
    "epochs": 2,
    "learning_rate": 1e-2,
    "train_minutes": 600,
    "test_minutes": 100,
    "timing_learning_rate": 1e-4,
}


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


def make_context(framework, key, backend, **changes):
    """A context of a row of either net on the CPU, with a small net on small data."""
    model = load_model(framework, key)
    settings, data = (LSTM, airline.load()) if model.dataset == "airline" else (BILSTM, made_up())
    return Context(backend, model, "cpu", "smoke", dict(settings, **changes), 0, data, lambda *progress: None, None)


def check_steps(steps):
    """A batch of 32 from host memory, answers back in host memory, a loss that falls, parameters that change."""
    inputs, targets = steps.train_batch()
    assert (tuple(inputs.shape)[::2], tuple(targets.shape), steps.batch_size) == ((32, 1), (32, 1), 32)
    assert np.asarray(steps.predict(steps.predict_batch())).shape == (32, 1)
    before = steps.state()
    losses = [steps.read_loss(steps.train(steps.train_batch())) for _ in range(60)]
    assert reason_not_training(losses[3:], steps.iterative, before, steps.state()) is None


def options_of(framework):
    """(key, settings) of the options that LSTM rows are tuned by on the CPU."""
    return [
        (option.key, option.settings)
        for option in registry.framework(framework).options
        if "cpu" in option.devices and (not option.datasets or "airline" in option.datasets)
    ]


def check_option(prepare, context, settings):
    """A variant trains, and the untrained net's answers are those of the row as written; a version may lack it."""
    try:
        variant = prepare(context, settings)
    except OptionUnavailable as error:
        pytest.skip(str(error))
    wanted = prepare(context, {}).outputs()
    assert wanted.shape == (32,)
    assert np.abs(variant.outputs() - wanted).max() <= 1e-4 * np.abs(wanted).max()
    check_steps(variant.steps)


def check_proof(found):
    """The net is the described one, in both precisions."""
    assert found["same"], found
    assert [one["precision"] for one in found["precisions"]] == ["float64", "float32"]


def quantity(found):
    """What gave a net away."""
    assert not found["same"]
    return found["reason"].values["quantity"]


def check_gate_order(monkeypatch, module, prove):
    """A net built by ``module.build`` with forget gate and candidate exchanged is refused by its outputs."""
    build = module.build

    def swapped(values):
        one, two, three, four = np.split(values, 4, axis=-1)
        return np.concatenate([one, three, two, four], axis=-1)

    def exchanged(given):
        if not isinstance(given, dict):
            return given
        return {name: swapped(values) if name.startswith("lstm") else values for name, values in given.items()}

    monkeypatch.setattr(module, "build", lambda *given: build(*map(exchanged, given)))
    assert quantity(prove()) == "outputs"


def check_quality(implementation, context):
    """Trained and scored under the row's protocol, every seed's loss lower than before, twice the same."""
    quality, again = (implementation.train_to_quality(context) for _ in range(2))
    assert quality.protocol == "one-step"
    assert quality.history["loss"][-1] < quality.history["loss"][0]
    assert quality.forecasts == again.forecasts
    check_by_seed(quality)
    return quality


def check_by_seed(quality):
    """The report knows every field: it refuses a record with another one."""
    with open(os.path.join(ROOT, "report", "schema", "result.schema.json"), encoding="utf-8") as file:
        known = json.load(file)["$defs"]["SeedScore"]["properties"]
    assert quality.by_seed
    assert all(set(one) <= set(known) for one in quality.by_seed)


DENSENET = {"blocks": [1, 1], "compression": 0.5, "growth": 4, "timing_learning_rate": 1e-4, "batch_size": 8}


def make_densenet_context(framework, key, backend):
    """A context of a small DenseNet on a few made-up images."""
    random = np.random.RandomState(0)
    part = random.randint(0, 255, (40, 32, 32, 3)).astype(np.uint8), (np.arange(40) % 10).astype(np.uint8)
    data = Cifar10(*(part + part), source=Source("cifar10", "made for a test", "0" * 64))
    model = load_model(framework, key)
    return Context(backend, model, "cpu", "smoke", DENSENET, 1, data, lambda *progress: None, None)


def check_densenet_steps(steps):
    """Loss falls, parameters change, and a prediction is a class per image."""
    before = steps.state()
    losses = [steps.read_loss(steps.train(steps.train_batch())) for _ in range(4)]
    assert losses[-1] < losses[0]
    assert steps.state() != before
    assert np.asarray(steps.predict(steps.predict_batch())).shape == (8,)
