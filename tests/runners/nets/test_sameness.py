"""The described LSTM net, its NumPy reference, and the traps: each is planted in a net and refused."""

import numpy as np
import pytest
from twins import check_gradients, quantity

from runners.nets import adam, lstm, lstm_reference, sameness
from runners.nets.implementation import open_reference
from runners.nets.sameness import Description

UNITS, WINDOW, RATE = 5, 6, 1e-3
PRECISIONS = pytest.mark.parametrize("precision", ["float64", "float32"])


def described(bidirectional=False):
    """A small net and a batch."""
    random = np.random.RandomState(1)
    inputs = random.normal(size=(8, WINDOW, 1)).astype(np.float32)
    targets = random.normal(size=(8, 1)).astype(np.float32)
    weights = lstm.initial_weights(UNITS, bidirectional, 3)
    return Description("lstm", weights, inputs, targets, RATE, {"units": UNITS})


def planted(description, read=dict, gradients=dict, optimizer=None, scale=1.0):
    """A net in NumPy in which a test may change the weights' meaning, the gradients, the optimizer or the loss."""

    def loss_and_gradients(weights, inputs, targets):
        loss, found = lstm_reference.loss_and_gradients(read(weights), inputs, targets)
        return scale * loss, gradients({name: scale * one for name, one in found.items()})

    return sameness.reference(
        description.weights,
        optimizer() if optimizer else adam.Adam(RATE),
        lambda weights, inputs: lstm_reference.run(read(weights), inputs)[0],
        loss_and_gradients,
    )


def prove(description, precisions=("float64", "float32"), **changes):
    """What the record would have of a net with something planted in it, judged in these precisions."""
    tolerances = {name: sameness.TOLERANCES[name] for name in precisions}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sameness, "TOLERANCES", tolerances)
        return sameness.prove(description, open_reference, lambda found, _: planted(found, **changes))


def differences(description, subject):
    """How far a net is from the reference."""
    return sameness.compare(description, sameness.observe(description, open_reference(description)), subject)[0]


@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_gradients_are_those_of_finite_differences(bidirectional):
    """For an entry of every weight, of one direction and of both."""
    description = described(bidirectional)

    def run(weights):
        return lstm_reference.loss_and_gradients(weights, description.inputs, description.targets)

    gradients = run(description.weights)[1]
    assert sorted(gradients) == sorted(description.weights)
    check_gradients(description.weights, gradients, lambda weights: run(weights)[0], rel=1e-5, abs=1e-9)


def test_initial_weights_are_keras_own_kind_and_the_same_everywhere():
    """Orthogonal, within Glorot's limits, a forget gate of one; multiples of a power of two, from the seed alone."""
    weights = lstm.initial_weights(UNITS, True, 3)
    recurrent = weights["lstm2.backward.recurrent"]
    assert np.allclose(recurrent.dot(recurrent.T), np.eye(UNITS), atol=1e-3)
    assert np.abs(weights["lstm1.forward.kernel"]).max() <= (6.0 / 21) ** 0.5 + lstm.GRID
    assert weights["lstm1.forward.bias"].tolist() == [0.0] * UNITS + [1.0] * UNITS + [0.0] * 2 * UNITS
    assert all(np.array_equal(values / lstm.GRID, np.round(values / lstm.GRID)) for values in weights.values())
    again = lstm.initial_weights(UNITS, True, 3)
    assert all(np.array_equal(values, again[name]) for name, values in weights.items())
    assert not np.array_equal(recurrent, lstm.initial_weights(UNITS, True, 4)["lstm2.backward.recurrent"])
    assert lstm.size(weights) == (UNITS, True)
    assert not lstm.initial_weights(UNITS, True, 3, zero_output=True)["output.kernel"].any()


@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_same_net_is_the_same(bidirectional):
    """No difference at all, and a record with both precisions."""
    found = prove(described(bidirectional))
    assert (found["same"], found["reason"], found["net"]) == (True, None, "lstm")
    assert [one["precision"] for one in found["precisions"]] == ["float64", "float32"]
    assert set(found["precisions"][0]["differences"].values()) == {0.0}
    assert len(found["description_sha256"]) == 64


