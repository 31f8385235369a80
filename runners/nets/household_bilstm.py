"""The Bi-LSTM on household electricity, trained and scored by any framework: one minute ahead from the hour before it.

The net sees the hour standardized with the train part's mean and standard deviation, and returns the change from the
last minute in units of the train part's standard deviation of such changes. Its output layer starts at zero, so the
untrained net is persistence (next = last) and whatever it learns is a correction of that.

Windows are views of the series; only the rows of one batch are ever copied.
"""

import time
from typing import Any, Callable, Dict, List, NamedTuple, Tuple

import numpy as np

from runners.contract import BATCH_SIZE, Context, Quality, Reason, Score
from runners.data import forecast
from runners.nets.learner import Learner, OpenLearner, Timed, representative_batch

BIDIRECTIONAL = True
WINDOW = 60
BLOCK = 1 << 15  # windows that a baseline takes together
FORECASTS_KEPT = 1440  # minutes of the test part whose forecasts the record keeps: its first day


class Scale(NamedTuple):
    """Standardization fitted on the train part, in units of the published scale."""

    mean: float
    std: float
    change_std: float  # of the change from one minute to the next


class Part(NamedTuple):
    """Windows (n, 60) and the minutes (n,) after them: views of the series on the published scale."""

    windows: Any
    next_values: Any


def parts(household: Any, settings: Dict[str, Any]) -> Tuple[Part, Part]:
    """The train and the test part, cut to the minutes that the settings name.

    The train part is the last ``train_minutes`` before the split, the test part the first ``test_minutes`` after it,
    so that small parts are of one season. A test window may reach back into the train part; no train target lies in
    the test part.
    """
    split = len(household.train)
    start = split - (settings["train_minutes"] or split)
    end = split + (settings["test_minutes"] or len(household.test))
    train = forecast.windows(household.scaled[max(start, 0) : split], WINDOW)
    test = forecast.windows(household.scaled[split - WINDOW : end], WINDOW)
    return Part(*train), Part(*test)


def fit_scale(part: Part) -> Scale:
    """The scale of a train part."""
    next_values = np.asarray(part.next_values, np.float64)
    change = next_values - part.windows[:, -1]
    return Scale(float(next_values.mean()), float(next_values.std()), float(change.std()))


def inputs(part: Part, rows: Any, scale: Scale) -> Any:
    """The windows of ``rows`` as the net sees them, float32 (n, 60, 1)."""
    return ((part.windows[rows] - np.float32(scale.mean)) / np.float32(scale.std))[:, :, np.newaxis]


def targets(part: Part, rows: Any, scale: Scale) -> Any:
    """The changes that the net is to return for ``rows``, float32 (n, 1)."""
    return ((part.next_values[rows] - part.windows[rows, -1]) / np.float32(scale.change_std))[:, np.newaxis]


