"""The one net of the Keras rows, two stacked LSTM layers and a linear output, and its steps for timing."""

from typing import Any, Dict, Iterator, Optional, Tuple

import numpy as np

from runners.contract import BATCH_SIZE, Steps
from runners.keras import compat


def build(
    window: int,
    units: int,
    bidirectional: bool = False,
    zero_output: bool = False,
    unroll: bool = False,
    cudnn: bool = False,
    xla: bool = False,
) -> Any:
    """An uncompiled Sequential net: (n, window, 1) -> LSTM(units) -> LSTM(units) -> linear -> (n, 1).

    ``units`` is for one direction. ``zero_output`` starts the linear layer at zero, so that an untrained net
    forecasts the zero of its target's scale. ``unroll`` writes the window's steps out instead of looping over them;
    ``cudnn`` and ``xla`` ask for layers that these can run (see compat.lstm_layer).
    """
    layers = compat.keras.layers
    net = compat.keras.models.Sequential(compat.input_layers((window, 1)))
    for sequences in (True, False):
        lstm = compat.lstm_layer(units, sequences, unroll, cudnn, xla)
        net.add(layers.Bidirectional(lstm) if bidirectional else lstm)
    net.add(layers.Dense(1, kernel_initializer="zeros" if zero_output else "glorot_uniform"))
    return net


def compile_with_adam(net: Any, learning_rate: Any) -> Any:
    """The net, ready for ``train_on_batch``: Adam on the mean squared error. The rate may be a schedule."""
    optimizer = compat.keras.optimizers.Adam(learning_rate)
    net.compile(optimizer=optimizer, loss="mse")
    return net


def build_for_timing(settings: Dict[str, Any], window: int, bidirectional: bool = False) -> Any:
    """The compiled net of a row's settings, with those of a tuned variant among them, as it is timed."""
    compat.check_options(settings)
    variant = {name: settings[name] for name in ("unroll", "cudnn", "xla") if settings.get(name)}
    if variant and compat.TF1:
        weights = [layer.get_weights() for layer in build(window, settings["units"], bidirectional).layers]
        compat.start_over()
        net = build(window, settings["units"], bidirectional, **variant)
        compat.copy_weights(net, weights)
    else:
        net = build(window, settings["units"], bidirectional, **variant)
    return compile_with_adam(net, settings["timing_learning_rate"])


def shuffled_batches(count: int, size: int, seed: int) -> Iterator[Any]:
    """Endless index arrays of shape (size,) that run through one shuffle of ``range(count)`` after another.

    What a shuffle leaves over opens the next batch, so every batch is whole and TensorFlow builds one graph.
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


def steps(
    net: Any,
    batch: Tuple[Any, Any],
    details: Dict[str, Any],
    settings: Dict[str, Any],
    train_batches: Optional[int] = None,
    test_batches: Optional[int] = None,
) -> Steps:
    """The compiled net as the timing loop takes it.

    A training step is Keras' ``train_on_batch``: what ``fit`` does for every batch, the loss brought back to
    the host included, so it is finished when it returns; a prediction is ``predict_on_batch``. Every step copies
    the same batch anew: its work does not depend on the values, and a loss that falls over the timed steps is
    then the training's doing and not that of an easier batch.
    """

    if settings.get("direct_step"):
        train, predict = compat.direct_steps(net, settings.get("xla", False))
    else:
        train, predict = (lambda pair: net.train_on_batch(*pair)), net.predict_on_batch

    def outputs() -> Any:
        # In a function of its own, not the one that is timed: XLA and cuDNN keep the precision they first ran with.
        ask = predict if compat.TF1 else compat.direct_steps(net, settings.get("xla", False))[1]
        with compat.exact_products():
            return np.asarray(ask(batch[0])).ravel()

    return Steps(
        train=train,
        train_batch=lambda: batch,
        read_loss=float,
        predict=predict,
        predict_batch=lambda: batch[0],
        state=lambda: b"".join(values.tobytes() for values in net.get_weights()),
        parameters=int(net.count_params()),
        train_batches=train_batches,
        test_batches=test_batches,
        details=details,
        outputs=outputs,
    )
