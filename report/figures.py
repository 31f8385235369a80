"""Numbers as text, with the digits that their uncertainty supports. Raw values come in, only this module rounds."""

from __future__ import annotations

import math
from collections.abc import Sequence

from report.escape import Safe

MEGABYTE = 10**6
LEAST_DIGITS, MOST_DIGITS = 2, 4
DIGITS_WITHOUT_INTERVAL = 2  # of a time with so few samples that its median has no interval
DIGITS_OF_ONE_SEED = 3
DECIMALS_OF_A_CLOSED_FORM = 8  # nothing is random there; protocol figures are quoted this way


def rounded(value: float, uncertainty: float | None) -> Safe:
    """``value`` to the place of its uncertainty's first digit, with two to four significant digits."""
    if value == 0 or uncertainty is None or not math.isfinite(uncertainty):
        return significant(value, DIGITS_WITHOUT_INTERVAL)
    if uncertainty <= 0 or not math.isfinite(value):
        return significant(value, MOST_DIGITS)
    digits = _exponent(value, 17) - _exponent(uncertainty, 1) + 1  # an uncertainty of 0.0099 is one of 0.01
    return significant(value, min(max(digits, LEAST_DIGITS), MOST_DIGITS))


def significant(value: float, digits: int) -> Safe:
    """``value`` with so many significant digits: as a decimal where that is readable, else with an exponent."""
    if value == 0 or not math.isfinite(value):
        return Safe("0" if value == 0 else "–")
    exponent = _exponent(value, digits)
    text = f"{value:.{digits - 1}e}"
    return Safe(f"{float(text):.{max(0, digits - 1 - exponent)}f}" if -7 < exponent < 7 else text)


def half_width(interval: tuple[float, float] | None) -> float | None:
    """Half the width of a confidence interval."""
    return None if interval is None else abs(interval[1] - interval[0]) / 2


def score(value: float, by_seed: Sequence[float], closed_form: bool) -> Safe:
    """A loss or accuracy; ``by_seed`` are the seeds' values, whose half range is taken for its uncertainty."""
    if closed_form:
        return significant(value, 8) if 0 < abs(value) < 1e-6 or abs(value) >= 1e6 else Safe(f"{value:.8f}")
    if len(by_seed) < 2:
        return significant(value, DIGITS_OF_ONE_SEED)
    return rounded(value, (max(by_seed) - min(by_seed)) / 2)


def megabytes(count: float) -> Safe:
    """Bytes as "5163MB" (10^6 bytes), as the published page writes them; a few with two digits, so that none is 0."""
    if count < 10 * MEGABYTE:
        return Safe(f"{significant(count / MEGABYTE, 2)}MB")
    return Safe(f"{count / MEGABYTE:.0f}MB") if count < 1e15 else Safe(f"{count / MEGABYTE:.1e}MB")


def ratio(value: float) -> Safe:
    """How many times; three significant digits."""
    return significant(value, 3)


def percent(share: float) -> Safe:
    """A share as a percentage with two significant digits."""
    return Safe(f"{significant(100 * share, 2)} %")


def _exponent(value: float, digits: int) -> int:
    """The power of ten of ``value``, rounded to so many digits: 9.996 to three digits is 10.0."""
    return int(f"{value:.{digits - 1}e}".partition("e")[2])
