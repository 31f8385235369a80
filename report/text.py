"""Text before translation: the parts of the page and the comparison before they are rendered.

A plain ``str`` is untrusted and gets escaped. ``Safe`` is Markdown of our own, or escaped text. A ``Message`` is an
English sentence whose translation is looked up when it is rendered, a ``Number`` stays raw until then.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from itertools import chain, count
from typing import Literal, TypeAlias

NumberKind = Literal[
    "digits", "time", "short", "limit", "loss", "accuracy", "exact", "bytes", "gibibytes", "percent", "ratio", "count"
]

MEGABYTE = 10**6


class Safe(str):
    """Markdown of our own, or text that has been escaped."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Number:
    """A raw value, and how it will be written (see ``report.render.numbers``)."""

    value: float
    kind: NumberKind = "digits"
    spread: float | None = None  # its uncertainty, in its own unit: how far it may lie off
    unit: str = ""  # "s/epc", written right behind the number
    digits: int = 3  # significant ones, of kind "digits"


@dataclass(frozen=True, slots=True)
class Message:
    """An English sentence with ``{names}`` in braces and what fills them."""

    sentence: str
    values: tuple[tuple[str, Text], ...] = ()


@dataclass(frozen=True, slots=True)
class Joined:
    """Several texts in a row."""

    parts: tuple[Text, ...]
    separator: str = ", "


Text: TypeAlias = "str | Number | Message | Joined"


def N_(sentence: str) -> str:
    """Mark a sentence for translation (by the usual name, which the extraction looks for), and return it as it is."""
    return sentence


def message(sentence: str, /, **values: Text) -> Message:
    """Return ``sentence`` filled with ``values``; a literal one is marked for translation by this call."""
    return Message(sentence, tuple(values.items()))


def joined(parts: Iterable[Text], separator: str = ", ") -> Joined:
    """Return each different part once, in their order."""
    return Joined(tuple(dict.fromkeys(parts)), separator)


def unused(name: str, taken: Container[str], numbered: str) -> str:
    """Return ``name``; if that is taken, the first of its ``numbered`` forms that is not, from 2 on."""
    forms = chain([name], (numbered.format(name, number) for number in count(2)))
    return next(form for form in forms if form not in taken)


def ratio_with_ends(value: float, low: float | None, high: float | None) -> Text:
    """Return a ratio, with the ends of its interval where it has one."""
    if low is None or high is None:
        return Number(value, "ratio")
    ends = Number(low, "ratio"), Number(high, "ratio")
    return message("{ratio} ({low}–{high})", ratio=Number(value, "ratio"), low=ends[0], high=ends[1])
