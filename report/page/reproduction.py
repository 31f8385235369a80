"""Every published figure beside ours: value, ratio and verdict."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from report.page import models, published
from report.page.published import DEVICE_OF_COLUMN
from report.page.rows import MachineStack, Row
from report.records import Device, Result, total
from report.records.result import ScoreName
from report.sentences import said
from report.text import MEGABYTE, N_, Number, Safe, Text, message

TOLERANCES = {"loss": 0.10, "accuracy": 0.01, "memory": 0.20, "time": 0.10}
"""How far ours may lie from the published figure to be called reproduced.

Shares of it, but for accuracy, which is itself a share: there a difference. What prints as the published figure when
rounded or cut is always reproduced: 0.597 was cut from 0.59794672. 10 % of a time or a loss is what two runs of one
machine or two seeds differ by; memory has 20 %, because the page does not state whether it counted what was allocated,
what was reserved or the complete card.
"""
UNITS = {"MB": "MB", "s/epoch": models.PER_EPOCH, "s/test-set": models.PER_TEST_SET}
HEADINGS = {column.key: column.heading for column in models.COLUMNS}


class Verdict(StrEnum):
    """What a reader may conclude from a published figure and ours."""

    REPRODUCED = N_("reproduced")
    BETTER = N_("better")
    WORSE = N_("worse")
    NOT_COMPARABLE = N_("not comparable")
    NOT_MEASURED = N_("not measured")


DOUBTS = {
    "unknown-protocol": message("how the published figure was scored is not known"),
    "more-than-the-card": message("the published figure is more memory than the card has"),
    "slower-than-training": message("the published figure has predicting take longer than training"),
    "other-test-set": message("the published loss and accuracy do not belong to one test set with the other rows"),
}


class Why(NamedTuple):
    """Why a verdict is no judgement: in two words for the summary, and in full."""

    cause: Text
    reason: Text


@dataclass(frozen=True, slots=True)
class Comparison:
    """One published figure beside ours."""

    row: published.Row
    figure: published.Figure
    ours: Number | None
    verdict: Verdict
    why: Why | None = None

    @property
    def heading(self) -> str:
        """The column, as the table calls it."""
        return HEADINGS[self.figure.column]

    @property
    def printed(self) -> Safe:
        """The published figure with its unit."""
        return Safe(self.figure.text + UNITS.get(self.figure.unit, ""))

    @property
    def ratio(self) -> Number | None:
        """Ours over the published figure."""
        return self.ours and Number(_value(self.ours) / self.figure.value, "ratio")


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The figures with one verdict, by the reason for it."""

    verdict: Verdict
    comparisons: tuple[Comparison, ...]

    @property
    def by_reason(self) -> list[tuple[Text, list[tuple[str, list[Comparison]]]]]:
        """The figures by reason, and by row within it."""
        found: dict[Text, dict[str, list[Comparison]]] = {}
        for comparison in self.comparisons:
            reason = comparison.why.reason if comparison.why else ""
            found.setdefault(reason, {}).setdefault(comparison.row.name, []).append(comparison)
        return [(reason, list(rows.items())) for reason, rows in found.items()]

    @property
    def by_cause(self) -> list[tuple[Text, int]]:
        """How many figures have which cause, the most frequent first."""
        return Counter(comparison.why.cause for comparison in self.comparisons if comparison.why).most_common()


def compared(group: MachineStack) -> Iterator[Comparison]:
    """Yield every published figure, in the order of the published table, beside what ``group`` has for it."""
    rows = {row.model.key: row for row in group.rows}
    for known in published.ROWS:
        row = rows.get(known.key)
        for figure in known.figures:
            ours = _ours(row, figure) if row else None
            if ours is None:
                yield Comparison(known, figure, None, Verdict.NOT_MEASURED, _missing(row, figure, group))
            else:
                yield Comparison(known, figure, ours[0], *_judged(known, figure, *ours))


def by_verdict(comparisons: Sequence[Comparison]) -> tuple[Verdicts, ...]:
    """Return the comparisons by verdict, without verdicts that none has."""
    found = {verdict: tuple(one for one in comparisons if one.verdict == verdict) for verdict in Verdict}
    return tuple(Verdicts(verdict, which) for verdict, which in found.items() if which)


