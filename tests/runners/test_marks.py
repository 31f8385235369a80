"""Marks: each warning appears where it should, and not by chance."""

import random

import pytest

from runners import marks, nvml
from runners.contract import Rule
from runners.worker.measure import interquartile_range, quantile


def keys(samples, stopped_by="precision"):
    ordered = sorted(samples)
    found = marks.of_samples(samples, interquartile_range(ordered), quantile(ordered, 0.5), stopped_by, Rule())
    return [mark.key for mark in found]


def normal(count, deviation, seed=0):
    generator = random.Random(seed)
    return [generator.gauss(1.0, deviation) for _ in range(count)]


def test_steady_samples_earn_no_mark():
    """One per cent of noise is a quiet machine."""
    assert keys(normal(200, 0.01)) == []


def test_a_wide_middle_half_is_unstable():
    """At 10 % of the median and above."""
    assert keys(normal(200, 0.10)) == ["unstable"]


def test_a_trend_is_drift():
    """Five per cent slower over the run, under one per cent of noise."""
    samples = [value * (1 + 0.08 * index / 200) for index, value in enumerate(normal(200, 0.01))]
    assert keys(samples) == ["drifting"]
    assert marks.drift(samples) == pytest.approx(0.053, abs=0.01)


def test_noise_alone_is_hardly_ever_drift_or_two_modes():
    """A thousand quiet and noisy runs without a trend: at most two false marks of either kind."""
    drifting = bimodal = 0
    for seed in range(500):
        for deviation in (0.01, 0.2):
            samples = normal(60, deviation, seed)
            drifting += marks.drift(samples) is not None
            bimodal += marks.two_modes(samples) is not None
    assert (drifting <= 2, bimodal <= 2) == (True, True)


def test_a_long_tail_is_not_a_second_mode():
    """Step times are skewed; that alone is no mode."""
    generator = random.Random(1)
    assert marks.two_modes([1 + generator.expovariate(5) for _ in range(300)]) is None


def test_two_values_are_found_and_named():
    """A processor that changes its clock: a third of the steps take 30 % longer."""
    generator = random.Random(2)
    samples = [generator.gauss(1.3 if generator.random() < 0.33 else 1.0, 0.01) for _ in range(200)]
    assert marks.two_modes(samples) == pytest.approx((1.0, 1.3), abs=0.01)
    assert "bimodal" in keys(samples)


def test_few_samples_tell_no_trend_and_no_modes():
    """Six steps of a big net."""
    assert marks.drift([1, 2, 3, 4, 5, 6]) is None
    assert marks.two_modes([1, 1, 1, 2, 2, 2]) is None


def test_a_budget_that_ended_first_is_marked_with_its_figures():
    """By what, after how many, and what was wanted."""
    samples = [1.0, 1.5, 2.0]
    (mark,) = [mark for mark in marks.of_samples(samples, 0, 1.5, "budget", Rule()) if mark.key == "imprecise"]
    assert mark.reason == (
        "stopped by its time budget after 3 samples, before the median's 95 % interval within 2 % of it"
    )
    assert mark.figures == {"by": "budget", "samples": 3, "percent": 2.0}


@pytest.mark.parametrize(
    ("others", "stolen", "expected"),
    [(0.05, 0.0, []), (1.3, 0.0, ["other-load"]), (0.0, 0.4, ["stolen-time"]), (None, None, [])],
)
def test_other_load_and_stolen_time_are_marked(others, stolen, expected):
    """From a tenth of a processor on; unknown is not none and not a mark."""
    found = marks.of_conditions(conditions(others_busy=others, stolen=stolen))
    assert [mark.key for mark in found] == expected


UNKNOWN = ("others_busy", "stolen", "throttled", "quota_stops") + tuple(
    "{}_{}".format(name, when)
    for name in ("frequency_mhz", "card_clock_mhz", "governor", "temperature_c")
    for when in ("before", "after")
)


def conditions(**known):
    """Those that marks ask about: ten seconds in which nothing happened, the rest unknown unless given."""
    calm = dict(dict.fromkeys(UNKNOWN), wall_s=10.0, processors=2, major_faults=0, involuntary_switches=0)
    return dict(calm, **known)