def swapped(weights):
    """Forget gate and candidate exchanged: the order that another library may have."""
    order = np.concatenate([np.arange(UNITS) + UNITS * block for block in (0, 2, 1, 3)])
    return {name: values[..., order] if name.startswith("lstm") else values for name, values in weights.items()}


class TwoBiases(adam.Adam):
    """The Adam of a layer that trains both of its two biases: their sum moves twice as far, and nothing else does."""

    def update(self, weights, gradients):
        moved = super(TwoBiases, self).update(weights, gradients)
        twice = {name: 2 * moved[name] - weights[name] for name in moved if name.startswith("lstm") and "bias" in name}
        return dict(moved, **twice)


class Uncorrected:
    """An Adam that takes its moments as they are: its first step is three times too short."""

    def __init__(self):
        self.first, self.second = {}, {}

    def update(self, weights, gradients):
        moved = {}
        for name, gradient in gradients.items():
            self.first[name] = adam.BETA_1 * self.first.get(name, 0.0) + (1 - adam.BETA_1) * gradient
            self.second[name] = adam.BETA_2 * self.second.get(name, 0.0) + (1 - adam.BETA_2) * gradient**2
            moved[name] = weights[name] - RATE * self.first[name] / (np.sqrt(self.second[name]) + adam.EPSILON)
        return moved


def cut(gradients):
    """A recurrent weight that does not learn, for one."""
    return dict(gradients, **{"lstm1.forward.recurrent": 0.0 * gradients["lstm1.forward.recurrent"]})


TRAPS = {  # what is planted, and the first quantity that shows it
    "another order of the gates": ({"read": swapped}, "outputs"),
    "a second bias that is trained too": ({"optimizer": lambda: TwoBiases(RATE)}, "parameters"),
    "an Adam without bias correction": ({"optimizer": Uncorrected}, "parameters"),
    "a loss that is summed": ({"scale": 8.0}, "loss"),  # Adam's step would hardly show it
    "a gradient that is cut": ({"gradients": cut}, "gradients"),
}


@PRECISIONS
@pytest.mark.parametrize("trap", sorted(TRAPS))
def test_a_trap_is_refused(trap, precision):
    """In each precision by itself."""
    changes, seen = TRAPS[trap]
    assert quantity(prove(described(), [precision], **changes)) == seen


@PRECISIONS
def test_a_hard_sigmoid_is_refused(precision, monkeypatch):
    """Keras' recurrent activation in TensorFlow 1, if nobody asks for another."""
    description = described()

    def outputs(inputs):
        with monkeypatch.context() as patch:
            patch.setattr(lstm_reference, "sigmoid", lambda values: np.clip(0.2 * values + 0.5, 0, 1))
            return lstm_reference.run(description.weights, inputs)[0]

    apart = differences(description, planted(description)._replace(outputs=outputs))
    assert apart["outputs"] > sameness.TOLERANCES[precision]["outputs"]


def corrected(epsilon):
    """An Adam in PyTorch's and Optax's form."""
    return adam.Adam(RATE, epsilon, corrected=True)


def test_the_other_form_of_adam_is_the_same_with_its_own_epsilon():
    """The first step exactly, and ten losses nearly: the mapping that PyTorch and Optax use."""
    found = prove(described(), optimizer=lambda: corrected(adam.EPSILON_OF_CORRECTED))
    assert found["same"], found


@pytest.mark.parametrize("epsilon", [adam.EPSILON, 1e-8], ids=["keras-default-unconverted", "pytorch-default"])
def test_an_epsilon_in_the_other_place_is_refused(epsilon):
    """In float64, where the change that it makes is not hidden by rounding."""
    assert quantity(prove(described(), ["float64"], optimizer=lambda: corrected(epsilon))) == "parameters"


