"""Choose the settings of LSTM and LSTM(AUG): ``python -m experiments.keras_search``; its results are in docs/lstm.md.

No test month is read. Every candidate trains on the first 88 months and forecasts the last train year, months 88 to 99,
one month ahead; the candidate with the smallest median error over the seeds wins. Run it in Keras' environment.
"""

import argparse
import itertools
import sys
import time

import numpy as np

from runners.data import airline, forecast
from runners.keras import lstm, lstm_aug

VALIDATION_MONTHS = 12
TRAIN_MONTHS = airline.TRAIN_MONTHS - VALIDATION_MONTHS

GRIDS = {
    "lstm": {"units": [32, 64], "epochs": [150, 300], "learning_rate": [2e-3, 5e-3], "amplitudes": [[1.0]]},
    "lstm-aug": {
        "units": [64],
        "epochs": [60],
        "learning_rate": [2e-3, 5e-3, 1e-2],
        "amplitudes": [[1.0, 0.8, 0.9, 1.1, 1.2], [1.0, 0.9, 0.95, 1.05, 1.1], [1.0, 0.6, 0.8, 1.2, 1.4]],
    },
}
MODELS = {"lstm": lstm.MODEL, "lstm-aug": lstm_aug.MODEL}


def candidates(key):
    """Every combination of the row's grid, with the rest of its settings as in ``full``."""
    for values in itertools.product(*GRIDS[key].values()):
        settings = dict(MODELS[key].settings["full"])
        settings.update({name: values[index] for index, name in enumerate(GRIDS[key])})
        yield settings


def validation_scores(train_part, settings, seeds):
    """Mean squared error and R2 of the last train year (seeds, 2) on the published scale, one step ahead.

    Takes the 100 train months, so that no test month can be read.
    """
    from runners.keras.lstm_rows import opener
    from runners.nets import airline_lstm as task

    histories, truth = forecast.windows(train_part, airline.WINDOW)
    histories, truth = histories[-VALIDATION_MONTHS:], truth[-VALIDATION_MONTHS:]
    scores = []
    for seed in range(seeds):
        trained = task.train(opener(task), train_part[:TRAIN_MONTHS], settings, seed)
        values = task.forecaster(trained.learner.predict)(histories, 1)[:, 0]
        scores.append((forecast.mean_squared_error(truth, values), forecast.r2(truth, values)))
    return np.asarray(scores)


def main(arguments=None):
    """Print one line of a Markdown table per candidate, then the best."""
    parser = argparse.ArgumentParser(prog="python -m experiments.keras_search", description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=sorted(GRIDS), default="lstm", help="default: lstm")
    parser.add_argument("--seeds", type=int, default=10, metavar="N", help="nets per candidate (default: 10)")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="default: 1")
    asked = parser.parse_args(arguments)
    if asked.seeds < 1 or asked.threads < 1:
        parser.error("--seeds and --threads take a number of at least 1")

    from runners.keras.backend import open_backend

    open_backend("cpu", asked.threads)
    names = list(GRIDS[asked.model])
    print(f"| {' | '.join(names)} | median MSE | median R2 | smallest and largest MSE | seconds per net |")
    print("|" + "---|" * (len(names) + 4))
    results = []
    for settings in candidates(asked.model):
        started = time.perf_counter()
        scores = validation_scores(airline.load().train, settings, asked.seeds)
        seconds = (time.perf_counter() - started) / asked.seeds
        (error, accuracy), errors = np.median(scores, axis=0), scores[:, 0]
        chosen = {name: settings[name] for name in names}
        results.append((error, len(results), chosen))
        values = " | ".join(str(value) for value in chosen.values())
        print(
            f"| {values} | {error:.6f} | {accuracy:.4f} | {errors.min():.6f}, {errors.max():.6f} | {seconds:.1f} |",
            flush=True,
        )
    print(f"\nbest: {min(results)[2]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
