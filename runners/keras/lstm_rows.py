"""The rows LSTM, LSTM(AUG) and Bi-LSTM in Keras, with Keras' own initial weights."""

from functools import partial
from typing import Any, Dict

from runners.contract import Context, Quality, Steps
from runners.keras import compat, lstm_net
from runners.keras.checkpoint import Checkpoint
from runners.keras_nets.compiled import learner, steps
from runners.nets import household_bilstm, implementation
from runners.nets.learner import Learner, OpenLearner


def opener(task: Any) -> OpenLearner:
    """What opens a fresh net of a task, its weights from the seed; the Bi-LSTM's output layer starts at zero."""

    def open_learner(settings: Dict[str, Any], seed: int, updates: int) -> Learner:
        compat.reset_session()
        compat.seed_everything(seed)
        net = lstm_net.build(task.WINDOW, settings["units"], task.BIDIRECTIONAL, zero_output=task.BIDIRECTIONAL)
        rate = compat.cosine_decay(settings["learning_rate"], updates)
        return learner(lstm_net.compile_with_adam(net, rate))

    return open_learner


def prepare(context: Context) -> Steps:
    """An untrained net, ready for timing."""
    timed = implementation.timed(context)
    return steps(timed, lstm_net.timed_net(timed, context.seed))


def train_to_quality(context: Context) -> Quality:
    """Train on the train part and score the test part."""
    task = implementation.TASKS[context.model.dataset]
    if task is household_bilstm:  # takes minutes to hours
        return household_bilstm.train_to_quality(context, opener(task), checkpoint(context))
    return task.train_to_quality(context, opener(task))


def checkpoint(context: Context) -> Checkpoint:
    """Where a training of these settings keeps its state."""
    identity = dict(context.settings, seed=context.seed, device=context.device)
    return Checkpoint(context.checkpoints, context.model.key, identity)


prove = partial(implementation.prove_row, lstm_net.open_subject)
