"""Warnings: each appears where it should, and not by chance."""

import random

import pytest

from runners.contract import Rule
from runners.machine import nvml
from runners.worker import warnings
from runners.worker.measure import interquartile_range, quantile

GPU = nvml.Gpu("GTX", "535", "6.1", 8 << 30, 1 << 30, 1700, 60, [], 1000, [10], None)
UNKNOWN = ("other_load_cpus", "steal_cpus", "cpu_throttled", "cgroup_throttled") + tuple(
    "{}_{}".format(name, when)
    for name in ("cpu_mhz", "gpu_clock_mhz", "governor", "cpu_temperature_c")
    for when in ("before", "after")
)


def of_samples(samples, stopped_by="precision"):
    """Keys of the warnings that these samples give."""
    ordered = sorted(samples)
    phase = {"samples_s": samples, "iqr_s": interquartile_range(ordered), "median_s": quantile(ordered, 0.5)}
    return warnings.of_samples(dict(phase, stopped_by=stopped_by), Rule())


def keys(samples):
    return [warning.key for warning in of_samples(samples)]


def of_conditions(**known):
    """(key, values) of what ten seconds give in which nothing happened but this; the rest is unknown."""
    calm = dict(dict.fromkeys(UNKNOWN), wall_s=10.0, cpus=2, major_faults=0, involuntary_switches=0)
    return [tuple(warning) for warning in warnings.of_conditions(dict(calm, **known))]


def normal(count, deviation, seed=0):
    generator = random.Random(seed)
    return [generator.gauss(1.0, deviation) for _ in range(count)]


@pytest.mark.parametrize(("deviation", "expected"), [(0.01, []), (0.10, ["unstable"])])
def test_a_wide_middle_half_is_unstable(deviation, expected):
    """At 10 % of the median and above; one per cent of noise is a quiet machine."""
    assert keys(normal(200, deviation)) == expected


def test_a_trend_is_drift():
    """Five per cent slower over the run, with one per cent of noise."""
    samples = [value * (1 + 0.08 * index / 200) for index, value in enumerate(normal(200, 0.01))]
    assert keys(samples) == ["drifting"]
    assert warnings.drift(samples) == pytest.approx(0.053, abs=0.01)


def test_noise_alone_is_hardly_ever_drift_or_two_modes():
    """A thousand quiet and noisy runs without a trend give at most two false warnings of either kind."""
    drifting = bimodal = 0
    for seed in range(500):
        for deviation in (0.01, 0.2):
            samples = normal(60, deviation, seed)
            drifting += warnings.drift(samples) is not None
            bimodal += warnings.two_modes(samples) is not None
    assert (drifting <= 2, bimodal <= 2) == (True, True)


def test_a_long_tail_is_not_a_second_mode():
    """Step times are skewed; that alone is no mode."""
    generator = random.Random(1)
    assert warnings.two_modes([1 + generator.expovariate(5) for _ in range(300)]) is None


def test_two_modes_are_found_with_their_values():
    """A processor that changes its clock: a third of the steps take 30 % longer."""
    generator = random.Random(2)
    samples = [generator.gauss(1.3 if generator.random() < 0.33 else 1.0, 0.01) for _ in range(200)]
    assert warnings.two_modes(samples) == pytest.approx((1.0, 1.3), abs=0.01)
    assert "bimodal" in keys(samples)


def test_few_samples_show_no_trend_and_no_modes():
    """Six steps of a big net."""
    assert warnings.drift([1, 2, 3, 4, 5, 6]) is None
    assert warnings.two_modes([1, 1, 1, 2, 2, 2]) is None


def test_a_budget_that_ended_first_is_imprecise():
    """With what stopped it, after how many samples, and what was wanted."""
    (warning,) = [one for one in of_samples([1.0, 1.5, 2.0], "budget") if one.key == "imprecise"]
    assert warning.values == {"by": "budget", "samples": 3, "percent": 2.0}


