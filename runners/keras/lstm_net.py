"""The net of the LSTM rows in Keras: two stacked LSTM layers and a linear output."""

from typing import Any, Callable

from runners.contract import Context
from runners.keras import compat, proof
from runners.keras_nets.compiled import subject
from runners.nets.learner import Timed
from runners.nets.lstm import shapes, size
from runners.nets.sameness import Description, Subject

Layer = Callable[[int, bool], Any]
"""``layer(units, sequences)``: an LSTM layer that returns its last state, or all of them."""


def lstm_layer(units: int, sequences: bool) -> Any:
    """Keras' LSTM layer with cuDNN's activations, which are today's defaults; TensorFlow 1 had a hard sigmoid."""
    return compat.keras.layers.LSTM(units, return_sequences=sequences, recurrent_activation="sigmoid")


def build(
    window: int, units: int, bidirectional: bool = False, zero_output: bool = False, layer: Layer = lstm_layer
) -> Any:
    """An uncompiled net: (n, window, 1) -> LSTM(units) -> LSTM(units) -> linear -> (n, 1).

    ``units`` is for one direction. ``zero_output`` starts the linear layer at zero, so that an untrained net forecasts
    the zero of its target's scale.
    """
    layers = compat.keras.layers
    inputs = values = layers.Input(shape=(window, 1))
    for sequences in (True, False):
        lstm = layer(units, sequences)
        values = (layers.Bidirectional(lstm) if bidirectional else lstm)(values)
    values = layers.Dense(1, kernel_initializer="zeros" if zero_output else "glorot_uniform")(values)
    return compat.keras.models.Model(inputs, values)


def compile_with_adam(net: Any, learning_rate: Any) -> Any:
    """The net, ready for ``train_on_batch``: Adam on the mean squared error. The rate may be a schedule."""
    net.compile(optimizer=compat.adam(learning_rate), loss="mse")
    return net


def timed_net(timed: Timed, seed: int, layer: Layer = lstm_layer) -> Any:
    """The compiled net in a fresh session, its first weights from the seed."""
    compat.reset_session()
    compat.seed_everything(seed)
    net = build(timed.window, timed.units, timed.bidirectional, layer=layer)
    return compile_with_adam(net, timed.learning_rate)


def open_subject(context: Context, description: Description, precision: str) -> Subject:
    """The net with the weights of a description, for the proof."""
    proof.set_precision(precision)
    compat.seed_everything(context.seed)
    units, bidirectional = size(description.weights)
    names = [name for name, _ in shapes(units, bidirectional)]  # Keras holds and orders them as the description does
    net = build(description.inputs.shape[1], units, bidirectional)
    net.set_weights([description.weights[name].astype(precision) for name in names])
    compile_with_adam(net, description.learning_rate)
    return subject(net, names, precision, proof.first_moments, proof.TOLERANCES)
