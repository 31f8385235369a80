"""Differences between two sets of results, field by field, and which of them make figures incomparable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from report.records import Result

Affected = Literal["time", "quality"]
Scalar = str | int | float | bool | None
Pair = tuple[Result, Result]
Differing = tuple[str, Scalar, Scalar]  # a field with its two values

TIME_AND_QUALITY: frozenset[Affected] = frozenset(("time", "quality"))
QUALITY: frozenset[Affected] = frozenset(("quality",))
TIME: frozenset[Affected] = frozenset(("time",))

BREAKS: Mapping[str, frozenset[Affected]] = {
    "data.name": TIME_AND_QUALITY,
    "data.sha256": TIME_AND_QUALITY,
    "data.synthetic": TIME_AND_QUALITY,
    "model.dataset": TIME_AND_QUALITY,
    "model.parameters": TIME_AND_QUALITY,
    "model.details": TIME_AND_QUALITY,
    "train.unit": TIME,
    "train.batch_size": TIME,
    "predict.unit": TIME,
    "predict.batch_size": TIME,
    "profile": QUALITY,
    "settings": QUALITY,
    "settings.stopping_rule": frozenset(),  # the sampling time changes neither the work nor the training
    "settings.threads": frozenset(),
    "quality.protocol": QUALITY,
    "quality.loss_metric": QUALITY,
    "quality.accuracy_metric": QUALITY,
}
"""A field, or the beginning of several, to the figures that are not of the same work where it differs.

Every other field is a condition: the same work was done under other circumstances (hardware, versions, kernels,
threads), which is what a comparison is for, and any of which can be the cause of what it finds.
"""

_COMPLETE = ("machine", "stack", "engine", "profile", "framework", "settings", "data", "execution", "environment")
_MODEL = ("dataset", "parameters", "details")
_QUALITY = ("protocol", "loss_metric", "accuracy_metric")
_PROVENANCE = ("git_commit", "git_clean", "code_sha256", "lock_sha256", "image")  # no fingerprint: it sums up the rest


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that differs in the same way in one or more pairs of results."""

    field: str  # "environment.gpu.driver"
    a: Scalar
    b: Scalar
    pairs: tuple[Pair, ...]
    breaks: frozenset[Affected]


def differing(pair: Pair) -> list[Differing]:
    """Return the fields in which two results differ, with both values; None where a side does not have the field.

    A part of the record that one side lacks altogether (the scores of a failed run) is not a difference in its fields.
    """
    left, right = (_parts(result) for result in pair)
    unequal = [name for name in left if name in right and left[name] != right[name]]
    a, b = (dict(_flat({name: side[name] for name in unequal}, "")) for side in (left, right))
    return [(field, a.get(field), b.get(field)) for field in a | b if a.get(field) != b.get(field)]


def differences(found_in: Iterable[tuple[Pair, Sequence[Differing]]]) -> list[Difference]:
    """Return what differs, from pairs with what ``differing`` found in each.

    Fields that make figures incomparable come first, then the others, in the order of the record.
    """
    found: dict[tuple[str, str, str], tuple[Scalar, Scalar, list[Pair]]] = {}
    for pair, fields in found_in:
        for field, a, b in fields:
            found.setdefault((field, repr(a), repr(b)), (a, b, []))[2].append(pair)
    listed = [Difference(field, a, b, tuple(pairs), breaks(field)) for (field, *_), (a, b, pairs) in found.items()]
    return sorted(listed, key=lambda difference: not difference.breaks)


def breaks(field: str) -> frozenset[Affected]:
    """Return the figures that a difference in ``field`` makes incomparable."""
    steps = field.split(".")
    names = (".".join(steps[:count]) for count in range(len(steps), 0, -1))  # the longest beginning decides
    return next((BREAKS[name] for name in names if name in BREAKS), frozenset())


def _parts(result: Result) -> dict[str, Any]:
    """Return what was run, on what and with what, by its path in the record; missing parts are left out."""
    parts: dict[str, Any] = {name: getattr(result, name) for name in _COMPLETE}
    parts["model"] = {name: getattr(result.model, name) for name in _MODEL}
    for name, phases in (("train", result.phases("train")), ("predict", result.phases("predict"))):
        parts[name] = {"unit": phases[0].unit, "batch_size": phases[0].batch_size} if phases else None
    if result.quality and result.quality.scores:
        parts["quality"] = {name: getattr(result.quality, name) for name in _QUALITY}
    parts["provenance"] = {name: getattr(result.provenance, name) for name in _PROVENANCE}
    return {name: msgspec.to_builtins(part) for name, part in parts.items() if part is not None}


def _flat(value: Any, path: str) -> Iterator[tuple[str, Scalar]]:
    """Yield scalars with their paths; a list is one value, since its places mean nothing by themselves."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(inner, f"{path}.{name}" if path else str(name))
    elif value is None or isinstance(value, str | int | float | bool):
        yield path, value
    else:
        yield path, ", ".join(str(inner) for inner in value)
