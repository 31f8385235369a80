"""The ratio of two medians, its interval and the verdict."""

import json
import math
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from report.statistics import (
    DEFAULT_NOISE,
    CalibrationError,
    Noise,
    Ratio,
    judge,
    median_ratio,
    read_calibration,
    verdict,
)

TIMES = st.lists(st.floats(1e-6, 1e3), min_size=6, max_size=40)
QUIET = Noise(0.01, calibrated=True)


def lognormal(seed: int, count: int, median: float = 0.01, spread: float = 0.05) -> list[float]:
    """Seconds as a benchmark gives them: skewed to the right."""
    return list(median * np.exp(np.random.default_rng(seed).normal(0, spread, count)))


def test_the_ratio_is_b_over_a() -> None:
    """Half the time gives one half, with the interval around it."""
    ratio = median_ratio([2.0] * 9 + [2.2], [1.0] * 9 + [1.1])
    assert ratio == Ratio(0.5, 0.5, 0.5)


def test_the_interval_repeats_exactly() -> None:
    """The bootstrap is seeded, so a page regenerates byte for byte."""
    a, b = lognormal(1, 50), lognormal(2, 60)
    assert median_ratio(a, b) == median_ratio(a, b)


def test_fewer_than_six_samples_have_no_interval() -> None:
    """Five samples cannot bound a median with 95 %, so nothing may be claimed from them."""
    ratio = median_ratio([1.0] * 5, [9.0] * 50)
    assert ratio == Ratio(9.0, None, None)
    assert judge(ratio, QUIET) == "indistinguishable"


@pytest.mark.parametrize("count", [7, 10, 51, 200])
def test_the_interval_is_that_of_plain_resampling(count: int) -> None:
    """Drawing the medians' ranks gives the interval that drawing whole resamples gives."""
    a, b = np.array(lognormal(3, count)), np.array(lognormal(4, count, 0.011))
    random = np.random.default_rng(5)
    medians = [np.median(side[random.integers(0, count, (20000, count))], axis=1) for side in (a, b)]
    expected = np.quantile(medians[1] / medians[0], [0.025, 0.975])
    ratio = median_ratio(list(a), list(b))
    assert ratio.low == pytest.approx(expected[0], rel=0.004)
    assert ratio.high == pytest.approx(expected[1], rel=0.004)


def test_the_interval_covers_the_true_ratio_about_95_times_in_100() -> None:
    """Over 1,000 pairs of skewed samples whose true ratio is known, 93 to 98 % of the intervals hold it."""
    held = 0
    for seed in range(1000):
        ratio = median_ratio(lognormal(seed, 30), lognormal(5000 + seed, 30, 0.012))
        assert ratio.low is not None
        assert ratio.high is not None
        held += ratio.low <= 1.2 <= ratio.high
    assert 930 <= held <= 980


def test_a_calm_repetition_is_indistinguishable() -> None:
    """Two runs that differ by less than the machine's noise are not told apart, however tight their intervals."""
    a, b = lognormal(1, 500, 0.0100, 0.001), lognormal(2, 500, 0.0102, 0.001)
    ratio = median_ratio(a, b)
    assert ratio.low is not None
    assert ratio.low > 1
    assert verdict(a, b, Noise(0.05, calibrated=True)) == "indistinguishable"
    assert verdict(a, b, QUIET) == "slower"


def test_a_wide_interval_is_indistinguishable() -> None:
    """A ratio beyond the noise is no finding while its interval reaches back into it."""
    noise = Noise(0.10, calibrated=True)
    assert judge(Ratio(1.50, 0.90, 2.40), noise) == "indistinguishable"
    assert judge(Ratio(1.50, 1.09, 2.40), noise) == "indistinguishable"
    assert judge(Ratio(1.50, 1.11, 2.40), noise) == "slower"
    assert judge(Ratio(0.70, 0.40, 0.92), noise) == "indistinguishable"
    assert judge(Ratio(0.70, 0.40, 0.90), noise) == "faster"


@pytest.mark.parametrize("within", [0.01, 0.03, 0.10])
def test_false_and_missed_verdicts_are_rare(within: float) -> None:
    """At most 5 % of 200 A/A pairs differ, and 90 % of slowdowns by three times the noise are found.

    The noise here is only what lies between the processes, the harder case: what varies within them comes on top.
    """
    random = np.random.default_rng(11)
    floor = Noise(math.exp(1.959964 * 0.02 * math.sqrt(2)) - 1, calibrated=True)
    false = missed = 0
    for seed in range(200):
        process_a, process_b = 0.01 * np.exp(random.normal(0, 0.02, 2))
        a, b = lognormal(seed, 100, process_a, within), lognormal(900 + seed, 100, process_b, within)
        false += verdict(a, b, floor) != "indistinguishable"
        missed += verdict(a, [time * (1 + 3 * floor.relative) for time in b], floor) != "slower"
    assert false <= 10
    assert missed <= 20


