"""An LSTM net on Airline Passenger, trained and scored by any framework: the net LSTM.

The net sees a window of twelve months as logarithms of the passengers minus their mean, times four, and returns the
next month on that scale. So the scale comes from the window alone: growth and level drop out, the season's shape is
left, and nothing is fitted on any month outside the window.
"""

import time
from typing import Any, Callable, Dict, List, NamedTuple, Sequence, Tuple

import numpy as np

from runners.contract import BATCH_SIZE, Context, Quality, Reason, Score
from runners.data import airline, forecast
from runners.nets.learner import Learner, OpenLearner, Timed, representative_batch, shuffled_batches

BIDIRECTIONAL, WINDOW = False, airline.WINDOW
GAIN = 4.0  # brings the logarithms' range within a window, about +-0.25, to that of the LSTM's activations


class Trained(NamedTuple):
    """One seed's net after training."""

    learner: Learner
    losses: List[float]  # mean training loss of each epoch, on the net's own scale
    seconds: float  # of training, compilation included


def to_net_scale(histories: Any) -> Tuple[Any, Any]:
    """The net's windows (n, 12) of histories (n, >= 12) on the published scale, and their mean logarithms (n, 1)."""
    logarithms = np.log(airline.from_scale(np.asarray(histories)[:, -airline.WINDOW :]))
    level = logarithms.mean(axis=1, keepdims=True)
    return GAIN * (logarithms - level), level


def from_net_scale(answers: Any, level: Any) -> Any:
    """The net's answers (n, 1) on the published scale."""
    return airline.to_scale(np.exp(np.asarray(answers, float) / GAIN + level))


def training_pairs(series: Any, amplitudes: Sequence[float]) -> Tuple[Any, Any]:
    """Windows (n, 12) and targets (n,) on the net's scale, once for every amplitude.

    On this scale an amplitude a stands for passengers raised to the power a: the same year with a stronger or weaker
    season. It keeps each window's mean, so the net could be asked for any augmented pair.
    """
    histories, next_values = forecast.windows(series, airline.WINDOW)
    windows, level = to_net_scale(histories)
    targets = GAIN * (np.log(airline.from_scale(next_values)) - level[:, 0])
    return (
        np.concatenate([a * windows for a in amplitudes]),
        np.concatenate([a * targets for a in amplitudes]),
    )


def timed(context: Context) -> Timed:
    """The net's shape and a batch of real train windows."""
    settings = context.settings
    batch = representative_batch(*training_pairs(context.data.train, settings["amplitudes"]))
    return Timed(airline.WINDOW, settings["units"], False, settings["timing_learning_rate"], batch)


def train(
    open_learner: OpenLearner,
    series: Any,
    settings: Dict[str, Any],
    seed: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Trained:
    """Train one net on a series of the published scale, in batches of 32, Adam's rate decaying to zero."""
    started = time.perf_counter()
    windows, targets = training_pairs(series, settings["amplitudes"])
    inputs = windows[:, :, np.newaxis].astype(np.float32)
    targets = targets[:, np.newaxis].astype(np.float32)
    steps_per_epoch = -(-len(inputs) // BATCH_SIZE)
    updates = settings["epochs"] * steps_per_epoch
    learner = open_learner(settings, seed, updates)
    batches = shuffled_batches(len(inputs), BATCH_SIZE, seed)
    losses = []
    for done in range(updates):
        rows = next(batches)
        losses.append(learner.train(inputs[rows], targets[rows]))
        if done % 50 == 0:
            progress(done, updates)
    epochs = np.asarray(losses).reshape(settings["epochs"], steps_per_epoch).mean(axis=1)
    return Trained(learner, epochs.tolist(), time.perf_counter() - started)


def forecaster(predict: Callable[[Any], Any]) -> airline.Forecaster:
    """A net's ``predict`` as ``forecast(histories, horizon)``, its answers fed back in beyond one month."""

    def forecasts(histories: Any, horizon: int) -> Any:
        known = np.asarray(histories, float)[:, -airline.WINDOW :]
        for _ in range(horizon):
            windows, level = to_net_scale(known)
            answers = predict(windows[:, :, np.newaxis].astype(np.float32))
            known = np.concatenate([known, from_net_scale(answers, level)], axis=1)
        return known[:, -horizon:]

    return forecasts


class Run(NamedTuple):
    """One seed's training and its scores."""

    seed: int
    trained: Trained
    recursive: Any  # (44,)
    one_step: Any  # (44,)
    scores: List[Score]  # recursive, one-step
    rolling_origin: List[Dict[str, Any]]


def train_to_quality(context: Context, open_learner: OpenLearner) -> Quality:
    """Train one net per seed on the 100 train months and score each on the 44 test months."""
    seeds = context.settings["seeds"]
    runs = []
    for turn in range(seeds):

        def progress(done: int, updates: int, turn: int = turn) -> None:
            context.progress("quality", turn * updates + done, seeds * updates)

        trained = train(open_learner, context.data.train, context.settings, context.seed + turn, progress)
        # At once: in TensorFlow 1 the next training takes this net's session away.
        ask = forecaster(trained.learner.predict)
        recursive, one_step = airline.forecast_test_part(context.data, ask)
        scores = airline.score_both(context.data, recursive, one_step)
        rolling = airline.rolling_origins(context.data, ask)
        runs.append(Run(context.seed + turn, trained, recursive, one_step, scores, rolling))
    return _quality(context, runs)


def _quality(context: Context, runs: List[Run]) -> Quality:
    """Medians over the seeds; history, forecasts and rolling-origin errors of the seed in the middle."""
    middle = sorted(runs, key=lambda run: run.scores[1].loss)[(len(runs) - 1) // 2]
    scores = [
        Score(
            middle.scores[index].protocol,
            float(np.median([run.scores[index].loss for run in runs])),
            float(np.median([run.scores[index].accuracy for run in runs])),
            Reason("median-of-seeds", {"seeds": len(runs)}) if len(runs) > 1 else None,
        )
        for index in range(2)
    ]
    return Quality(
        protocol="one-step",
        loss_metric="mse",
        accuracy_metric="r2",
        scores=scores + airline.baselines(context.data),
        by_seed=[
            {
                "seed": run.seed,
                "seconds": run.trained.seconds,
                "loss": run.scores[1].loss,
                "accuracy": run.scores[1].accuracy,
                "recursive_loss": run.scores[0].loss,
                "recursive_accuracy": run.scores[0].accuracy,
            }
            for run in runs
        ],
        epochs=context.settings["epochs"],
        history={"loss": middle.trained.losses},
        forecasts={
            "truth": context.data.test.tolist(),
            "recursive": middle.recursive.tolist(),
            "one-step": middle.one_step.tolist(),
        },
        rolling_origin=middle.rolling_origin,
    )