@pytest.mark.parametrize(
    ("before", "after", "falls"),
    [
        (3000.0, 2700.0, True),
        (3000.0, 2710.0, False),
        (800.0, 3000.0, False),
        (None, 2000.0, False),
        (3000, None, False),
    ],
)
def test_a_clock_that_fell_by_a_tenth_is_marked(before, after, falls):
    """The processor's and the card's, each by its own mark; a rise is none, and neither is what is unknown."""
    processor = marks.of_conditions(conditions(frequency_mhz_before=before, frequency_mhz_after=after))
    card = marks.of_conditions(conditions(card_clock_mhz_before=before, card_clock_mhz_after=after))
    assert [mark.key for mark in processor] == ["falling-clock"] * falls
    assert [mark.key for mark in card] == ["falling-card-clock"] * falls


def test_a_fallen_clock_is_told_with_its_share():
    """From 4000 MHz to 3100 MHz."""
    (mark,) = marks.of_conditions(conditions(frequency_mhz_before=4000.0, frequency_mhz_after=3100.0))
    assert mark.reason == "the processor's clock fell by 22 % from before to after"
    assert mark.figures == {"percent": 22.5}


@pytest.mark.parametrize(
    ("known", "key", "reason"),
    [
        ({"major_faults": 100}, "paging", "memory had to be read from the disk 10 times a second meanwhile"),
        ({"major_faults": 99}, None, None),
        ({"quota_stops": 0}, None, None),
        ({"quota_stops": 12}, "quota", "the process was stopped 12 times for its limit of processor time"),
        ({"involuntary_switches": 3145}, "preempted", "a thread lost its processor 314 times a second meanwhile"),
        ({"involuntary_switches": 1999}, None, None),
        ({"involuntary_switches": 3145, "processors": 4}, None, None),
        ({"temperature_c_before": 60.0, "temperature_c_after": 93.5}, "hot", "the processor was at 94 degrees"),
        ({"temperature_c_before": 89.9, "temperature_c_after": None}, None, None),
        ({"throttled": 3}, "throttled-processor", "the processor held itself back for heat 3 times meanwhile"),
        ({"throttled": 0}, None, None),
        ({"governor_before": "performance", "governor_after": "performance"}, None, None),
        (
            {"governor_before": "performance", "governor_after": "performance, schedutil"},
            "governor",
            "the processor's clock follows the load (governor: performance, schedutil)",
        ),
    ],
)
def test_what_the_kernel_and_the_sensors_tell_is_marked_from_a_limit_on(known, key, reason):
    """Faults and switches by the second, since phases are of different lengths."""
    found = [(mark.key, mark.reason) for mark in marks.of_conditions(conditions(**known))]
    assert found == ([(key, reason)] if key else [])


CARD = nvml.Card("GTX", "535", "6.1", 8 << 30, 1 << 30, 1700, 60, [], 1000, [10], None)


def test_a_card_held_back_before_or_after_is_marked_once():
    """All reasons in one sentence."""
    before, after = (
        CARD._replace(throttle=["power cap"]),
        CARD._replace(throttle=["hardware thermal slowdown", "power cap"]),
    )
    (mark,) = marks.of_card(before, after, 10)
    assert mark.reason == "the card was held back by: hardware thermal slowdown, power cap"


def test_a_card_held_back_between_its_readings_is_marked_from_its_counters():
    """Idle before and after, it says nothing of itself; a hundredth of a second is as little as counts."""
    before = CARD._replace(held_ns={"power cap": 5 * 10**9, "thermal slowdown": 0})
    after = CARD._replace(held_ns={"power cap": 5 * 10**9 + 10**7, "thermal slowdown": 10**7 - 1})
    (mark,) = marks.of_card(before, after, 10)
    assert (mark.key, mark.reason) == ("throttled", "the card was held back by: power cap")
    assert marks.of_card(before, before, 10) == []
    assert marks.of_card(CARD, after, 10) == []


def test_a_foreign_process_counts_only_where_our_own_is_seen():
    """In a container the driver's process ids are not ours."""
    assert [mark.key for mark in marks.of_card(CARD, CARD._replace(processes=[10, 11]), 10)] == ["foreign-process"]
    assert marks.of_card(CARD, CARD._replace(processes=[11]), 10) == []
