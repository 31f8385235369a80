"""Two sets of timings held against each other: the ratio of their medians, its interval, and a verdict."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from report.documents import Unusable, read_bytes
from report.load import CALIBRATION_FILE

Verdict = Literal["faster", "slower", "indistinguishable"]

RESAMPLES = 4999
_LOWEST, _HIGHEST = 124, 4874  # 2.5 % of (RESAMPLES + 1) from either end (Efron and Tibshirani, section 12.5)
MIN_SAMPLES = 6
"""With fewer samples not even their whole range covers the median with 95 % (see runners.measure.median_interval)."""

DEFAULT_NOISE = 0.10
"""The noise assumed of a machine that was never calibrated, as a share of the time.

Ten per cent is where pyperf and torch.utils.benchmark begin to call a measurement unstable; a smaller difference
between two runs of an unknown machine is no finding.
"""

CALIBRATION_VERSION = 1


class CalibrationError(Exception):
    """A calibration file cannot be used. The message names the file, what is wrong with it and the cure."""


@dataclass(frozen=True)
class Noise:
    """How far two runs of the same thing on one machine may lie apart.

    ``relative`` is a share of the time: 95 % of repeated runs in fresh processes have a ratio of their medians
    within ``1 / (1 + relative)`` and ``1 + relative``.
    """

    relative: float = DEFAULT_NOISE
    calibrated: bool = False


@dataclass(frozen=True)
class Ratio:
    """Median of b over median of a. ``low`` and ``high`` bound its 95 % interval; ``None``: too few samples."""

    value: float
    low: float | None
    high: float | None


def median_ratio(a_samples: Sequence[float], b_samples: Sequence[float]) -> Ratio:
    """The median of ``b_samples`` over that of ``a_samples`` (seconds, > 0) with a 95 % bootstrap interval.

    Percentile bootstrap of two independent samples (Efron and Tibshirani, An Introduction to the Bootstrap, 1993,
    sections 8.3 and 13.3). The same samples always give the same interval: the seed is fixed.
    Raises ValueError where a side is empty or holds a value that is not finite and positive.
    """
    a, b = _sorted_times(a_samples), _sorted_times(b_samples)
    value = float((b[(len(b) - 1) // 2] + b[len(b) // 2]) / (a[(len(a) - 1) // 2] + a[len(a) // 2]))
    if min(len(a), len(b)) < MIN_SAMPLES:
        return Ratio(value, None, None)
    ratios = _bootstrap_medians(b, side=1) / _bootstrap_medians(a, side=0)
    ratios.partition((_LOWEST, _HIGHEST))
    low, high = ratios[_LOWEST], ratios[_HIGHEST]
    return Ratio(value, float(low), float(high))


def judge(ratio: Ratio, noise: Noise) -> Verdict:
    """What b is, seen from a: told apart only where the ratio's whole interval lies beyond the noise.

    That is outside both: the interval must exclude 1, and no ratio within it may be one that repeated runs of the
    same thing have. It asks more than the two conditions each by itself, because the interval holds only what varies
    within the runs and the noise only what varies between them, and the two add up. Up and down are the same distance
    on a logarithmic scale, so exchanging a and b exchanges the verdicts.
    """
    if ratio.low is None or ratio.high is None:
        return "indistinguishable"
    if ratio.high * (1 + noise.relative) < 1:
        return "faster"
    return "slower" if ratio.low > 1 + noise.relative else "indistinguishable"


def verdict(a_samples: Sequence[float], b_samples: Sequence[float], noise: Noise) -> Verdict:
    """Whether b is faster or slower than a; see ``median_ratio`` and ``judge``."""
    return judge(median_ratio(a_samples, b_samples), noise)


@dataclass(frozen=True)
class Calibration:
    """What ``make calibrate`` learnt of a machine with one stack: shares of the time by device, and by framework."""

    noise: Mapping[str, float]
    of_frameworks: Mapping[tuple[str, str], float]

    def of(self, device: str, framework: str) -> Noise:
        """The framework's own noise, that of the noisiest where it has none, the default where nothing was learnt."""
        share = self.of_frameworks.get((device, framework), self.noise.get(device))
        return Noise() if share is None else Noise(share, True)