def forecasts(
    predict: Callable[[Any], Any],
    part: Part,
    scale: Scale,
    batch_size: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Any:
    """The net's forecasts (n,) of the minutes after the part's windows, on the published scale."""
    changes = answers(predict, len(part.next_values), lambda rows: inputs(part, rows, scale), batch_size, progress)
    return persistence(part) + changes * scale.change_std


def answers(
    predict: Callable[[Any], Any],
    count: int,
    inputs_of: Callable[[Any], Any],
    batch_size: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Any:
    """The net's answers (count,) to all rows. A last batch wraps, so that all have one shape."""
    values = np.empty(count, np.float32)
    for start in range(0, count, batch_size):
        rows = np.arange(start, start + batch_size) % count
        kept = min(batch_size, count - start)
        values[start : start + kept] = np.asarray(predict(inputs_of(rows)))[:kept, 0]
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
    for design, next_values in _blocks(part):
        gram += design.T.dot(design)
        moment += design.T.dot(next_values)
    return np.linalg.solve(gram, moment)


def autoregression(part: Part, coefficients: Any) -> Any:
    """Forecasts (n,) of the AR(60)."""
    return np.concatenate([design.dot(coefficients) for design, _ in _blocks(part)])


def _blocks(part: Part) -> Any:
    for start in range(0, len(part.next_values), BLOCK):
        windows = np.asarray(part.windows[start : start + BLOCK], np.float64)
        yield np.column_stack([windows, np.ones(len(windows))]), part.next_values[start : start + BLOCK]


def timed(context: Context) -> Timed:
    """The net's shape and a batch of real train windows."""
    settings, data = context.settings, context.data
    train, _ = parts(data, settings)
    scale = fit_scale(train)
    every = np.arange(len(train.next_values))
    rows = every[:: max(1, len(every) // 50000)]  # enough to choose from, without copying the whole series
    batch = representative_batch(inputs(train, rows, scale)[:, :, 0], targets(train, rows, scale)[:, 0])
    return Timed(
        WINDOW,
        settings["units"],
        True,
        settings["timing_learning_rate"],
        batch,
        train_batches=-(-(len(data.train) - WINDOW) // BATCH_SIZE),
        test_batches=-(-len(data.test) // BATCH_SIZE),
    )


def train_to_quality(context: Context, open_learner: OpenLearner, checkpoint: Any = None) -> Quality:
    """Train on the train part and score the test part, beside persistence and a linear AR(60) on the same."""
    train, test = parts(context.data, context.settings)
    scale = fit_scale(train)
    learner, losses, epoch_seconds = fit(
        context,
        len(train.next_values),
        lambda rows: (inputs(train, rows, scale), targets(train, rows, scale)),
        open_learner,
        checkpoint,
    )
    started = time.perf_counter()
    complete = context.profile == "full"
    values = forecasts(
        learner.predict,
        test,
        scale,
        BATCH_SIZE if complete else 32 * BATCH_SIZE,
        lambda done, total: context.progress("test set", done, total),
    )
    test_seconds = time.perf_counter() - started
    linear = autoregression(test, fit_autoregression(train))
    scores = [_score(test, values)]
    for name, baseline in (("persistence", persistence(test)), ("linear AR(60)", linear)):
        scores.append(_score(test, baseline)._replace(baseline=True, name=name))
    by_seed = {"seed": context.seed, "seconds": float(np.sum(epoch_seconds))}
    part = Reason("bilstm-part", {"windows": len(train.next_values), "minutes": len(test.next_values)})
    return Quality(
        protocol="one-step",
        loss_metric="mse",
        accuracy_metric="r2",
        scores=scores,
        by_seed=[dict(by_seed, loss=scores[0].loss, accuracy=scores[0].accuracy)],
        epochs=context.settings["epochs"],
        history={"loss": losses, "seconds": epoch_seconds},
        forecasts={
            "truth": test.next_values[:FORECASTS_KEPT].tolist(),
            "one-step": values[:FORECASTS_KEPT].tolist(),
        },
        epoch_seconds=float(np.median(epoch_seconds)) if complete else None,
        test_seconds=test_seconds if complete else None,
        notes=[] if complete else [part],
    )


def fit(
    context: Context,
    count: int,
    batch_of: Callable[[Any], Tuple[Any, Any]],
    open_learner: OpenLearner,
    checkpoint: Any = None,
) -> Tuple[Learner, List[float], List[float]]:
    """The net trained on ``count`` rows, with the mean loss and the seconds of each epoch.

    ``batch_of(rows)`` returns inputs and targets. The training continues from the checkpoint where that has something.
    """
    settings = context.settings
    steps_per_epoch = -(-count // BATCH_SIZE)
    learner = open_learner(settings, context.seed, settings["epochs"] * steps_per_epoch)
    losses, epoch_seconds = checkpoint.restore(learner.net) if checkpoint else ([], [])
    for epoch in range(len(losses), settings["epochs"]):
        order = np.random.RandomState([context.seed, epoch]).permutation(count)
        order = np.concatenate([order, order[: steps_per_epoch * BATCH_SIZE - count]])  # complete batches only
        total = 0.0
        started = time.perf_counter()
        for step in range(steps_per_epoch):
            rows = order[step * BATCH_SIZE : (step + 1) * BATCH_SIZE]
            total += learner.train(*batch_of(rows))
            if step % 20 == 0:
                done = epoch * steps_per_epoch + step
                context.progress("quality", done, settings["epochs"] * steps_per_epoch)
        epoch_seconds.append(time.perf_counter() - started)
        losses.append(total / steps_per_epoch)
        if checkpoint:
            checkpoint.save(learner.net, losses, epoch_seconds)
    return learner, losses, epoch_seconds


def _score(part: Part, values: Any) -> Score:
    truth = part.next_values
    note = Reason("test-minutes", {"minutes": len(truth)})
    return Score("one-step", forecast.mean_squared_error(truth, values), forecast.r2(truth, values), note)
