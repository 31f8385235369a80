"""The row Bi-LSTM: the net of ``runners.nets.household_bilstm`` in Keras."""

from typing import Any, Callable, Dict, List, Tuple

from runners.contract import Context, Quality, Steps
from runners.keras import compat, network
from runners.keras.checkpoint import Checkpoint
from runners.keras.twins.lstm import open_twin
from runners.keras_nets.compiled import learner, steps
from runners.nets import household_bilstm as task
from runners.nets.implementation import prove_row
from runners.nets.learner import Learner

timed = task.timed


def open_learner(settings: Dict[str, Any], seed: int, updates: int) -> Learner:
    """A net in a fresh session, with Keras' own initial weights from the seed; its output layer starts at zero."""
    compat.reset_session()
    compat.seed_everything(seed)
    net = network.build(task.WINDOW, settings["units"], bidirectional=True, zero_output=True)
    rate = compat.cosine_decay(settings["learning_rate"], updates)
    return learner(network.compile_with_adam(net, rate))


def prepare(context: Context) -> Steps:
    """An untrained net, ready for timing."""
    row = timed(context)
    return steps(row, network.timed_net(row, context.seed))


def train_to_quality(context: Context) -> Quality:
    """Train on the train part and score the test part, beside persistence and a linear AR(60) on the same."""
    return task.train_to_quality(context, open_learner, checkpoint(context))


def fit(
    context: Context, count: int, batch_of: Callable[[Any], Tuple[Any, Any]]
) -> Tuple[Learner, List[float], List[float]]:
    """The net trained on ``count`` rows of other windows, see ``runners.nets.household_bilstm.fit``."""
    return task.fit(context, count, batch_of, open_learner, checkpoint(context))


def checkpoint(context: Context) -> Checkpoint:
    """Where the training of these settings keeps its state."""
    return Checkpoint(context.checkpoints, "bilstm", dict(context.settings, seed=context.seed, device=context.device))


def prove(context: Context) -> Dict[str, Any]:
    """How far the net is from the NumPy reference."""
    return prove_row(context, open_twin)
