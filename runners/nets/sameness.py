"""Whether a framework computes a described net: compared with a float64 NumPy reference, in two precisions.

Float64 shows that the function is the same: what is left is rounding, so the smallest trap stands out. Float32 is what
is timed, with the kernels that are timed; its tolerances are what rounding may do to these nets, and every trap that
changes a result by more than that is refused there too. docs/frameworks.md has the measured differences.
"""

import contextlib
import hashlib
import json
import os
import zipfile
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from runners.contract import Context, OptionUnavailable, Reason
from runners.machine.files import atomic_write

STEPS = 10
TOLERANCES = {
    "float64": {
        "outputs": 1e-10,
        "loss": 1e-10,
        "gradients": 1e-9,
        "parameters": 1e-4,
        "losses": 5e-4,
        "later-outputs": 2e-2,
    },
    "float32": {
        "outputs": 2e-4,
        "loss": 1e-5,
        "gradients": 1e-4,
        "parameters": 2e-2,
        "losses": 5e-4,
        "later-outputs": 2e-2,
    },
}
"""Largest relative difference of each quantity that is still the same net, by precision.

An untrained LSTM's outputs are small sums of larger terms: cuDNN's differ by 6e-5 of them in float32, others' by 4e-6.
"""

Arrays = Dict[str, Any]


class Description(NamedTuple):
    """A net, a batch and an optimizer, without a framework."""

    net: str  # key of the published row
    weights: Arrays  # float64, by name
    inputs: Any  # float32, one batch
    targets: Any
    learning_rate: float
    constants: Dict[str, Any]  # everything else that defines the function: plain JSON values
    idle: Tuple[str, ...] = ()  # weights without effect in training: their gradient is zero but for rounding
    jumps: bool = False  # rounding may put a value on the other side of a ReLU or a maximum: see ``compare``
    tolerances: Dict[str, Dict[str, float]] = {}  # by precision and quantity, where they differ from TOLERANCES

    def sha256(self) -> str:
        """The checksum of net, weights and constants; not of the batch, which the data set's checksum fixes."""
        digest = hashlib.sha256(json.dumps([self.net, self.constants], sort_keys=True).encode("utf-8"))
        for name in sorted(self.weights):
            digest.update(name.encode("utf-8"))
            digest.update(np.ascontiguousarray(self.weights[name], "<f4").tobytes())
        return digest.hexdigest()


class Subject(NamedTuple):
    """A described net in one framework, to be proven: arrays have the description's names and layout."""

    outputs: Callable[[Any], Any]  # of a batch of inputs
    step: Callable[[Any, Any], float]  # one update; the loss before it
    gradients: Callable[[], Arrays]  # of the first step, asked for before the second
    parameters: Callable[[], Arrays]
    tolerances: Dict[str, float] = {}  # of float64, where the framework computes a part of it in float32


OpenSubject = Callable[[Context, Description, str], Subject]
"""``open_subject(context, description, precision)``"""


def reference(
    weights: Arrays,
    optimizer: Any,
    outputs: Callable[[Arrays, Any], Any],
    loss_and_gradients: Callable[[Arrays, Any, Any], Tuple[float, Arrays]],
) -> Subject:
    """A net in float64 NumPy: from its weights, an optimizer with ``update(weights, gradients)``, and its functions."""
    weights, gradients = dict(weights), {}  # type: Arrays, Arrays

    def step(inputs: Any, targets: Any) -> float:
        loss, found = loss_and_gradients(weights, inputs, targets)
        gradients.update(found)
        weights.update(optimizer.update(weights, found))
        return loss

    return Subject(
        outputs=lambda inputs: outputs(weights, inputs),
        step=step,
        gradients=lambda: dict(gradients),
        parameters=lambda: dict(weights),
    )


class Observed(NamedTuple):
    """What a subject computed: each quantity of ``TOLERANCES`` as arrays by name."""

    quantities: Dict[str, Arrays]
    shapes: Dict[str, Tuple[int, ...]]  # of the parameters


def observe(description: Description, subject: Subject) -> Observed:
    """Run a subject: a prediction, ten steps of training, another prediction."""
    inputs, targets = description.inputs, description.targets
    before = subject.parameters()
    outputs = subject.outputs(inputs)
    losses = [subject.step(inputs, targets)]
    gradients, after = subject.gradients(), subject.parameters()
    losses += [subject.step(inputs, targets) for _ in range(STEPS - 1)]
    changes = {name: np.asarray(after[name], np.float64) - np.asarray(start) for name, start in before.items()}
    quantities = {
        "outputs": {"": outputs},
        "loss": {"": losses[0]},
        "gradients": gradients,
        "parameters": {name: change for name, change in changes.items() if name not in description.idle},
        "losses": {"": losses},
        "later-outputs": {"": subject.outputs(inputs)},
    }
    return Observed(quantities, {name: np.shape(values) for name, values in before.items()})


