"""Training and judging the Bi-LSTM on household electricity, one minute ahead from the hour before.

The net sees the hour standardized with the train part's mean and deviation, and answers with the change from the
last minute in units of the train part's deviation of such changes. Its output layer starts at zero, so the
untrained net is persistence (next = last) and whatever it learns is a correction of that.

Windows are views of the series; only the rows of one batch are ever copied.
"""

import time
from typing import Any, Callable, Dict, List, NamedTuple, Tuple

import numpy as np

from runners.contract import BATCH_SIZE, Context, Quality, Score, Steps
from runners.data import forecast
from runners.keras import compat, network
from runners.keras.checkpoint import Checkpoint

WINDOW = 60
BLOCK = 1 << 15  # windows that a baseline looks at together
FORECASTS_KEPT = 1440  # minutes of the test part whose forecasts the record keeps: its first day


class Scale(NamedTuple):
    """Standardization fitted on the train part, in units of the published scale."""

    mean: float
    deviation: float
    change: float  # deviation of the change from one minute to the next


class Part(NamedTuple):
    """Windows (n, 60) and the minutes (n,) that follow them: views of the series on the published scale."""

    windows: Any
    following: Any


def parts(household: Any, settings: Dict[str, Any]) -> Tuple[Part, Part]:
    """The train and the test part, cut to the minutes that the settings name.

    The train part is the last ``train_minutes`` before the split, the test part the first ``test_minutes`` after
    it, so that a small one of either is a season together. A test window may reach back into the train part; no
    train target lies in the test part.
    """
    split = len(household.train)
    start = split - (settings["train_minutes"] or split)
    end = split + (settings["test_minutes"] or len(household.test))
    train = forecast.windows(household.scaled[max(start, 0) : split], WINDOW)
    test = forecast.windows(household.scaled[split - WINDOW : end], WINDOW)
    return Part(*train), Part(*test)


def fit_scale(part: Part) -> Scale:
    """The scale of a train part."""
    following = np.asarray(part.following, np.float64)
    change = following - part.windows[:, -1]
    return Scale(float(following.mean()), float(following.std()), float(change.std()))


def questions(part: Part, rows: Any, scale: Scale) -> Any:
    """The windows of ``rows`` as the net sees them, float32 (n, 60, 1)."""
    return ((part.windows[rows] - np.float32(scale.mean)) / np.float32(scale.deviation))[:, :, np.newaxis]


def changes(part: Part, rows: Any, scale: Scale) -> Any:
    """The answers wanted for ``rows``, float32 (n, 1)."""
    return ((part.following[rows] - part.windows[rows, -1]) / np.float32(scale.change))[:, np.newaxis]


