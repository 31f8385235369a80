"""Airline Passenger: monthly totals of international airline passengers, in thousands, 1949-01 to 1960-12.

Box, Jenkins and Reinsel, Time Series Analysis, series G. The 144 numbers are part of the project.
"""

import hashlib
from typing import Any, Callable, Dict, List, NamedTuple, Tuple

import numpy as np

from runners.contract import Score
from runners.data import forecast as scores
from runners.data.source import Source

PASSENGERS = (
    112, 118, 132, 129, 121, 135, 148, 148, 136, 119, 104, 118,
    115, 126, 141, 135, 125, 149, 170, 170, 158, 133, 114, 140,
    145, 150, 178, 163, 172, 178, 199, 199, 184, 162, 146, 166,
    171, 180, 193, 181, 183, 218, 230, 242, 209, 191, 172, 194,
    196, 196, 236, 235, 229, 243, 264, 272, 237, 211, 180, 201,
    204, 188, 235, 227, 234, 264, 302, 293, 259, 229, 203, 229,
    242, 233, 267, 269, 270, 315, 364, 347, 312, 274, 237, 278,
    284, 277, 317, 313, 318, 374, 413, 405, 355, 306, 271, 306,
    315, 301, 356, 348, 355, 422, 465, 467, 404, 347, 305, 336,
    340, 318, 362, 348, 363, 435, 491, 505, 404, 359, 310, 337,
    360, 342, 406, 396, 420, 472, 548, 559, 463, 407, 362, 405,
    417, 391, 419, 461, 472, 535, 622, 606, 508, 461, 390, 432,
)  # fmt: skip

TRAIN_MONTHS = 100
WINDOW = 12
SEASONAL_NAIVE = "seasonal naive"
MINIMUM, MAXIMUM = 104, 622  # of the whole series: the published scale is 0..1 between them


class Airline(NamedTuple):
    """The series on the published scale: 0..1 over the whole series, shape (144,), and its parts."""

    scaled: Any  # (144,)
    train: Any  # (100,)
    test: Any  # (44,)
    source: Source


def to_scale(passengers):
    """Thousands of passengers to the published scale."""
    return (np.asarray(passengers, float) - MINIMUM) / (MAXIMUM - MINIMUM)


def from_scale(scaled):
    """The published scale to thousands of passengers."""
    return np.asarray(scaled, float) * (MAXIMUM - MINIMUM) + MINIMUM


def describe(directory: Any = None) -> Source:
    """The series' source; ``directory`` is not used."""
    digest = hashlib.sha256(np.asarray(PASSENGERS, "<i4").tobytes()).hexdigest()
    return Source("airline", "in the project (Box and Jenkins, series G)", digest)


def load(directory: Any = None) -> Airline:
    """The series; ``directory`` is not used."""
    scaled = to_scale(PASSENGERS)
    return Airline(scaled, scaled[:TRAIN_MONTHS], scaled[TRAIN_MONTHS:], describe())


Forecaster = Callable[[Any, int], Any]
"""``forecast(histories, horizon)``: histories (n, >= 12) on the published scale -> forecasts (n, horizon)."""

HISTORY = TRAIN_MONTHS  # months that a forecast of a test month may look back on
YEAR = 12


def forecast_test_part(airline: Airline, forecaster: Forecaster) -> Tuple[Any, Any]:
    """Both protocols' forecasts of the 44 test months: (recursive, one-step), each of shape (44,).

    Recursive: all months ahead from the end of the train part. One-step: each month from the true ones before it.
    """
    recursive = np.asarray(forecaster(airline.train[np.newaxis, :], len(airline.test)), float)[0]
    histories = scores.windows(airline.scaled, HISTORY)[0]
    one_step = np.asarray(forecaster(histories, 1), float)[:, 0]
    return recursive, one_step


def rolling_origin(airline: Airline, forecaster: Forecaster, name: str = "", baseline: bool = False) -> Dict[str, Any]:
    """Errors a year ahead from every month of the test years that has a year of truth after it, published scale.

    Rolling-origin evaluation (Tashman, International Journal of Forecasting 16, 2000) with 33 origins and no new
    fit. MASE is the mean absolute error over that of the seasonal naive forecast within the train part (Hyndman and
    Koehler, International Journal of Forecasting 22, 2006). The spread of each is its quartiles over the origins.
    """
    histories, _ = scores.windows(airline.scaled, HISTORY)
    origins = len(airline.test) - YEAR + 1
    truth = np.stack([airline.test[start : start + YEAR] for start in range(origins)])
    errors = np.asarray(forecaster(histories[:origins], YEAR), float) - truth
    naive = np.mean(np.abs(airline.train[YEAR:] - airline.train[:-YEAR]))
    absolute = np.mean(np.abs(errors), axis=1)
    squared = np.mean(errors**2, axis=1)
    return {
        "name": name,
        "baseline": baseline,
        "origins": origins,
        "horizon": YEAR,
        "mae": float(np.mean(absolute)),
        "mae_quartiles": _quartiles(absolute),
        "rmse": float(np.sqrt(np.mean(squared))),
        "rmse_quartiles": _quartiles(np.sqrt(squared)),
        "mase": float(np.mean(absolute) / naive),
        "mase_quartiles": _quartiles(absolute / naive),
    }


def _quartiles(values: Any) -> List[float]:
    return [float(value) for value in np.percentile(values, [25, 75])]


def score_both(airline: Airline, recursive: Any, one_step: Any) -> List[Score]:
    """Scores of the two protocols' forecasts on the published scale."""
    return [
        Score(protocol, scores.mean_squared_error(airline.test, values), scores.r2(airline.test, values))
        for protocol, values in (("recursive", recursive), ("one-step", one_step))
    ]


def baselines(airline: Airline) -> List[Score]:
    """The seasonal naive forecast under both protocols."""
    both = score_both(airline, *forecast_test_part(airline, seasonal_naive))
    return [score._replace(baseline=True, name=SEASONAL_NAIVE) for score in both]


def rolling_origins(airline: Airline, forecaster: Forecaster) -> List[Dict[str, Any]]:
    """The forecaster's rolling-origin errors and those of the seasonal naive forecast."""
    return [
        rolling_origin(airline, forecaster),
        rolling_origin(airline, seasonal_naive, name=SEASONAL_NAIVE, baseline=True),
    ]


def seasonal_naive(histories, horizon):
    """The baseline: each month is forecast as the same month one year before."""
    last_year = np.asarray(histories, float)[:, -12:]
    return last_year[:, np.arange(horizon) % 12]