def prove(
    description: Description,
    open_reference: Callable[[Description], Subject],
    open_subject: Callable[[Description, str], Subject],
    folder: Optional[str] = None,
) -> Dict[str, Any]:
    """The record's ``sameness``: the differences in each precision, and whether all are within their tolerances.

    What the reference computed is kept in ``folder`` for the next framework.
    """
    found: List[Dict[str, Any]] = []
    reason: Optional[Reason] = None
    wanted = observe_reference(description, open_reference, folder)
    for precision in TOLERANCES:
        try:
            subject = open_subject(description, precision)
        except OptionUnavailable:
            continue  # the framework computes in the other precision only
        tolerances = dict(TOLERANCES[precision], **description.tolerances.get(precision, {}))
        tolerances.update(subject.tolerances if precision == "float64" else {})
        apart, wrong = compare(description, wanted, subject)
        found.append({"precision": precision, "differences": apart, "tolerances": tolerances})
        reason = reason or wrong or beyond(precision, apart, tolerances)
    return {
        "net": description.net,
        "description_sha256": description.sha256(),
        "reference": "NumPy float64",
        "precisions": found,
        "same": reason is None and bool(found),
        "reason": reason,
    }


def observe_reference(
    description: Description, open_reference: Callable[[Description], Subject], folder: Optional[str]
) -> Observed:
    """Run the reference, or read what it computed for the same description by the same code: NumPy takes a while."""
    if folder is None:
        return observe(description, open_reference(description))
    path = os.path.join(folder, "{}-{}.npz".format(description.net, reference_sha256(description)[:16]))
    with contextlib.suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):  # none yet, or broken
        return read_observed(path)
    observed = observe(description, open_reference(description))
    with contextlib.suppress(OSError):  # the proof needs no file
        write_observed(path, observed)
    return observed


def reference_sha256(description: Description) -> str:
    """The checksum of everything that a reference's results depend on: the description, its batch, and the code."""
    digest = hashlib.sha256(description.sha256().encode("utf-8"))
    for values in (description.inputs, description.targets):
        digest.update(np.ascontiguousarray(values).tobytes())
    here = os.path.dirname(os.path.abspath(__file__))
    for name in sorted(name for name in os.listdir(here) if name.endswith(".py")):
        with open(os.path.join(here, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def write_observed(path: str, observed: Observed) -> None:
    """Write a file of arrays named ``<quantity>/<name>``; raises ``OSError``."""
    quantities = dict(observed.quantities, shapes=observed.shapes)
    arrays = {"/".join((quantity, name)): one for quantity, part in quantities.items() for name, one in part.items()}
    with atomic_write(path) as file:
        np.savez(file, **arrays)


def read_observed(path: str) -> Observed:
    """Read what ``write_observed`` wrote; raises what ``np.load`` raises, or ``KeyError``."""
    quantities = {}  # type: Dict[str, Arrays]
    with np.load(path, allow_pickle=False) as arrays:
        for key in arrays.files:
            quantity, name = key.split("/", 1)
            quantities.setdefault(quantity, {})[name] = arrays[key]
    shapes = quantities.pop("shapes")
    return Observed(quantities, {name: tuple(map(int, shape)) for name, shape in shapes.items()})


def beyond(precision: str, apart: Dict[str, float], tolerances: Dict[str, float]) -> Optional[Reason]:
    """The first difference that is beyond its tolerance, or no number."""
    for quantity, tolerance in tolerances.items():
        if not apart[quantity] <= tolerance:
            values = {"quantity": quantity, "precision": precision, "difference": apart[quantity]}
            return Reason("not-the-same-net", dict(values, tolerance=tolerance))
    return None


def compare(description: Description, wanted: Observed, subject: Subject) -> Tuple[Dict[str, float], Optional[Reason]]:
    """The largest relative difference of each quantity; and the reason where the parameters are not the described ones.

    Relative to the largest magnitude of the reference in the same array: for the parameters that is the largest change
    of one step. The gradients of idle weights are relative to the largest gradient of all; those of a net that jumps
    too, since a single value on the other side may be half of a small weight's gradient.
    """
    shapes = {name: np.shape(values) for name, values in subject.parameters().items()}
    if shapes != wanted.shapes:
        names = sorted(set(shapes) ^ set(wanted.shapes)) or sorted(shapes)
        return dict.fromkeys(wanted.quantities, float("nan")), Reason("other-parameters", {"names": names[:5]})
    found = observe(description, subject).quantities
    largest = max(magnitude(values) for values in wanted.quantities["gradients"].values())

    def scale(quantity: str, name: str, values: Any) -> float:
        of_all = quantity == "gradients" and (description.jumps or name in description.idle)
        return largest if of_all else magnitude(values)

    apart = {
        quantity: float(
            np.max([relative(found[quantity][name], one, scale(quantity, name, one)) for name, one in arrays.items()])
        )
        for quantity, arrays in wanted.quantities.items()
    }
    return apart, None


def magnitude(values: Any) -> float:
    """The largest magnitude in an array."""
    return float(np.max(np.abs(values)))


def relative(found: Any, wanted: Any, scale: float) -> float:
    """The largest difference as a share of ``scale``."""
    apart = magnitude(np.asarray(found, np.float64) - np.asarray(wanted, np.float64))
    return apart / scale if scale > 0 else (0.0 if apart == 0 else float("inf"))
