"""The report's sentences for what the runners state as keys with values; one table per kind of statement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from report.records.common import PhaseWarning, Reason
from report.sentences.notes import NOTES
from report.sentences.reasons import REASONS
from report.sentences.warnings import WARNINGS
from report.text import Joined, Message, Number, Text, joined, message

WORDS: dict[str, dict[str, Text]] = {
    "by": {"budget": message("time budget"), "count": message("sample limit")},
    "device": {"cpu": "CPU", "gpu": "GPU"},
    "side": {"as_written": message("as written"), "tuned": message("tuned")},
    "quantity": {
        "outputs": message("outputs"),
        "loss": message("loss"),
        "gradients": message("gradients"),
        "parameters": message("parameters after one step"),
        "losses": message("losses of ten steps"),
        "later-outputs": message("outputs after ten steps"),
    },
}
"""Values that are words: name of the value -> value -> word."""

_DIGITS = {"percent": 2, "rate": 2, "processors": 2, "degrees": 2, "difference": 2, "low_s": 4, "high_s": 4}
_COUNTS = ("batches", "images", "minutes", "samples", "train", "test", "windows")


def said(reason: Reason | None) -> Text:
    """Return the sentence of a reason or a note; key and values where the report has none."""
    if reason is None:
        return message("no reason was recorded")
    return _sentence(REASONS.get(reason.key) or NOTES.get(reason.key), reason.key, reason.values)


def warned(warning: PhaseWarning) -> Text:
    """Return the sentence of a warning; key and values where the report has none."""
    sentence = WARNINGS[warning.key][1] if warning.key in WARNINGS else None
    return _sentence(sentence, warning.key, warning.values)


def warning_name(key: str) -> Text:
    """Return what a warning is called; its key where the report has no name for it."""
    return Message(WARNINGS[key][0]) if key in WARNINGS else key


def _sentence(sentence: str | None, key: str, values: Mapping[str, Any]) -> Text:
    shown = {name: _value(name, value) for name, value in values.items()}
    if sentence is not None and all(name in shown for name in fields(sentence)):
        return Message(sentence, tuple(shown.items()))
    if list(shown) == ["text"]:
        return shown["text"]  # of a record from before statements had keys
    if not shown:
        return key
    listed = Joined(tuple(message("{name}: {value}", name=name, value=value) for name, value in sorted(shown.items())))
    return message("{key} ({values})", key=key, values=listed)


def fields(sentence: str) -> list[str]:
    """Return the names in a sentence's braces."""
    return [part.partition("}")[0] for part in sentence.split("{")[1:]]


def _value(name: str, value: Any) -> Text:
    if isinstance(value, str):
        return WORDS.get(name, {}).get(value, value)
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, int | float):
        if name in _COUNTS:
            return Number(value, "count")
        if name == "r2":
            return Number(value, "exact")
        return str(value) if isinstance(value, int) else Number(value, digits=_DIGITS.get(name, 3))
    if isinstance(value, Mapping):
        if isinstance(value.get("key"), str) and isinstance(value.get("values", {}), Mapping):
            return said(Reason(value["key"], value.get("values", {})))
        return joined(
            message("{name}: {value}", name=str(inner), value=_value(inner, of)) for inner, of in value.items()
        )
    return Joined(tuple(_value(name, inner) for inner in value))
