"""What could have led to the published Bi-LSTM figure, R2 0.9747 and MSE 0.0002? Try slips of notebooks of the time.

    python -m experiments.bilstm_slips --data DIR                                   linear models: exact, minutes
    python -m experiments.bilstm_slips --data DIR --train both-sides --checkpoints DIR       a Bi-LSTM: an hour

Run it in Keras' environment; the linear models need NumPy alone. A training prints its progress, keeps a checkpoint
after every epoch and continues from it. The results are in docs/bilstm.md.
"""

import argparse
import sys
import time
from collections import namedtuple

import numpy as np

from runners.contract import Context, DataUnavailable
from runners.data import forecast, household

BLOCK = 1 << 15  # targets that a linear model takes together
SHUFFLE_SEED = 1
WINDOW = 60

Task = namedtuple("Task", "series inputs anchors train test")
"""What to forecast from what.

``series`` (n,) is on a scale of 0..1, and ``train`` and ``test`` are places of targets in it. ``inputs`` are offsets
from a target of the minutes that the model sees, and ``anchors`` of those whose mean an untrained net returns.
"""


def before(count):
    return np.arange(-count, 0)


def around(count):
    return np.concatenate([np.arange(-count, 0), np.arange(1, count + 1)])


def split(series, margin=WINDOW):
    """The targets of the first 70 % and of the last 30 %, as the row splits them, with a margin for every window."""
    places = np.arange(margin, len(series) - margin)
    border = int(len(series) * household.TRAIN_SHARE)
    return places[places < border], places[places >= border]


def shuffled_split(series):
    """The same shares drawn at random from all minutes."""
    train, test = split(series)
    places = np.random.RandomState(SHUFFLE_SEED).permutation(np.concatenate([train, test]))
    return np.sort(places[: len(train)]), np.sort(places[len(train) :])


def smoothed(series, minutes):
    """The mean of each minute and those before it, scaled to 0..1 again."""
    sums = np.cumsum(np.concatenate([[0.0], series.astype(float)]))
    means = (sums[minutes:] - sums[:-minutes]) / minutes
    return (means - means.min()) / (means.max() - means.min())


