"""Choose the settings of LSTM and LSTM(AUG): ``python -m experiments.keras_search``; its results are in docs/lstm.md.

No test month is read. Every candidate trains on the first 88 months and forecasts the last train year, months 88 to 99,
one month ahead; the candidate with the smallest median error over the seeds wins.
"""

import argparse
import itertools
import sys
import time
from typing import Any, Dict, Iterator, List, Tuple

import numpy as np

from runners.data import airline, forecast
from runners.keras import lstm, lstm_aug

VALIDATION_MONTHS = 12
TRAIN_MONTHS = airline.TRAIN_MONTHS - VALIDATION_MONTHS

GRIDS: Dict[str, Dict[str, List[Any]]] = {
    "lstm": {"units": [32, 64], "epochs": [150, 300], "learning_rate": [2e-3, 5e-3], "amplitudes": [[1.0]]},
    "lstm-aug": {
        "units": [64],
        "epochs": [60],
        "learning_rate": [2e-3, 5e-3, 1e-2],
        "amplitudes": [[1.0, 0.8, 0.9, 1.1, 1.2], [1.0, 0.9, 0.95, 1.05, 1.1], [1.0, 0.6, 0.8, 1.2, 1.4]],
    },
}
MODELS = {"lstm": lstm.MODEL, "lstm-aug": lstm_aug.MODEL}


def candidates(key: str) -> Iterator[Dict[str, Any]]:
    """Every combination of the row's grid, with the rest of its settings as in ``full``."""
    grid = GRIDS[key]
    for values in itertools.product(*grid.values()):
        yield dict(MODELS[key].settings["full"], **dict(zip(grid, values)))


def validation_scores(train_part: Any, settings: Dict[str, Any], seeds: int) -> List[Tuple[float, float]]:
    """Mean squared error and R2 of the last train year for each seed, published scale, one step ahead.

    Takes the 100 train months, so that no test month can be read.
    """
    from runners.keras import airline_lstm

    histories, truth = forecast.windows(train_part, airline.WINDOW)
    histories, truth = histories[-VALIDATION_MONTHS:], truth[-VALIDATION_MONTHS:]
    scores = []
    for seed in range(seeds):
        trained = airline_lstm.train(train_part[:TRAIN_MONTHS], settings, seed, lambda done, total: None)
        values = airline_lstm.forecaster(trained.net)(histories, 1)[:, 0]
        scores.append((forecast.mean_squared_error(truth, values), forecast.r2(truth, values)))
    return scores


def main(arguments: List[str]) -> int:
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
    train_part = airline.load().train
    names = list(GRIDS[asked.model])
    print("| {} | median MSE | median R2 | smallest and largest MSE | seconds per net |".format(" | ".join(names)))
    print("|" + "---|" * (len(names) + 4))
    best: Tuple[float, Dict[str, Any]] = (float("inf"), {})
    for settings in candidates(asked.model):
        started = time.perf_counter()
        scores = np.asarray(validation_scores(train_part, settings, asked.seeds))
        error, accuracy = np.median(scores, axis=0)
        print(
            "| {} | {:.6f} | {:.4f} | {:.6f}, {:.6f} | {:.1f} |".format(
                " | ".join(str(settings[name]) for name in names),
                error,
                accuracy,
                scores[:, 0].min(),
                scores[:, 0].max(),
                (time.perf_counter() - started) / asked.seeds,
            ),
            flush=True,
        )
        best = min(best, (error, settings), key=lambda entry: entry[0])
    print("\nbest: {}".format({name: best[1][name] for name in names}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
