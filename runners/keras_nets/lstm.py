"""Two stacked LSTM layers and a linear output in Keras 3, from the weights of a description."""

from typing import Any, Callable

import keras

from runners.contract import Context, Implementation, Steps
from runners.keras_nets.compiled import learner, steps, subject
from runners.keras_nets.keras3 import PARTLY_FLOAT32, first_moments, start
from runners.nets import adam
from runners.nets.implementation import implement
from runners.nets.learner import Learner, Timed
from runners.nets.lstm import Weights, shapes, size
from runners.nets.sameness import Description, Subject


def build(window: int, weights: Weights, learning_rate: Any, jit_compile: Any = "auto") -> Any:
    """The compiled net with the weights of a description: Adam on the mean squared error. The rate may be a schedule.

    Keras holds and orders weights and gates as the description does.
    """
    units, bidirectional = size(weights)
    precision = keras.config.floatx()
    cudnn = "auto" if precision == "float32" else False  # JAX has cuDNN's LSTM in float32 only
    inputs = values = keras.Input(shape=(window, 1))
    for sequences in (True, False):
        lstm = keras.layers.LSTM(units, return_sequences=sequences, use_cudnn=cudnn)
        values = (keras.layers.Bidirectional(lstm) if bidirectional else lstm)(values)
    net = keras.Model(inputs, keras.layers.Dense(1)(values))
    net.set_weights([weights[name].astype(precision) for name, _ in shapes(units, bidirectional)])
    net.compile(
        optimizer=keras.optimizers.Adam(learning_rate, epsilon=adam.EPSILON), loss="mse", jit_compile=jit_compile
    )
    return net


def ready(context: Context, timed: Timed, weights: Weights) -> Steps:
    """The net with these weights, ready for timing."""
    return steps(timed, build(timed.window, weights, timed.learning_rate))


def implementation(set_precision: Callable[[str], None]) -> Implementation:
    """The rows' functions on a backend, whose way to float64 is passed in."""

    def open_learner(context: Context, window: int, weights: Weights, learning_rate: float, updates: int) -> Learner:
        return learner(build(window, weights, keras.optimizers.schedules.CosineDecay(learning_rate, updates)))

    def open_subject(context: Context, description: Description, precision: str) -> Subject:
        start(precision, set_precision)
        net = build(description.inputs.shape[1], description.weights, description.learning_rate)
        names = [name for name, _ in shapes(*size(description.weights))]
        return subject(net, names, precision, first_moments, PARTLY_FLOAT32)

    return implement(ready, open_learner, open_subject)
