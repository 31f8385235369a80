"""Whether a framework computes a described net: compared with a float64 NumPy reference, in two precisions.

Float64 shows that the function is the same: what is left is rounding, so the smallest trap stands out. Float32 is what
is timed, with the kernels that are timed; its tolerances are what rounding may do to these nets, and every trap that
changes a result by more than that is refused there too. docs/frameworks.md has the measured differences.
"""

import hashlib
import json
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from runners.contract import OptionUnavailable, Reason

STEPS = 10
TOLERANCES = {
    "float64": {"outputs": 1e-10, "loss": 1e-10, "gradients": 1e-9, "parameters": 1e-6, "losses": 1e-5},
    "float32": {"outputs": 1e-5, "loss": 1e-5, "gradients": 1e-4, "parameters": 2e-2, "losses": 1e-4},
}
"""Largest relative difference of each quantity that is still the same net, by precision."""

Arrays = Dict[str, Any]


class Description(NamedTuple):
    """A net, a batch and an optimizer, without a framework."""

    net: str  # key of the published row
    weights: Arrays  # float64, by name
    inputs: Any  # float32, one batch
    targets: Any
    learning_rate: float
    constants: Dict[str, Any]  # everything else that defines the function: plain JSON values

    def sha256(self) -> str:
        """The checksum of net, weights and constants; not of the batch, which the data set's checksum fixes."""
        digest = hashlib.sha256(json.dumps([self.net, self.constants], sort_keys=True).encode("utf-8"))
        for name in sorted(self.weights):
            digest.update(name.encode("utf-8"))
            digest.update(np.ascontiguousarray(self.weights[name], "<f4").tobytes())
        return digest.hexdigest()


class Twin(NamedTuple):
    """A described net in one framework, with the description's weights. Arrays have its names and its layout."""

    outputs: Callable[[Any], Any]  # of a batch of inputs
    loss_and_gradients: Callable[[Any, Any], Tuple[float, Arrays]]  # changes nothing
    step: Callable[[Any, Any], float]  # one update; the loss before it
    parameters: Callable[[], Arrays]


def prove(
    description: Description,
    open_reference: Callable[[Description], Twin],
    open_twin: Callable[[Description, str], Twin],
) -> Dict[str, Any]:
    """The record's ``sameness``: the differences in each precision, and whether all are within their tolerances."""
    found: List[Dict[str, Any]] = []
    reason: Optional[Reason] = None
    for precision, tolerances in TOLERANCES.items():
        try:
            twin = open_twin(description, precision)
        except OptionUnavailable:
            continue  # the framework computes in the other precision only
        apart, wrong = compare(description, open_reference(description), twin)
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


def beyond(precision: str, apart: Dict[str, float], tolerances: Dict[str, float]) -> Optional[Reason]:
    """The first difference that is beyond its tolerance, or no number."""
    for quantity, tolerance in tolerances.items():
        if not apart[quantity] <= tolerance:
            values = {"quantity": quantity, "precision": precision, "difference": apart[quantity]}
            return Reason("not-the-same-net", dict(values, tolerance=tolerance))
    return None


def compare(description: Description, reference: Twin, twin: Twin) -> Tuple[Dict[str, float], Optional[Reason]]:
    """The largest relative difference of each quantity; and the reason where the parameters are not the described ones.

    Relative to the largest value of the reference in the same array; for the parameters, to the largest change of
    theirs, since all of one step is a change.
    """
    inputs, targets = description.inputs, description.targets
    shapes = {name: np.shape(values) for name, values in description.weights.items()}
    if {name: np.shape(values) for name, values in twin.parameters().items()} != shapes:
        apart = dict.fromkeys(TOLERANCES["float64"], float("nan"))
        names = sorted(set(shapes) ^ set(twin.parameters())) or sorted(shapes)
        return apart, Reason("other-parameters", {"names": names})
    apart = {"outputs": relative(twin.outputs(inputs), reference.outputs(inputs))}
    loss, gradients = twin.loss_and_gradients(inputs, targets)
    wanted_loss, wanted = reference.loss_and_gradients(inputs, targets)
    apart["loss"] = relative(loss, wanted_loss)
    apart["gradients"] = largest(gradients, wanted)
    before = twin.parameters(), reference.parameters()
    losses = [(twin.step(inputs, targets), reference.step(inputs, targets))]
    changes = [
        {name: np.asarray(after[name], np.float64) - start[name] for name in shapes}
        for after, start in zip((twin.parameters(), reference.parameters()), before)
    ]
    apart["parameters"] = largest(*changes)
    losses += [(twin.step(inputs, targets), reference.step(inputs, targets)) for _ in range(STEPS - 1)]
    apart["losses"] = max(relative(ours, theirs) for ours, theirs in losses)
    return apart, None


def largest(found: Arrays, wanted: Arrays) -> float:
    """The largest relative difference over the arrays; NaN if one has any."""
    return float(np.max([relative(found[name], values) for name, values in wanted.items()]))


def relative(found: Any, wanted: Any) -> float:
    """The largest difference, as a share of the largest magnitude that is wanted."""
    wanted = np.asarray(wanted, np.float64)
    scale = float(np.max(np.abs(wanted)))
    apart = float(np.max(np.abs(np.asarray(found, np.float64) - wanted)))
    return apart / scale if scale > 0 else (0.0 if apart == 0 else float("inf"))