def _ours(row: Row, figure: published.Figure) -> tuple[Number, Result] | None:
    """Our figure for the same thing in the same unit; None where it was not measured or may not be shown."""
    if figure.column == "loss" or figure.column == "accuracy":
        return _score(row, figure, figure.column)
    result = row.on(DEVICE_OF_COLUMN[figure.column])
    if result is None or result.status != "ok":
        return None
    if figure.column == "memory":
        peak = models.peak_memory(result, "peak_allocated_bytes")
        return None if peak is None else (Number(peak, "bytes"), result)
    step = row.step(result.device, figure.phase)
    if step is None:
        return None
    if figure.unit == "s/batch":
        return (models.seconds(step), result) if result.phases(figure.phase)[0].unit == "batch" else None
    complete = total(result, "epoch" if figure.phase == "train" else "test_set")
    return None if complete is None else (models.seconds(complete, UNITS[figure.unit]), result)


def _score(row: Row, figure: published.Figure, which: ScoreName) -> tuple[Number, Result] | None:
    result = row.scored_result
    if row.synthetic or result.status != "ok" or result.quality is None:
        return None
    number = models.score(result.quality, which, figure.protocol or result.quality.protocol)
    return None if number is None else (number, result)


def _missing(row: Row | None, figure: published.Figure, group: MachineStack) -> Why:
    """Why a figure was not measured: what its cell says, or that nothing is there to measure it."""
    device = DEVICE_OF_COLUMN.get(figure.column)
    if device == "gpu" and not group.has_gpu():
        return Why(message("no GPU"), message("this machine has no GPU"))
    if row is None:
        return Why(message("no result"), message("there is no result for this row"))
    result = row.scored_result if device is None else row.on(device)
    if result is None:
        return Why(message("no result"), message("there is no {device} result", device=(device or "").upper()))
    if result.status != "ok":
        return Why(models.STATUSES[result.status], said(result.reason))
    if device is None:
        if row.synthetic:
            return Why(message("not scored"), message("the data are synthetic"))
        why = result.quality and result.quality.reason
        return Why(message("not scored"), said(why) if why else message("there is no score"))
    reason = None if figure.column == "memory" else models.not_training(result, figure.phase)
    if reason is not None:
        return Why(message("not training"), reason)
    return Why(message("not measured"), message("the record holds no such figure"))


def _judged(row: published.Row, figure: published.Figure, ours: Number, result: Result) -> tuple[Verdict, Why | None]:
    why = _not_comparable(row, figure, result)
    if why is not None:
        return Verdict.NOT_COMPARABLE, why
    kind = figure.column if figure.column in TOLERANCES else "time"
    allowed = TOLERANCES[kind] * (1 if kind == "accuracy" else abs(figure.value))
    value, (least, most) = _value(ours), figure.bounds
    if abs(value - figure.value) <= allowed or least <= value <= most:
        return Verdict.REPRODUCED, None
    if kind == "memory":
        reason = message(
            "the page does not state what it counted: memory allocated, reserved, or used on the complete card"
        )
        return Verdict.NOT_COMPARABLE, Why(message("published figure in doubt"), reason)
    better = value > figure.value if kind == "accuracy" else value < figure.value
    return (Verdict.BETTER if better else Verdict.WORSE), None


def _not_comparable(row: published.Row, figure: published.Figure, result: Result) -> Why | None:
    if figure.doubt is not None:
        return Why(message("published figure in doubt"), DOUBTS[figure.doubt])
    is_score = figure.column in models.SCORES
    closed_form = is_score and result.quality is not None and result.quality.epochs is None
    if result.profile == "smoke" and not closed_form:
        return Why(message("smoke run"), message("a smoke run measures nothing"))
    if is_score:
        return None
    phases = result.phases(figure.phase)
    if phases and figure.unit in ("s/batch", "MB") and phases[0].batch_size != row.batch_size:
        sizes = (Number(phases[0].batch_size, "count"), str(row.batch_size))
        reason = message("a batch of {ours} here, {theirs} there", ours=sizes[0], theirs=sizes[1])
        return Why(message("other batch size"), reason)
    return None if figure.column == "memory" else _other_hardware(DEVICE_OF_COLUMN[figure.column], result)


def _other_hardware(device: Device, result: Result) -> Why | None:
    environment = result.environment
    gpu = environment.gpu.name if environment and environment.gpu else None
    hardware = (environment.cpu if environment else None) if device == "cpu" else gpu
    if hardware is None:
        return Why(message("other hardware"), message("the record does not name its {device}", device=device.upper()))
    if not re.search(published.HARDWARE[device], hardware):
        return Why(message("other hardware"), message("other hardware, {hardware}", hardware=hardware))
    return None


def _value(ours: Number) -> float:
    """In the published unit."""
    return ours.value / (MEGABYTE if ours.kind == "bytes" else 1)