def forecasts(
    net: Any,
    part: Part,
    scale: Scale,
    batch_size: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Any:
    """The net's forecasts (n,) of the minutes that follow the part's windows, on the published scale."""
    count = len(part.following)
    values = np.empty(count, np.float64)
    for start in range(0, count, batch_size):
        rows = np.arange(start, start + batch_size) % count  # a last batch wraps, so all have one shape
        answers = np.asarray(net.predict_on_batch(questions(part, rows, scale)))[:, 0]
        kept = min(batch_size, count - start)
        values[start : start + kept] = part.windows[rows[:kept], -1] + answers[:kept] * scale.change
        if start // batch_size % 50 == 0:
            progress(start, count)
    return values


def persistence(part: Part) -> Any:
    """The forecast that the next minute is as the last, (n,)."""
    return np.asarray(part.windows[:, -1], np.float64)


def fit_autoregression(part: Part) -> Any:
    """Coefficients (61,) of a linear AR(60) with constant by least squares; the constant is the last one.

    The normal equations are summed up block by block, so that the windows are never copied as a whole.
    """
    gram = np.zeros((WINDOW + 1, WINDOW + 1))
    moment = np.zeros(WINDOW + 1)
    for design, following in _blocks(part):
        gram += design.T.dot(design)
        moment += design.T.dot(following)
    return np.linalg.solve(gram, moment)


def autoregression(part: Part, coefficients: Any) -> Any:
    """Forecasts (n,) of the AR(60)."""
    return np.concatenate([design.dot(coefficients) for design, _ in _blocks(part)])


def _blocks(part: Part) -> Any:
    for start in range(0, len(part.following), BLOCK):
        windows = np.asarray(part.windows[start : start + BLOCK], np.float64)
        yield np.column_stack([windows, np.ones(len(windows))]), part.following[start : start + BLOCK]


def prepare(context: Context) -> Steps:
    """An untrained net and a batch of real train windows, for timing."""
    settings = context.settings
    train, _ = parts(context.data, settings)
    scale = fit_scale(train)
    compat.start_over()
    compat.seed_everything(context.seed)
    net = network.build_for_timing(settings, WINDOW, bidirectional=True)
    every = np.arange(len(train.following))
    rows = every[:: max(1, len(every) // 50000)]  # enough to choose from, without copying the whole series
    batch = network.representative_batch(questions(train, rows, scale)[:, :, 0], changes(train, rows, scale)[:, 0])
    details = {
        "layers": ["bidirectional LSTM 2 x {}".format(settings["units"])] * 2 + ["linear 1"],
        "window": WINDOW,
    }
    return network.steps(
        net,
        batch,
        details,
        settings,
        train_batches=-(-(len(context.data.train) - WINDOW) // BATCH_SIZE),
        test_batches=-(-len(context.data.test) // BATCH_SIZE),
    )


def train_to_quality(context: Context) -> Quality:
    """Trains on the train part and scores the test part, beside persistence and a linear AR(60) on the same."""
    train, test = parts(context.data, context.settings)
    scale = fit_scale(train)
    net, losses, epoch_seconds = _train(context, train, scale)
    started = time.perf_counter()
    whole = context.profile == "full"
    values = forecasts(
        net,
        test,
        scale,
        BATCH_SIZE if whole else 32 * BATCH_SIZE,
        lambda done, total: context.progress("test set", done, total),
    )
    test_seconds = time.perf_counter() - started
    linear = autoregression(test, fit_autoregression(train))
    scores = [_score(test, values)]
    for name, baseline in (("persistence", persistence(test)), ("linear AR(60)", linear)):
        scores.append(_score(test, baseline)._replace(baseline=True, name=name))
    return Quality(
        protocol="one-step",
        loss_metric="mse",
        accuracy_metric="r2",
        scores=scores,
        by_seed=[
            {
                "seed": context.seed,
                "seconds": float(np.sum(epoch_seconds)),
                "loss": scores[0].loss,
                "accuracy": scores[0].accuracy,
            }
        ],
        epochs=context.settings["epochs"],
        history={"loss": losses, "seconds": epoch_seconds},
        forecasts={
            "truth": [float(value) for value in test.following[:FORECASTS_KEPT]],
            "one-step": [float(value) for value in values[:FORECASTS_KEPT]],
        },
        epoch_seconds=float(np.median(epoch_seconds)) if whole else None,
        test_seconds=test_seconds if whole else None,
        notes=_notes(context, train, test),
    )


def _train(context: Context, train: Part, scale: Scale) -> Tuple[Any, List[float], List[float]]:
    """The trained net, the mean loss and the seconds of each epoch; goes on from a checkpoint where there is one."""
    settings = context.settings
    compat.start_over()
    compat.seed_everything(context.seed)
    count = len(train.following)
    an_epoch = -(-count // BATCH_SIZE)
    rate = compat.cosine_decay(settings["learning_rate"], settings["epochs"] * an_epoch)
    net = network.build(WINDOW, settings["units"], bidirectional=True, zero_output=True)
    network.compile_with_adam(net, rate)
    checkpoint = Checkpoint(context.checkpoints, "bilstm", dict(settings, seed=context.seed, device=context.device))
    losses, epoch_seconds = checkpoint.restore(net)
    for epoch in range(len(losses), settings["epochs"]):
        order = np.random.RandomState([context.seed, epoch]).permutation(count)
        order = np.concatenate([order, order[: an_epoch * BATCH_SIZE - count]])  # whole batches only
        total = 0.0
        started = time.perf_counter()
        for batch in range(an_epoch):
            rows = order[batch * BATCH_SIZE : (batch + 1) * BATCH_SIZE]
            total += float(net.train_on_batch(questions(train, rows, scale), changes(train, rows, scale)))
            if batch % 20 == 0:
                context.progress("quality", epoch * an_epoch + batch, settings["epochs"] * an_epoch)
        epoch_seconds.append(time.perf_counter() - started)
        losses.append(total / an_epoch)
        checkpoint.save(net, losses, epoch_seconds)
    return net, losses, epoch_seconds


def _score(part: Part, values: Any) -> Score:
    return Score(
        "one-step",
        forecast.mean_squared_error(part.following, values),
        forecast.r2(part.following, values),
        "on {} test minutes".format(len(part.following)),
    )


def _notes(context: Context, train: Part, test: Part) -> List[str]:
    notes = [
        "The Bi-LSTM forecasts the change from the last minute: its output of zero is persistence. "
        "How the published 0.9747 came about is not known."
    ]
    if context.profile != "full":
        notes.append(
            "The Bi-LSTM trained on the last {} windows before the split and is scored on the first {} minutes "
            "after it, not on the whole series.".format(len(train.following), len(test.following))
        )
    return notes
