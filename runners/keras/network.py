"""The one net of the Keras rows, two stacked LSTM layers and a linear output, and its steps for timing."""

from typing import Any, Callable, Iterator, NamedTuple, Optional, Tuple

import numpy as np

from runners.contract import BATCH_SIZE, Steps
from runners.keras import compat

Layer = Callable[[int, bool], Any]
"""``layer(units, sequences)``: an LSTM layer that returns its last state, or all of them."""


class Timed(NamedTuple):
    """What a row times: the net's shape, and one batch of real windows."""

    window: int
    units: int  # of one direction
    bidirectional: bool
    learning_rate: float
    batch: Tuple[Any, Any]  # see representative_batch
    train_batches: Optional[int] = None
    test_batches: Optional[int] = None


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


def steps(timed: Timed, net: Any) -> Steps:
    """The compiled net as the timing loop takes it.

    A training step is Keras' ``train_on_batch``, which returns the loss on the host, so it is finished when it returns;
    a prediction is ``predict_on_batch``. Every step copies the same batch to the device: its work does not depend on
    the values, and a loss that falls over the timed steps is the result of training and not of an easier batch.
    """
    inputs, _ = timed.batch
    kind = "bidirectional LSTM 2 x {}" if timed.bidirectional else "LSTM {}"
    return Steps(
        train=lambda batch: net.train_on_batch(*batch),
        train_batch=lambda: timed.batch,
        read_loss=float,
        predict=lambda batch: np.asarray(net.predict_on_batch(batch)),  # TensorFlow 2.0 and 2.1 return a tensor
        predict_batch=lambda: inputs,
        state=lambda: b"".join(values.tobytes() for values in net.get_weights()),
        parameters=int(net.count_params()),
        train_batches=timed.train_batches,
        test_batches=timed.test_batches,
        details={"layers": [kind.format(timed.units)] * 2 + ["linear 1"], "window": timed.window},
    )


def shuffled_batches(count: int, size: int, seed: int) -> Iterator[Any]:
    """Endless index arrays of shape (size,) that run through one shuffle of ``range(count)`` after another.

    What a shuffle leaves over opens the next batch, so every batch is complete and TensorFlow builds one graph.
    """
    random = np.random.RandomState(seed)
    waiting = np.zeros(0, np.intp)
    while True:
        while len(waiting) < size:
            waiting = np.concatenate([waiting, random.permutation(count)])
        yield waiting[:size]
        waiting = waiting[size:]


def representative_batch(inputs: Any, targets: Any) -> Tuple[Any, Any]:
    """One batch of the windows whose targets lie evenly over all targets in order of size.

    Takes inputs (n, window) and targets (n,); returns float32 of shapes (BATCH_SIZE, window, 1) and (BATCH_SIZE, 1).
    """
    ordered = np.argsort(targets, kind="mergesort")
    rows = ordered[np.linspace(0, len(ordered) - 1, BATCH_SIZE).astype(np.intp)]
    return (
        np.ascontiguousarray(inputs[rows][:, :, np.newaxis], np.float32),
        np.ascontiguousarray(targets[rows][:, np.newaxis], np.float32),
    )
