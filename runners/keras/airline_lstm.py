"""The rows LSTM and LSTM(AUG): the net of ``runners.nets.airline_lstm`` in Keras."""

from typing import Any, Callable, Dict

from runners.contract import Context, Quality, Steps
from runners.data import airline
from runners.keras import compat, network
from runners.keras.twins.lstm import open_twin
from runners.keras_nets.compiled import learner, steps
from runners.nets import airline_lstm as task
from runners.nets.implementation import prove_row
from runners.nets.learner import Learner

timed = task.timed


def open_learner(settings: Dict[str, Any], seed: int, updates: int) -> Learner:
    """A net in a fresh session, with Keras' own initial weights from the seed."""
    compat.reset_session()
    compat.seed_everything(seed)
    rate = compat.cosine_decay(settings["learning_rate"], updates)
    return learner(network.compile_with_adam(network.build(airline.WINDOW, settings["units"]), rate))


def train(series: Any, settings: Dict[str, Any], seed: int, progress: Callable[[int, int], None]) -> task.Trained:
    """Train one net on a series of the published scale."""
    return task.train(open_learner, series, settings, seed, progress)


def prepare(context: Context) -> Steps:
    """An untrained net, ready for timing."""
    row = timed(context)
    return steps(row, network.timed_net(row, context.seed))


def train_to_quality(context: Context) -> Quality:
    """Train one net per seed on the 100 train months and score each on the 44 test months."""
    return task.train_to_quality(context, open_learner)


def prove(context: Context) -> Dict[str, Any]:
    """How far the net is from the NumPy reference."""
    return prove_row(context, open_twin)
