"""Numbers as text, with the digits that their uncertainty supports. Raw values come in; only this module rounds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from report.text import MEGABYTE, Number, NumberKind

LEAST_DIGITS, MOST_DIGITS = 2, 4
DIGITS_WITHOUT_INTERVAL = 2  # of a time whose interval is not known
DIGITS_OF_ONE_SEED = 3
LEAST_PERCENT = 0.1  # of an uncertainty: processes that agree by chance do not make a clock exact
MOST_PERCENT = 1000  # of an uncertainty: beyond it the time is unknown, and a larger number would tell no more
DECIMALS_OF_A_CLOSED_FORM = 8  # nothing is random there; protocol figures are quoted this way
UNITS = (("s", 1.0), ("ms", 1e3), ("µs", 1e6), ("ns", 1e9))


def shown(number: Number) -> str:
    """Return the number as the page and the terminal write it."""
    return "–" if not math.isfinite(number.value) else _WRITTEN[number.kind](number)


def significant(value: float, digits: int) -> str:
    """Return ``value`` with so many significant digits: as a decimal where that is readable, else with an exponent."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "–"
    exponent = _exponent(value, digits)
    text = f"{value:.{digits - 1}e}"
    return f"{float(text):.{max(0, digits - 1 - exponent)}f}" if -7 < exponent < 7 else text


def rounded(value: float, spread: float | None) -> str:
    """Return ``value`` to the place of its uncertainty's first digit, with two to four significant digits."""
    if value == 0 or spread is None or not math.isfinite(spread):
        return significant(value, DIGITS_WITHOUT_INTERVAL)
    if spread <= 0:
        return significant(value, MOST_DIGITS)
    digits = _exponent(value, 17) - _exponent(spread, 1) + 1  # an uncertainty of 0.0099 is one of 0.01
    return significant(value, min(max(digits, LEAST_DIGITS), MOST_DIGITS))


def _relative(number: Number) -> str:
    """Write the uncertainty as a share of the value: ±4 %, to the whole per cent from 10 % on, and ±>1000 %."""
    if number.spread is None or not math.isfinite(number.spread) or number.value == 0:
        return ""
    percent = max(100 * number.spread / abs(number.value), LEAST_PERCENT)
    if percent > MOST_PERCENT:
        return f" ±>{MOST_PERCENT} %"
    return f" ±{percent:.0f} %" if percent >= 9.5 else f" ±{significant(percent, 1)} %"


def _time(number: Number) -> str:
    return f"{rounded(number.value, number.spread)}{number.unit}{_relative(number)}"


def short_unit(seconds: float) -> tuple[str, float]:
    """Return the unit in which ``seconds`` need the fewest zeros, and how many of it make a second."""
    return next((unit for unit in UNITS if abs(seconds) * unit[1] >= 1), UNITS[-1])


def _short(number: Number) -> str:
    """Write a time in its shortest unit: 21.3ms ±2 %, 63s/epc ±2 %."""
    unit, factor = short_unit(number.value)
    spread = None if number.spread is None else number.spread * factor
    named = number.unit.replace("s", unit, 1) or unit
    return _time(replace(number, value=number.value * factor, spread=spread, unit=named))


def _loss(number: Number) -> str:
    if number.spread is None:
        return significant(number.value, DIGITS_OF_ONE_SEED)
    return f"{rounded(number.value, number.spread)}{_relative(number)}"


def _accuracy(number: Number) -> str:
    """An R² or a share may be near 0, so that its uncertainty is no share of it."""
    if number.spread is None:
        return significant(number.value, DIGITS_OF_ONE_SEED)
    spread = significant(number.spread, 1)
    decimals = len(spread.partition(".")[2]) if number.spread and "e" not in spread else MOST_DIGITS
    return f"{number.value:.{max(2, min(decimals, MOST_DIGITS))}f} ±{spread}"


def _exact(number: Number) -> str:
    value = number.value
    far = 0 < abs(value) < 1e-6 or abs(value) >= 1e6
    return significant(value, DECIMALS_OF_A_CLOSED_FORM) if far else f"{value:.{DECIMALS_OF_A_CLOSED_FORM}f}"


def _megabytes(number: Number) -> str:
    """Bytes as "5163MB" (10^6 bytes), as the published page writes them; a few with two digits, so that none is 0."""
    if number.value < 10 * MEGABYTE:
        return f"{significant(number.value / MEGABYTE, 2)}MB"
    return f"{number.value / MEGABYTE:.{'0f' if number.value < 1e15 else '1e'}}MB"


def _gibibytes(number: Number) -> str:
    """Bytes as "32GB" (2^30 bytes), as memory is sold."""
    return f"{number.value / 2**30:.{'0f' if number.value < 2**60 else '1e'}}GB"


def _ratio(number: Number) -> str:
    """Write three digits; up to six where fewer would print as 1 what is not, since verdicts turn on that."""
    texts = [significant(number.value, digits) for digits in range(3, 7)]
    return next((text for text in texts if number.value == 1 or float(text) != 1), texts[0])


def _count(number: Number) -> str:
    return f"{number.value:,.0f}" if abs(number.value) < 1e15 else f"{number.value:.1e}"


_WRITTEN: Mapping[NumberKind, Callable[[Number], str]] = {
    "digits": lambda number: significant(number.value, number.digits) + number.unit,
    "time": _time,
    "short": _short,
    "limit": lambda number: rounded(number.value, number.spread),
    "loss": _loss,
    "accuracy": _accuracy,
    "exact": _exact,
    "bytes": _megabytes,
    "gibibytes": _gibibytes,
    "percent": lambda number: f"{significant(100 * number.value, 2)} %",
    "ratio": _ratio,
    "count": _count,
}


def _exponent(value: float, digits: int) -> int:
    """Return the power of ten of ``value``, rounded to so many digits: 9.996 to three digits is 10.0."""
    return int(f"{value:.{digits - 1}e}".partition("e")[2])