@given(TIMES, TIMES, st.sampled_from([0.0131, 0.1717]))
def test_the_verdict_agrees_with_what_it_is_made_of(a: list[float], b: list[float], noise: float) -> None:
    """Exchanging the sides exchanges the verdicts, and a side never differs from itself."""
    ratio = median_ratio(a, b)
    assert ratio.low is not None
    assert ratio.high is not None
    assert ratio.low <= ratio.high
    exchanged = Ratio(1 / ratio.value, 1 / ratio.high, 1 / ratio.low)
    opposite = {"faster": "slower", "slower": "faster", "indistinguishable": "indistinguishable"}
    assert judge(exchanged, Noise(noise)) == opposite[judge(ratio, Noise(noise))]
    assert verdict(a, a, Noise(noise)) == "indistinguishable"


@pytest.mark.parametrize("bad", [[], [0.0], [-1.0], [float("nan")], [float("inf")]])
def test_impossible_times_are_turned_away(bad: list[float]) -> None:
    """An empty side, a zero, a negative, a NaN or an infinite time is a mistake, not a ratio."""
    with pytest.raises(ValueError, match="finite and positive"):
        median_ratio(bad, [1.0] * 10)


def test_a_machine_without_calibration_gets_the_default(tmp_path: Path) -> None:
    """No file: ten per cent, and marked as not calibrated."""
    assert read_calibration(tmp_path).of("cpu", "keras") == Noise(0.10, calibrated=False)
    assert DEFAULT_NOISE == 0.10


def test_the_calibration_is_read_by_device(tmp_path: Path) -> None:
    """Each device has its own noise; a device that the file lacks is not calibrated."""
    text = '{"schema_version": 1, "noise": {"cpu": 0.031}, "started": "2026-11-24"}'
    (tmp_path / "calibration.json").write_text(text)
    assert read_calibration(tmp_path).of("cpu", "keras") == Noise(0.031, calibrated=True)
    assert read_calibration(tmp_path).of("gpu", "keras") == Noise(0.10, calibrated=False)


def test_a_framework_has_its_own_noise(tmp_path: Path) -> None:
    """One that was not calibrated gets that of the noisiest."""
    noise_of = {"cpu": {"keras": 0.31, "classical": 0.062}}
    document = {"schema_version": 1, "noise": {"cpu": 0.31}, "noise_of": noise_of}
    (tmp_path / "calibration.json").write_text(json.dumps(document))
    assert read_calibration(tmp_path).of("cpu", "classical") == Noise(0.062, calibrated=True)
    assert read_calibration(tmp_path).of("cpu", "pytorch") == Noise(0.31, calibrated=True)


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        (json.dumps({"schema_version": 1, "noise": {}, "noise_of": []}), "noise_of is no object"),
        (json.dumps({"schema_version": 1, "noise": {}, "noise_of": {"cpu": {"x": -1}}}), "noise_of.cpu.x is -1, not a"),
        ("{", "cannot be read as JSON"),
        ("[]", "schema_version is None, not 1"),
        (json.dumps({"schema_version": 2, "noise": {}}), "schema_version is 2, not 1"),
        (json.dumps({"schema_version": 1}), "noise is NoneType, not an object of devices"),
        (json.dumps({"schema_version": 1, "noise": {"cpu": "0.1"}}), "noise.cpu is '0.1', not a share"),
        (json.dumps({"schema_version": 1, "noise": {"cpu": True}}), "noise.cpu is True, not a share"),
        (json.dumps({"schema_version": 1, "noise": {"cpu": float("nan")}}), "noise.cpu is nan, not a share"),
        (json.dumps({"schema_version": 1, "noise": {"cpu": -0.1}}), "noise.cpu is -0.1, not a share"),
    ],
)
def test_a_broken_calibration_names_file_fault_and_cure(tmp_path: Path, document: str, complaint: str) -> None:
    """A calibration that cannot be used is an error, never silently the default."""
    (tmp_path / "calibration.json").write_text(document)
    with pytest.raises(CalibrationError) as raised:
        read_calibration(tmp_path)
    assert str(raised.value).startswith(f"{tmp_path / 'calibration.json'}: {complaint}")
    assert "make calibrate" in str(raised.value)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (os.mkfifo, "is no ordinary file"),
        (lambda path: path.mkdir(), "cannot be read"),
        (lambda path: path.symlink_to("/dev/zero"), "is a link that leaves the folder"),
        (lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_WRONLY), 1 << 27), "too many for a calibration"),
    ],
)
def test_a_calibration_that_is_no_ordinary_file_hangs_nothing(
    tmp_path: Path, make: Callable[[Path], object], complaint: str
) -> None:
    """It comes from another machine like the results, and is read as carefully."""
    make(tmp_path / "calibration.json")
    with pytest.raises(CalibrationError, match=complaint):
        read_calibration(tmp_path)
