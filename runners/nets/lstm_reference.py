"""The LSTM nets in float64 NumPy: outputs, loss and every gradient, by the textbook's equations.

Hochreiter and Schmidhuber, Neural Computation 9, 1997, with the forget gate of Gers, Schmidhuber and Cummins, Neural
Computation 12, 2000; gradients by backpropagation through time.
"""

from typing import Any, Dict, List, NamedTuple, Tuple

import numpy as np

from runners.nets.lstm import LAYERS, Weights, directions, size


class Moment(NamedTuple):
    """What the backward pass needs of one time step."""

    time: int
    inputs: Any  # (n, d)
    state: Any  # (n, u), before the step
    cell: Any  # (n, u), before the step
    gates: Tuple[Any, Any, Any, Any]  # input, forget, candidate, output, each (n, u)
    squashed: Any  # tanh of the cell after the step


def sigmoid(values: Any) -> Any:
    """The logistic function."""
    return 1.0 / (1.0 + np.exp(-values))


def run_layer(values: Any, weights: Weights, prefix: str, backward: bool) -> Tuple[Any, List[Moment]]:
    """States (n, time, u) of one direction, each at the time of its input, and what the backward pass needs."""
    kernel, recurrent, bias = (weights[prefix + name] for name in ("kernel", "recurrent", "bias"))
    count, window, units = len(values), values.shape[1], len(recurrent)
    state, cell = np.zeros((count, units)), np.zeros((count, units))
    states, moments = np.empty((count, window, units)), []
    for time in reversed(range(window)) if backward else range(window):
        raw = values[:, time].dot(kernel) + state.dot(recurrent) + bias
        enter, keep, candidate, leave = np.split(raw, 4, axis=1)
        gates = sigmoid(enter), sigmoid(keep), np.tanh(candidate), sigmoid(leave)
        new_cell = gates[1] * cell + gates[0] * gates[2]
        squashed = np.tanh(new_cell)
        moments.append(Moment(time, values[:, time], state, cell, gates, squashed))
        state, cell = gates[3] * squashed, new_cell
        states[:, time] = state
    return states, moments


def back_through_layer(
    d_states: Any, moments: List[Moment], weights: Weights, prefix: str
) -> Tuple[Any, Dict[str, Any]]:
    """Gradients of the layer's inputs (n, time, d), and of its weights by name, from those of its states."""
    kernel, recurrent = weights[prefix + "kernel"], weights[prefix + "recurrent"]
    gradients = {prefix + name: np.zeros_like(weights[prefix + name]) for name in ("kernel", "recurrent", "bias")}
    d_inputs = np.empty(d_states.shape[:2] + (len(kernel),))
    d_state = d_cell = np.zeros_like(moments[0].state)
    for moment in reversed(moments):
        enter, keep, candidate, leave = moment.gates
        d_state = d_state + d_states[:, moment.time]
        d_cell = d_cell + d_state * leave * (1 - moment.squashed**2)
        d_raw = np.concatenate(
            [
                d_cell * candidate * enter * (1 - enter),
                d_cell * moment.cell * keep * (1 - keep),
                d_cell * enter * (1 - candidate**2),
                d_state * moment.squashed * leave * (1 - leave),
            ],
            axis=1,
        )
        gradients[prefix + "kernel"] += moment.inputs.T.dot(d_raw)
        gradients[prefix + "recurrent"] += moment.state.T.dot(d_raw)
        gradients[prefix + "bias"] += d_raw.sum(axis=0)
        d_inputs[:, moment.time] = d_raw.dot(kernel.T)
        d_state, d_cell = d_raw.dot(recurrent.T), d_cell * keep
    return d_inputs, gradients


def run(weights: Weights, inputs: Any) -> Tuple[Any, List[Any], Any]:
    """Outputs (n, 1), what the backward pass needs of each layer, and the last states (n, states)."""
    values, kept = np.asarray(inputs, np.float64), []
    for layer in LAYERS:
        passes = []
        for direction in directions(size(weights)[1]):
            prefix = "{}.{}.".format(layer, direction)
            passes.append((prefix, run_layer(values, weights, prefix, direction == "backward")))
        values = np.concatenate([states for _, (states, _) in passes], axis=2)
        kept.append([(prefix, moments) for prefix, (_, moments) in passes])
    # The state after a direction's last step: forwards that is the end of the window, backwards its beginning.
    last = np.concatenate([moments[-1].gates[3] * moments[-1].squashed for _, moments in kept[-1]], axis=1)
    return last.dot(weights["output.kernel"]) + weights["output.bias"], kept, last


def loss_and_gradients(weights: Weights, inputs: Any, targets: Any) -> Tuple[float, Dict[str, Any]]:
    """The mean squared error over the batch and its gradient for every weight."""
    outputs, kept, last = run(weights, inputs)
    error = outputs - np.asarray(targets, np.float64)
    d_outputs = 2.0 * error / error.size
    gradients = {"output.kernel": last.T.dot(d_outputs), "output.bias": d_outputs.sum(axis=0)}
    d_last = d_outputs.dot(weights["output.kernel"].T)
    d_values = None
    for passes in reversed(kept):
        units = len(weights[passes[0][0] + "recurrent"])
        shape = (len(error), len(passes[0][1]), units)
        d_below = 0.0
        for place, (prefix, moments) in enumerate(passes):
            own = slice(place * units, (place + 1) * units)
            if d_values is None:
                d_states = np.zeros(shape)
                d_states[:, moments[-1].time] = d_last[:, own]
            else:
                d_states = d_values[:, :, own]
            d_inputs, found = back_through_layer(d_states, moments, weights, prefix)
            gradients.update(found)
            d_below = d_below + d_inputs
        d_values = d_below
    return float(np.mean(error**2)), gradients