def block_means(series, minutes):
    """The mean of every ``minutes`` minutes, scaled to 0..1 again."""
    means = series[: len(series) // minutes * minutes].astype(float).reshape(-1, minutes).mean(axis=1)
    return (means - means.min()) / (means.max() - means.min())


# Linear models


def tasks(series):
    """(name, task) of every slip that a linear model can show."""
    past, parts = before(WINDOW), split(series)
    yield "none: the hour before", Task(series, past, [-1], *parts)
    for count in (1, 2, 5, 30):
        yield f"sees {count} minutes on either side", Task(series, around(count), [-1, 1], *parts)
    yield "the window contains the target", Task(series, np.arange(1 - WINDOW, 1), [-1], *parts)
    yield "a shuffled split", Task(series, past, [-1], *shuffled_split(series))
    yield "scored on train minutes", Task(series, past, [-1], parts[0], parts[0])
    for minutes in (2, 3, 5, 15, 60):
        values = smoothed(series, minutes)
        yield f"smoothed over {minutes} minutes, then scaled", Task(values, past, [-1], *split(values))
    for minutes in (5, 15, 60):
        values = block_means(series, minutes)
        yield f"means of {minutes} minutes, then scaled", Task(values, past, [-1], *split(values))


def fit_linear(task):
    """Coefficients of the inputs, and a constant at the end, by least squares on the train targets."""
    size = len(task.inputs) + 1
    gram, moment = np.zeros((size, size)), np.zeros(size)
    for design, truth in blocks(task, task.train):
        gram += design.T.dot(design)
        moment += design.T.dot(truth)
    return np.linalg.lstsq(gram, moment, rcond=-1)[0]


def blocks(task, targets):
    """(inputs with a column of ones, truth) of the targets, some at a time."""
    for start in range(0, len(targets), BLOCK):
        places = targets[start : start + BLOCK]
        inputs = task.series[places[:, np.newaxis] + task.inputs].astype(float)
        yield np.column_stack([inputs, np.ones(len(places))]), task.series[places].astype(float)


def linear_forecast(task):
    """(truth, forecast) of the test targets."""
    coefficients = fit_linear(task)
    values = [design.dot(coefficients) for design, _ in blocks(task, task.test)]
    return task.series[task.test].astype(float), np.concatenate(values)


def anchored(task, targets):
    """What an untrained net forecasts: the mean of the anchors."""
    return np.mean([task.series[targets + offset] for offset in task.anchors], axis=0)


def print_linear(series):
    """One line of a Markdown table per slip. R2 exchanged has truth and forecast exchanged, r is Pearson's."""
    print("| slip | test variance | without fit: R2 | MSE | R2 | R2 exchanged | r |\n|---|---|---|---|---|---|---|")
    for name, task in tasks(series):
        truth, values = linear_forecast(task)
        plain = forecast.r2(truth, anchored(task, task.test))
        error = forecast.mean_squared_error(truth, values)
        r2, exchanged, r = forecast.r2(truth, values), forecast.r2(values, truth), np.corrcoef(truth, values)[0, 1]
        print(
            f"| {name} | {truth.var():.7f} | {plain:.4f} | {error:.6f} | {r2:.4f} | {exchanged:.4f} | {r:.4f} |",
            flush=True,
        )


# Nets: the row's own, on other windows


def net_task(slip, series, train_minutes):
    """The task of a Bi-LSTM, with the last ``train_minutes`` of the train part."""
    parts = shuffled_split(series) if slip == "shuffled" else split(series)
    inputs, anchors = {
        "both-sides": (around(WINDOW // 2), [-1, 1]),
        "holds-target": (np.arange(1 - WINDOW, 1), [-1]),
    }.get(slip, (before(WINDOW), [-1]))
    return Task(series, inputs, anchors, parts[0][-train_minutes:], parts[1])


def train(options, series):
    """Train a Bi-LSTM on the slip's windows and print its scores on test and on train minutes."""
    from runners.keras import bilstm, lstm_rows
    from runners.keras.backend import open_backend
    from runners.nets import household_bilstm as row_task

    task = net_task(options.train, series, options.train_minutes)
    truth = task.series[task.train].astype(float)
    mean, std = np.float32(truth.mean()), np.float32(truth.std())
    change_std = np.float32((truth - anchored(task, task.train)).std())

    def inputs(places):
        return ((task.series[places[:, np.newaxis] + task.inputs] - mean) / std)[:, :, np.newaxis]

    def batch(rows):
        places = task.train[rows]
        changes = (task.series[places] - anchored(task, places)) / change_std
        return inputs(places), changes[:, np.newaxis].astype(np.float32)

    settings = dict(bilstm.MODEL.settings["full"], epochs=options.epochs, slip=options.train)
    settings["train_minutes"] = len(task.train)
    backend = open_backend("cpu", options.threads)
    context = Context(
        backend, bilstm.MODEL, "cpu", "full", settings, options.seed, None, Progress(), options.checkpoints or None
    )
    opener, checkpoint = lstm_rows.opener(row_task), lstm_rows.checkpoint(context)
    learner, losses, seconds = row_task.fit(context, len(task.train), batch, opener, checkpoint)
    print(f"losses {[round(loss, 4) for loss in losses]}, seconds {[round(one) for one in seconds]}")
    for part, targets in (("test", task.test), ("train", task.train[-len(task.test) :])):
        changes = row_task.answers(learner.predict, len(targets), lambda rows, all=targets: inputs(all[rows]), 1024)
        truth, values = task.series[targets], anchored(task, targets) + changes * change_std
        error, r2 = forecast.mean_squared_error(truth, values), forecast.r2(truth, values)
        print(f"| {options.train} | Bi-LSTM | {len(targets):,} {part} minutes | {error:.6f} | {r2:.4f} |", flush=True)


class Progress:
    """A line for every twentieth of the training, with the time."""

    def __init__(self):
        self.last = -1

    def __call__(self, phase, done, total):
        if done * 20 // total != self.last:
            self.last = done * 20 // total
            print(f"{time.strftime('%H:%M:%S')} {phase} {100 * done // total} %", flush=True)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m experiments.bilstm_slips", description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, metavar="DIR", help="folder of the fetched data sets")
    slips = ("one-sided", "both-sides", "holds-target", "shuffled")
    parser.add_argument("--train", choices=slips, help="train a Bi-LSTM with this slip instead of linear models")
    parser.add_argument("--epochs", type=int, default=3, metavar="N", help="default: %(default)s")
    parser.add_argument("--train-minutes", type=int, default=0, metavar="N", help="default: all of the first 70 %%")
    parser.add_argument("--seed", type=int, default=20170805, help="default: %(default)s")
    parser.add_argument("--threads", type=int, metavar="N", help="default: TensorFlow's choice")
    parser.add_argument("--checkpoints", default="", metavar="DIR", help="folder for checkpoints (default: none kept)")
    options = parser.parse_args(arguments)
    if options.epochs < 1 or options.train_minutes < 0 or (options.threads is not None and options.threads < 1):
        parser.error("--epochs and --threads take a number of at least 1, --train-minutes one of at least 0")
    try:
        series = household.load(options.data).scaled
    except DataUnavailable as error:
        sys.stderr.write(f"erabench: {error}\n")
        return 2
    if options.train:
        train(options, series)
    else:
        print_linear(series)
    return 0


if __name__ == "__main__":
    sys.exit(main())
