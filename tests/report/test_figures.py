"""Numbers as text, with the digits that their uncertainty supports."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from report import figures


@pytest.mark.parametrize(
    ("value", "uncertainty", "shown"),
    [
        (0.33712, 0.002, "0.337"),
        (0.33712, 0.02, "0.34"),
        (0.33712, 0.2, "0.34"),  # two digits at least: the mark says how unsure they are
        (0.33712, 0.00001, "0.3371"),  # four at most
        (0.33712, 0.0, "0.3371"),
        (0.33712, None, "0.34"),
        (0.0104, 0.0000985, "0.0104"),  # an uncertainty of nearly 0.0001 is one of 0.0001
        (31.2, 0.4, "31.2"),
        (518.3, 4.0, "518"),
        (1234.0, 90.0, "1230"),
        (0.0000834, 0.000002, "0.000083"),
        (0.9996, 0.001, "1.00"),
        (3e-9, 1e-10, "3.0e-09"),
        (1e300, None, "1.0e+300"),
        (1.79e308, 1.79e308, "1.8e+308"),  # rounded up it is beyond what a double holds
        (0.33712, math.inf, "0.34"),
        (math.inf, 0.1, "–"),
        (math.inf, None, "–"),
    ],
)
def test_as_many_digits_as_the_uncertainty_supports(value: float, uncertainty: float | None, shown: str) -> None:
    """The last digit shown is the uncertainty's first, with two to four significant digits."""
    assert figures.rounded(value, uncertainty) == shown


@given(
    st.floats(min_value=1e-12, max_value=1e300),
    st.none() | st.floats(min_value=0, max_value=1e300),
)
def test_every_time_is_shown_short_and_close(value: float, uncertainty: float | None) -> None:
    """However large or small, a number takes few characters and lies within five per cent of the truth."""
    shown = figures.rounded(value, uncertainty)
    assert len(shown) <= 12
    assert math.isclose(float(shown), value, rel_tol=0.051)


@pytest.mark.parametrize(
    ("value", "by_seed", "closed_form", "shown"),
    [
        (0.013478570, [], True, "0.01347857"),
        (0.38114552, [], True, "0.38114552"),
        (-0.18177911, [], True, "-0.18177911"),
        (0.9021, [0.9021], False, "0.902"),
        (0.94123, [0.93, 0.94123, 0.95], False, "0.94"),
        (0.94123, [0.9411, 0.94123, 0.9414], False, "0.9412"),
        (2.5e9, [], True, "2.5000000e+09"),
    ],
)
def test_a_score_has_the_digits_of_its_seeds(value: float, by_seed: list[float], closed_form: bool, shown: str) -> None:
    """A closed form is exact; one seed gives three digits; several give what they agree on."""
    assert figures.score(value, by_seed, closed_form) == shown


def test_memory_is_given_as_published() -> None:
    """Whole megabytes of 10^6 bytes, and no endless row of digits for a nonsensical count."""
    assert figures.megabytes(5_163_400_000) == "5163MB"
    assert figures.megabytes(1e300) == "1.0e+294MB"
    assert figures.megabytes(204_800) == "0.20MB"
    assert figures.megabytes(0) == "0MB"