@pytest.mark.parametrize(
    ("known", "key", "values"),
    [
        ({"other_load_cpus": 0.05, "steal_cpus": 0.0}, None, None),
        ({"other_load_cpus": 1.3, "steal_cpus": 0.0}, "other-load", {"processors": 1.3}),
        ({"other_load_cpus": 0.0, "steal_cpus": 0.4}, "stolen-time", {"processors": 0.4}),
        ({"major_faults": 100}, "paging", {"rate": 10.0}),
        ({"major_faults": 99}, None, None),
        ({"cgroup_throttled": 0}, None, None),
        ({"cgroup_throttled": 12}, "cgroup-throttled", {"times": 12}),
        ({"involuntary_switches": 3145}, "preempted", {"rate": 314.5}),
        ({"involuntary_switches": 1999}, None, None),
        ({"involuntary_switches": 3145, "cpus": 4}, None, None),
        ({"involuntary_switches": 3145, "wall_s": -1.0}, None, None),
        ({"cpu_temperature_c_before": 60.0, "cpu_temperature_c_after": 93.5}, "hot", {"degrees": 93.5}),
        ({"cpu_temperature_c_before": 89.9, "cpu_temperature_c_after": None}, None, None),
        ({"cpu_throttled": 3}, "throttled-processor", {"times": 3}),
        ({"cpu_throttled": 0}, None, None),
        ({"governor_before": "performance", "governor_after": "performance"}, None, None),
        (
            {"governor_before": "performance", "governor_after": "performance, schedutil"},
            "governor",
            {"governor": "performance, schedutil"},
        ),
        ({"cpu_mhz_before": 4000.0, "cpu_mhz_after": 3100.0}, "falling-clock", {"percent": 22.5}),
        ({"cpu_mhz_before": 3000.0, "cpu_mhz_after": 2710.0}, None, None),
        ({"cpu_mhz_before": 800.0, "cpu_mhz_after": 3000.0}, None, None),
        ({"cpu_mhz_before": None, "cpu_mhz_after": 2000.0}, None, None),
        ({"gpu_clock_mhz_before": 2000, "gpu_clock_mhz_after": 1800}, "falling-gpu-clock", {"percent": 10.0}),
        ({"gpu_clock_mhz_before": 2000, "gpu_clock_mhz_after": None}, None, None),
    ],
)
def test_conditions_give_a_warning_from_a_limit_on(known, key, values):
    """Faults and switches per second, since phases are of different lengths; what is unknown gives none."""
    assert of_conditions(**known) == ([(key, values)] if key else [])


def test_a_gpu_throttled_before_or_after_gives_one_warning():
    """With all reasons."""
    before = GPU._replace(throttle=["power cap"])
    after = GPU._replace(throttle=["hardware thermal slowdown", "power cap"])
    (warning,) = warnings.of_gpu(before, after, 10)
    assert warning.values == {"reasons": "hardware thermal slowdown, power cap"}


def test_a_gpu_throttled_between_its_readings_gives_a_warning_from_its_counters():
    """Idle before and after, it has no reason to report; a hundredth of a second is the least that counts."""
    before = GPU._replace(throttled_ns={"power cap": 5 * 10**9, "thermal slowdown": 0})
    after = GPU._replace(throttled_ns={"power cap": 5 * 10**9 + 10**7, "thermal slowdown": 10**7 - 1})
    assert warnings.of_gpu(before, after, 10) == [("throttled", {"reasons": "power cap"})]
    assert warnings.of_gpu(before, before, 10) == []
    assert warnings.of_gpu(GPU, after, 10) == []


def test_a_foreign_process_gives_a_warning_only_where_our_own_is_seen():
    """In a container the driver's process ids are not ours."""
    both = GPU._replace(processes=[10, 11])
    assert warnings.of_gpu(GPU, both, 10) == [("foreign-process", {"processes": "11"})]
    assert warnings.of_gpu(GPU, GPU._replace(processes=[11]), 10) == []
