"""The LSTM nets described without a framework: sizes, names of the weights, initial weights, a batch.

A weight's name is its place: ``lstm1.forward.kernel`` (inputs, 4 units), ``lstm1.forward.recurrent`` (units, 4 units)
and ``lstm1.forward.bias`` (4 units,) of the first layer, the same of ``lstm2`` and, where the net looks both ways, of
``backward``; ``output.kernel`` (states, 1) and ``output.bias`` (1,). The last axis of a layer's weights has four
blocks: input gate, forget gate, candidate, output gate. Every gate's activation is the sigmoid; candidate and state use
tanh. There is one bias per gate.
"""

from typing import Any, Dict, Iterator, Tuple

import numpy as np

from runners.contract import Context
from runners.nets import adam
from runners.nets.learner import Timed
from runners.nets.sameness import Description

LAYERS = ("lstm1", "lstm2")
GRID = 2.0**-16
"""Initial weights are multiples of this, so that every machine's linear algebra gives the same bits."""

Weights = Dict[str, Any]


def directions(bidirectional: bool) -> Tuple[str, ...]:
    """The directions in which a layer reads its window."""
    return ("forward", "backward") if bidirectional else ("forward",)


def shapes(units: int, bidirectional: bool) -> Iterator[Tuple[str, Tuple[int, ...]]]:
    """(name, shape) of every weight, in the order in which initial weights are drawn."""
    inputs = 1
    for layer in LAYERS:
        for direction in directions(bidirectional):
            place = "{}.{}".format(layer, direction)
            yield place + ".kernel", (inputs, 4 * units)
            yield place + ".recurrent", (units, 4 * units)
            yield place + ".bias", (4 * units,)
        inputs = units * len(directions(bidirectional))
    yield "output.kernel", (inputs, 1)
    yield "output.bias", (1,)


def initial_weights(units: int, bidirectional: bool, seed: int, zero_output: bool = False) -> Weights:
    """Initial weights as Keras draws them, float64: Glorot's uniform kernels, orthogonal recurrent ones, zero biases.

    The forget gate's bias is one (Jozefowicz, Zaremba and Sutskever, ICML 2015). The numbers come from NumPy's
    generator of that seed, so they are not those that Keras itself would draw. ``zero_output`` starts the output layer
    at zero.
    """
    random = np.random.RandomState(seed)
    weights = {}
    for name, shape in shapes(units, bidirectional):
        values = np.zeros(shape)
        if name.endswith("kernel"):
            limit = np.sqrt(6.0 / sum(shape))
            values = random.uniform(-limit, limit, shape)
        elif name.endswith("recurrent"):
            values = orthogonal(random.normal(size=(shape[1], shape[0]))).T
        elif name.startswith("lstm"):
            values[units : 2 * units] = 1.0
        weights[name] = np.round(values / GRID) * GRID
    if zero_output:
        weights["output.kernel"] = np.zeros_like(weights["output.kernel"])
    return weights


def orthogonal(matrix: Any) -> Any:
    """The matrix with orthonormal columns, unique by the sign of its triangular factor."""
    q, r = np.linalg.qr(matrix)
    return q * np.sign(np.diag(r))


def describe(net: str, timed: Timed, context: Context) -> Description:
    """The net of a row as it is proven and timed: initial weights from the seed, one batch of real windows."""
    inputs, targets = timed.batch
    return Description(
        net=net,
        weights=initial_weights(timed.units, timed.bidirectional, context.seed),
        inputs=inputs,
        targets=targets,
        learning_rate=timed.learning_rate,
        constants=dict(
            adam.CONSTANTS,
            window=timed.window,
            units=timed.units,
            bidirectional=timed.bidirectional,
            learning_rate=timed.learning_rate,
            loss="mean squared error over the batch",
        ),
    )


def size(weights: Weights) -> Tuple[int, bool]:
    """Units of one direction, and whether the net looks both ways."""
    return len(weights["lstm1.forward.recurrent"]), "lstm1.backward.kernel" in weights
