"""Numbers as text, with the digits that their uncertainty supports."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from report.render.numbers import rounded, shown, significant
from report.text import Number


@pytest.mark.parametrize(
    ("value", "spread", "text"),
    [
        (0.0066, 0.00026, "0.0066 ±4 %"),
        (0.010437, 0.0002, "0.0104 ±2 %"),
        (0.0104, 0.0012, "0.010 ±12 %"),
        (770.4, 69.3, "770 ±9 %"),
        (1.2345678, 1e-9, "1.235 ±0.1 %"),
        (1.0, 0.0, "1.000 ±0.1 %"),
        (0.0099999, 0.0001, "0.010 ±1 %"),
        (31.234, None, "31"),
        (6.3e-6, 1.2e-8, "0.00000630 ±0.2 %"),
        (2.5e-8, 1e-9, "2.5e-08 ±4 %"),
        (1.0, 9.876, "1.0 ±988 %"),
        (1.0, 20.0, "1.0 ±>1000 %"),
        (0.0, 0.1, "0"),
    ],
)
def test_a_time_claims_no_more_than_its_uncertainty(value: float, spread: float | None, text: str) -> None:
    """Two to four digits, and the uncertainty as a share."""
    assert shown(Number(value, "time", spread)) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Number(66.04, "time", 2.0, "s/epc"), "66s/epc ±3 %"),
        (Number(0.00123456, "loss"), "0.00123"),
        (Number(0.00123456, "loss", 0.0001), "0.0012 ±8 %"),
        (Number(0.94123, "accuracy"), "0.941"),
        (Number(0.94123, "accuracy", 0.002), "0.941 ±0.002"),
        (Number(-0.175, "accuracy", 0.0066), "-0.175 ±0.007"),
        (Number(0.94, "accuracy", 0.06), "0.94 ±0.06"),
        (Number(0.93412, "accuracy", 0.0), "0.9341 ±0"),
        (Number(0.38114552, "exact"), "0.38114552"),
        (Number(2.5e9, "exact"), "2.5000000e+09"),
        (Number(5_163_400_000, "bytes"), "5163MB"),
        (Number(204_800, "bytes"), "0.20MB"),
        (Number(0, "bytes"), "0MB"),
        (Number(2**63 - 1, "bytes"), "9.2e+12MB"),
        (Number(25276502016, "gibibytes"), "24GB"),
        (Number(0.1234, "percent"), "12 %"),
        (Number(3.6323, "ratio"), "3.63"),
        (Number(1.0, "ratio"), "1.00"),
        (Number(1.0043, "ratio"), "1.004"),
        (Number(0.99951, "ratio"), "0.9995"),
        (Number(1.00002, "ratio"), "1.00002"),
        (Number(1.0 + 1e-12, "ratio"), "1.00"),
        (Number(45394, "count"), "45,394"),
        (Number(1e100, "count"), "1.0e+100"),
        (Number(0.02178, digits=4), "0.02178"),
        (Number(math.nan), "–"),
        (Number(math.inf, "time", 1.0), "–"),
    ],
)
def test_each_kind_is_written_in_its_own_way(number: Number, text: str) -> None:
    """Times with a unit, losses in shares, accuracies in their own unit, closed forms with eight decimals."""
    assert shown(number) == text


def test_digits_are_significant() -> None:
    """A decimal where that is readable, else an exponent."""
    assert [significant(value, 2) for value in (0.000031, 1234567.0, 0.99999, 1e-9)] == [
        "0.000031", "1200000", "1.0", "1.0e-09"
    ]  # fmt: skip


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(min_value=0, allow_nan=False) | st.none())
def test_any_number_has_a_short_text(value: float, spread: float | None) -> None:
    """Nothing that a record may hold raises or makes an endless row of digits."""
    assert len(rounded(value, spread)) < 20
    for kind in ("time", "short", "limit", "loss", "exact", "ratio", "count", "digits"):
        assert len(shown(Number(value, kind, spread))) < 40
