"""An LSTM row's implementation, from the few things that a framework has to give."""

from functools import partial
from typing import Any, Callable, Dict, Tuple

from runners.contract import Context, Implementation, Quality, Steps
from runners.nets import airline_lstm, household_bilstm, lstm, lstm_reference
from runners.nets.adam import Adam
from runners.nets.learner import Learner, Timed
from runners.nets.sameness import Description, OpenSubject, Subject, prove, reference

TASKS = {"airline": airline_lstm, "household": household_bilstm}  # by data set


def timed(context: Context) -> Timed:
    """The net's shape and the batch of an LSTM row."""
    return TASKS[context.model.dataset].timed(context)


def start(context: Context) -> Tuple[Timed, lstm.Weights]:
    """What an LSTM row times, and the described initial weights."""
    row = timed(context)
    return row, lstm.initial_weights(row.units, row.bidirectional, context.seed)


def implement(
    ready: Callable[[Context, Timed, lstm.Weights], Steps],
    opened: Callable[[Context, int, lstm.Weights, float, int], Learner],  # window, weights, first rate, updates
    open_subject: OpenSubject,
) -> Implementation:
    """The functions of a framework's LSTM rows, from its net with described weights: for timing, training, proof."""

    def prepare(context: Context) -> Steps:
        """An untrained net, ready for timing."""
        return ready(context, *start(context))

    def train_to_quality(context: Context) -> Quality:
        """Train on the train part and score the test part."""
        task = TASKS[context.model.dataset]

        def open_learner(settings: Dict[str, Any], seed: int, updates: int) -> Learner:
            bidirectional = task.BIDIRECTIONAL
            weights = lstm.initial_weights(settings["units"], bidirectional, seed, zero_output=bidirectional)
            return opened(context, task.WINDOW, weights, settings["learning_rate"], updates)

        return task.train_to_quality(context, open_learner)

    return prepare, train_to_quality, partial(prove_row, open_subject)


def prove_row(open_subject: OpenSubject, context: Context) -> Dict[str, Any]:
    """The record's ``sameness`` of an LSTM row: how far the framework's net is from the NumPy reference."""
    described = lstm.describe(context.model.twin_of or context.model.key, timed(context), context)
    return prove(
        described,
        open_reference,
        lambda description, precision: open_subject(context, description, precision),
        context.checkpoints,
    )


def open_reference(description: Description) -> Subject:
    """The described LSTM net in float64 NumPy."""
    return reference(
        description.weights,
        Adam(description.learning_rate),
        lambda weights, inputs: lstm_reference.run(weights, inputs)[0],
        lstm_reference.loss_and_gradients,
    )
