"""Training and judging an LSTM net on Airline Passenger: shared by the rows LSTM and LSTM(AUG).

The net sees a window of twelve months as logarithms of the passengers less their mean, times four, and answers
with the next month on that same scale. So the scale comes from the window alone: growth and level drop out, what
is left is the season's shape, and nothing is fitted on any month outside the window.
"""

import time
from typing import Any, Callable, Dict, List, NamedTuple, Sequence, Tuple

import numpy as np

from runners.contract import BATCH_SIZE, Context, Quality, Score, Steps
from runners.data import airline, forecast
from runners.keras import compat, network

GAIN = 4.0  # brings the logarithms' range within a window, about +-0.25, to that of the LSTM's activations


class Trained(NamedTuple):
    """One seed's net after training."""

    net: Any
    losses: List[float]  # mean training loss of each epoch, on the net's own scale
    seconds: float  # of training, compilation included


def to_net_scale(histories: Any) -> Tuple[Any, Any]:
    """Histories (n, >= 12) on the published scale as the net's windows (n, 12), and their mean logarithms (n, 1)."""
    logarithms = np.log(airline.from_scale(np.asarray(histories)[:, -airline.WINDOW :]))
    level = logarithms.mean(axis=1, keepdims=True)
    return GAIN * (logarithms - level), level


def from_net_scale(answers: Any, level: Any) -> Any:
    """The net's answers (n, 1) on the published scale."""
    return airline.to_scale(np.exp(np.asarray(answers, float) / GAIN + level))


def training_pairs(series: Any, amplitudes: Sequence[float]) -> Tuple[Any, Any]:
    """Windows (n, 12) and targets (n,) on the net's scale, once for every amplitude.

    On this scale an amplitude a stands for passengers raised to the power a: the same year with a stronger or
    weaker season. It keeps each window's mean, so augmented pairs are what the net could be asked.
    """
    inputs, following = forecast.windows(series, airline.WINDOW)
    windows, level = to_net_scale(inputs)
    targets = GAIN * (np.log(airline.from_scale(following)) - level[:, 0])
    return (
        np.concatenate([a * windows for a in amplitudes]),
        np.concatenate([a * targets for a in amplitudes]),
    )


def train(series: Any, settings: Dict[str, Any], seed: int, progress: Callable[[int, int], None]) -> Trained:
    """Trains one net on a series of the published scale, in batches of 32, Adam's rate decaying to zero."""
    started = time.perf_counter()
    compat.start_over()
    compat.seed_everything(seed)
    windows, targets = training_pairs(series, settings["amplitudes"])
    inputs = windows[:, :, np.newaxis].astype(np.float32)
    wanted = targets[:, np.newaxis].astype(np.float32)
    an_epoch = int(np.ceil(len(inputs) / float(BATCH_SIZE)))
    updates = settings["epochs"] * an_epoch
    rate = compat.cosine_decay(settings["learning_rate"], updates)
    net = network.compile_with_adam(network.build(airline.WINDOW, settings["units"]), rate)
    batches = network.shuffled_batches(len(inputs), BATCH_SIZE, seed)
    losses = []
    for done in range(updates):
        rows = next(batches)
        losses.append(float(net.train_on_batch(inputs[rows], wanted[rows])))
        if done % 50 == 0:
            progress(done, updates)
    epochs = np.asarray(losses).reshape(settings["epochs"], an_epoch).mean(axis=1)
    return Trained(net, [float(loss) for loss in epochs], time.perf_counter() - started)


def forecaster(net: Any) -> airline.Forecaster:
    """The net as ``forecast(histories, horizon)``, its own answers fed back in for a horizon beyond one month."""

    def forecasts(histories: Any, horizon: int) -> Any:
        known = np.asarray(histories, float)[:, -airline.WINDOW :]
        for _ in range(horizon):
            windows, level = to_net_scale(known)
            answers = net.predict_on_batch(windows[:, :, np.newaxis].astype(np.float32))
            known = np.concatenate([known, from_net_scale(answers, level)], axis=1)
        return known[:, -horizon:]

    return forecasts


def prepare(context: Context) -> Steps:
    """An untrained net and a batch of real train windows, for timing."""
    settings = context.settings
    compat.start_over()
    compat.seed_everything(context.seed)
    net = network.build_for_timing(settings, airline.WINDOW)
    windows, targets = training_pairs(context.data.train, settings["amplitudes"])
    details = {"layers": ["LSTM {}".format(settings["units"])] * 2 + ["linear 1"], "window": airline.WINDOW}
    return network.steps(net, network.representative_batch(windows, targets), details, settings)


class Run(NamedTuple):
    """One seed's training and how it was judged."""

    seed: int
    trained: Trained
    recursive: Any  # (44,)
    one_step: Any  # (44,)
    scores: List[Score]  # recursive, one-step
    rolling_origin: List[Dict[str, Any]]


def train_to_quality(context: Context, notes: List[str]) -> Quality:
    """Trains one net a seed on the 100 train months and scores all of them on the 44 test months."""
    turns = context.settings["seeds"]
    runs = []
    for turn in range(turns):

        def progress(done: int, updates: int, turn: int = turn) -> None:
            context.progress("quality", turn * updates + done, turns * updates)

        trained = train(context.data.train, context.settings, context.seed + turn, progress)
        ask = forecaster(trained.net)  # at once: in TensorFlow 1 the next training takes this net's session away
        recursive, one_step = airline.forecast_test_part(context.data, ask)
        scores = airline.score_both(context.data, recursive, one_step)
        rolling = airline.rolling_origins(context.data, ask)
        runs.append(Run(context.seed + turn, trained, recursive, one_step, scores, rolling))
    return _quality(context, runs, notes)


def _quality(context: Context, runs: List[Run], notes: List[str]) -> Quality:
    """Medians over the seeds; history, forecasts and rolling-origin errors of the seed in the middle."""
    middle = sorted(runs, key=lambda run: run.scores[1].loss)[(len(runs) - 1) // 2]
    scores = [
        Score(
            middle.scores[index].protocol,
            float(np.median([run.scores[index].loss for run in runs])),
            float(np.median([run.scores[index].accuracy for run in runs])),
            "median of {} seeds".format(len(runs)) if len(runs) > 1 else "",
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
            "truth": [float(value) for value in context.data.test],
            "recursive": [float(value) for value in middle.recursive],
            "one-step": [float(value) for value in middle.one_step],
        },
        rolling_origin=middle.rolling_origin,
        notes=notes,
    )