def test_a_jump_in_a_small_gradient_is_relative_to_the_largest_gradient():
    """Half of it, for one value on the other side of a ReLU; in a net without jumps it is relative to itself."""
    description = described()
    _, gradients = lstm_reference.loss_and_gradients(description.weights, description.inputs, description.targets)
    sizes = {name: sameness.magnitude(values) for name, values in gradients.items()}
    small = min(sizes, key=sizes.get)

    def jumped(found):
        return dict(found, **{small: 1.5 * found[small]})

    for jumps, scale in ((False, sizes[small]), (True, max(sizes.values()))):
        net = description._replace(jumps=jumps)
        apart = differences(net, planted(net, gradients=jumped))
        assert apart["gradients"] == pytest.approx(0.5 * sizes[small] / scale)


@PRECISIONS
def test_the_backward_state_from_the_wrong_end_is_refused(precision, monkeypatch):
    """The last time of PyTorch's output holds the backward direction's first step, not its last."""
    description = described(bidirectional=True)
    kept = {}
    run_layer = lstm_reference.run_layer

    def watched(values, weights, prefix, backward):
        kept[prefix] = run_layer(values, weights, prefix, backward)
        return kept[prefix]

    monkeypatch.setattr(lstm_reference, "run_layer", watched)

    def outputs(inputs):
        lstm_reference.run(description.weights, inputs)
        last = np.concatenate([kept["lstm2.{}.".format(one)][0][:, -1] for one in ("forward", "backward")], axis=1)
        return last.dot(description.weights["output.kernel"]) + description.weights["output.bias"]

    subject = planted(description)._replace(outputs=outputs)
    apart = differences(description, subject)
    assert apart["outputs"] > sameness.TOLERANCES[precision]["outputs"]


def test_parameters_of_another_net_are_named():
    """A weight that is missing, or has another shape."""
    description = described()
    other = described(bidirectional=True)
    wanted = sameness.observe(description, open_reference(description))
    apart, reason = sameness.compare(description, wanted, planted(other))
    assert reason.key == "other-parameters"
    assert "lstm1.backward.bias" in reason.values["names"]
    assert all(np.isnan(value) for value in apart.values())


def test_a_difference_that_is_no_number_is_refused():
    """A net that computes NaN is not the same."""
    found = prove(described(), scale=float("nan"))
    assert quantity(found) == "loss"


def test_the_checksum_covers_sizes_weights_and_constants():
    """A description of another seed, rate or net has another one; the batch is the data set's matter."""
    description = described()
    others = [
        description._replace(net="bilstm"),
        description._replace(constants={"units": UNITS + 1}),
        description._replace(weights=lstm.initial_weights(UNITS, False, 4)),
    ]
    assert len({one.sha256() for one in [description] + others}) == 4
    assert description._replace(inputs=None).sha256() == description.sha256()


def prove_in(folder, description=None):
    """Whether the proof with a folder opened the reference; what it found must be what it finds without one."""
    opened = []

    def opening(found):
        opened.append(found)
        return open_reference(found)

    description = description or described()
    found = sameness.prove(description, opening, lambda found, _: planted(found), str(folder))
    assert found == sameness.prove(description, open_reference, lambda found, _: planted(found))
    return bool(opened)


def test_the_reference_is_computed_once_for_all_frameworks(tmp_path):
    """Another batch or other weights have a reference of their own."""
    assert prove_in(tmp_path)
    assert not prove_in(tmp_path)
    assert prove_in(tmp_path, described()._replace(inputs=described().inputs * np.float32(2)))
    assert prove_in(tmp_path, described(bidirectional=True))
    assert not prove_in(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut off"])
def test_a_broken_file_of_a_reference_is_replaced(tmp_path, content):
    """As a full disk or a kill leaves it."""
    assert prove_in(tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_bytes(content)
    assert prove_in(tmp_path)
    assert not prove_in(tmp_path)


def test_a_reference_is_not_taken_from_other_code(tmp_path, monkeypatch):
    """A change in this folder may change what the reference computes."""
    assert prove_in(tmp_path)
    listdir = sameness.os.listdir
    monkeypatch.setattr(sameness.os, "listdir", lambda folder: [name for name in listdir(folder) if "adam" not in name])
    assert prove_in(tmp_path)


def test_a_proof_needs_no_place_for_its_reference(tmp_path):
    """A file where the folder should be."""
    (tmp_path / "file").write_text("")
    assert prove_in(tmp_path / "file")
    assert prove_in(tmp_path / "file")
