"""Warnings on figures in the page's language: runners hand up each with a sentence and the figures in it."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType

from report import figures
from report.documents import Mark
from report.escape import Safe
from report.messages import Text, message

KNOWN = MappingProxyType(
    {
        "unstable": ("percent",),
        "drifting": ("percent",),
        "bimodal": ("low_s", "high_s"),
        "imprecise": ("by", "samples", "percent"),
        "other-load": ("processors",),
        "stolen-time": ("processors",),
        "falling-clock": ("percent",),
        "falling-card-clock": ("percent",),
        "throttled": ("reasons",),
        "foreign-process": ("processes",),
        "quota": ("times",),
        "paging": ("rate",),
        "preempted": (),
        "governor": ("governor",),
        "hot": ("degrees",),
        "throttled-processor": ("times",),
    }
)
"""Key -> the figures that its sentence in locale/*.toml wants (see runners/marks.py)."""


def name(mark: Mark) -> Text:
    """The mark's name; an unknown mark's key."""
    return message(f"mark.{mark.key}") if mark.key in KNOWN else mark.key


def names(marks: Iterable[Mark]) -> tuple[Text, ...]:
    """The names of several marks, each once."""
    return tuple(dict.fromkeys(name(mark) for mark in marks))


def reason(mark: Mark) -> Text:
    """The reason in the page's language; in the runner's own words where figures are missing or the mark is unknown."""
    wanted = KNOWN.get(mark.key)
    if wanted is None or any(figure not in mark.figures for figure in wanted):
        return mark.reason
    return message(f"mark-reason.{mark.key}", **{figure: _said(figure, mark.figures[figure]) for figure in wanted})


def _said(figure: str, value: object) -> Text:
    if figure == "by" and value in ("budget", "count"):
        return message(f"stopped.{value}")
    if figure in ("samples", "times") or isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    shown = figures.significant(value, 4 if figure.endswith("_s") else 2)
    return Safe(shown.removesuffix(".0"))
