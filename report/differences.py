"""Field by field: in what two sets of results differ, and which of it makes their figures incomparable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal

from report.load import Result

Figure = Literal["time", "quality"]
Scalar = str | int | float | bool | None
Pair = tuple[Result, Result]
Differing = tuple[str, Scalar, Scalar]  # a field with its two values

TIME_AND_QUALITY: frozenset[Figure] = frozenset(("time", "quality"))
QUALITY: frozenset[Figure] = frozenset(("quality",))
TIME: frozenset[Figure] = frozenset(("time",))

BREAKS: Mapping[str, frozenset[Figure]] = {
    "data.name": TIME_AND_QUALITY,
    "data.sha256": TIME_AND_QUALITY,
    "data.synthetic": TIME_AND_QUALITY,
    "model.dataset": TIME_AND_QUALITY,
    "model.parameters": TIME_AND_QUALITY,
    "model.details": TIME_AND_QUALITY,
    "timing.train.unit": TIME,
    "timing.train.batch_size": TIME,
    "timing.predict.unit": TIME,
    "timing.predict.batch_size": TIME,
    "profile": QUALITY,
    "settings": QUALITY,
    "settings.rule": frozenset(),  # how long was sampled changes neither the work nor what training gave
    "settings.threads": frozenset(),
    "quality.protocol": QUALITY,
    "quality.loss_metric": QUALITY,
    "quality.accuracy_metric": QUALITY,
}
"""A field, or the beginning of several, to the figures that are not of the same work where it differs.

Every other field is a condition: the same work was done under other circumstances (hardware, versions, kernels,
threads), which is what a comparison is for, and any of which can be the cause of what it finds.
"""

_WHOLE = ("machine", "stack", "engine", "profile", "framework", "settings", "data", "kernel_path", "environment")
_PROVENANCE = ("git_commit", "git_clean", "code_sha256", "lock_sha256", "image")  # no fingerprint: it sums up the rest


@dataclass(frozen=True, slots=True)
class Difference:
    """One field with one pair of values, and the pairs of results that have them."""

    field: str  # "environment.gpu.driver"
    a: Scalar
    b: Scalar
    pairs: tuple[Pair, ...]
    breaks: frozenset[Figure]


def differing(pair: Pair) -> list[Differing]:
    """The fields in which two results differ, with both values; None where a side does not have the field.

    A part of the record that one side lacks altogether (the scores of a failed run) is not a difference in its fields.
    """
    left, right = (_parts(result) for result in pair)
    unequal = [name for name in left if name in right and left[name] != right[name]]  # few: flattening takes time
    a, b = (dict(_flat({name: side[name] for name in unequal}, "")) for side in (left, right))
    return [(field, a.get(field), b.get(field)) for field in a | b if a.get(field) != b.get(field)]


def differences(found_in: Iterable[tuple[Pair, Sequence[Differing]]]) -> list[Difference]:
    """What differs, from pairs with what ``differing`` found in each.

    Those fields that make figures incomparable come first, then the others, in the order of the record.
    """
    found: dict[tuple[str, str, str], list[Pair]] = {}
    values: dict[tuple[str, str, str], tuple[Scalar, Scalar]] = {}
    for pair, fields_of_pair in found_in:
        for field, a, b in fields_of_pair:
            key = (field, repr(a), repr(b))
            found.setdefault(key, []).append(pair)
            values[key] = (a, b)
    listed = [Difference(key[0], *values[key], tuple(where), breaks(key[0])) for key, where in found.items()]
    return sorted(listed, key=lambda difference: not difference.breaks)


def breaks(field: str) -> frozenset[Figure]:
    """The figures that a difference in ``field`` makes incomparable."""
    steps = field.split(".")
    names = (".".join(steps[:count]) for count in range(len(steps), 0, -1))  # the longest beginning decides
    return next((BREAKS[name] for name in names if name in BREAKS), frozenset())


def _parts(result: Result) -> dict[str, Any]:
    """What was run, on what and with what, by its path in the record; without what is not there."""
    parts: dict[str, Any] = {name: getattr(result, name) for name in _WHOLE}
    parts["model"] = {name: getattr(result.model, name) for name in ("dataset", "parameters", "details")}
    if result.timing:
        for name, phase in (("train", result.timing.train), ("predict", result.timing.predict)):
            parts[f"timing.{name}"] = phase and {key: getattr(phase, key) for key in ("unit", "batch_size")}
    if result.quality and result.quality.scores:
        names = ("protocol", "loss_metric", "accuracy_metric")
        parts["quality"] = {name: getattr(result.quality, name) for name in names}
    parts["provenance"] = {name: getattr(result.provenance, name) for name in _PROVENANCE}
    return {name: part for name, part in parts.items() if part is not None}


def _flat(value: Any, path: str) -> Iterator[tuple[str, Scalar]]:
    """Scalars with their paths; a list is one value, since its places mean nothing by themselves."""
    if is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(inner, f"{path}.{name}" if path else str(name))
    elif value is None or isinstance(value, (str, int, float, bool)):
        yield path, value
    else:
        yield path, ", ".join(str(inner) for inner in value)