def read_calibration(stack_folder: Path) -> Calibration:
    """The calibration file beside a machine's results with one stack; an empty one where there is none.

    Raises CalibrationError.

    The file: ``{"schema_version": 1, "noise": {"cpu": 0.31, "gpu": 0.012}, "noise_of": {"cpu": {"keras": 0.31,
    "classical": 0.062}}}``; ``noise`` is the noisiest framework's, ``noise_of`` may be absent, other keys are the
    calibration's own.
    """
    path = stack_folder / CALIBRATION_FILE
    cure = "run `make calibrate` again, or remove the file"
    if not os.path.lexists(path):
        return Calibration({}, {})
    try:
        document = json.loads(read_bytes(path, stack_folder.resolve(), "calibration", "calibrate again"))
    except Unusable as unusable:
        raise CalibrationError(f"{path}: {unusable}; {unusable.cure}") from None
    except (ValueError, RecursionError) as error:
        raise CalibrationError(f"{path}: cannot be read as JSON ({error}); {cure}") from None
    version = document.get("schema_version") if isinstance(document, dict) else None
    if version != CALIBRATION_VERSION:
        raise CalibrationError(f"{path}: schema_version is {version!r}, not {CALIBRATION_VERSION}; {cure}")
    devices = document.get("noise")
    if not isinstance(devices, dict):
        raise CalibrationError(f"{path}: noise is {type(devices).__name__}, not an object of devices; {cure}")
    found = document.get("noise_of", {})
    if not isinstance(found, dict) or not all(isinstance(frameworks, dict) for frameworks in found.values()):
        raise CalibrationError(f"{path}: noise_of is no object of devices and frameworks; {cure}")
    return Calibration(
        {device: _share(path, f"noise.{device}", value, cure) for device, value in devices.items()},
        {
            (device, framework): _share(path, f"noise_of.{device}.{framework}", value, cure)
            for device, frameworks in found.items()
            for framework, value in frameworks.items()
        },
    )


def _share(path: Path, place: str, value: Any, cure: str) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0 <= value <= 10:  # also turns NaN away
        raise CalibrationError(f"{path}: {place} is {value!r}, not a share of the time between 0 and 10; {cure}")
    return float(value)


def _sorted_times(samples: Sequence[float]) -> NDArray[np.float64]:
    times = np.sort(np.asarray(samples, dtype=np.float64))
    if not len(times) or not np.isfinite(times).all() or times[0] <= 0:
        raise ValueError("times must be finite and positive, and at least one")
    return times


def _bootstrap_medians(ordered: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Medians of ``RESAMPLES`` bootstrap resamples of sorted values, shape (RESAMPLES,)."""
    below, above = _median_ranks(len(ordered), side)
    return (ordered[below] + ordered[above]) / 2


@lru_cache(maxsize=64)
def _median_ranks(count: int, side: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which two of ``count`` sorted values make each resample's median.

    No resample is drawn: the k-th smallest of n draws from the empirical distribution F is F^-1(U), where U is the
    k-th smallest of n uniform numbers and so Beta(k, n - k + 1) distributed; given U, the next one is
    U + (1 - U) Beta(1, n - k) (David and Nagaraja, Order Statistics, 3rd ed., sections 2.2 and 2.5). So a median
    costs two random numbers instead of n, with the distribution that resampling has, and ranks depend on n alone.
    """
    random = np.random.default_rng((20170805, side, count))
    rank = (count + 1) // 2
    lower = random.beta(rank, count - rank + 1, RESAMPLES)
    upper = lower if count % 2 else lower + (1 - lower) * random.beta(1, count - rank, RESAMPLES)
    below, above = (np.minimum((count * place).astype(np.intp), count - 1) for place in (lower, upper))
    return below, above
