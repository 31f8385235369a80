"""Every published figure beside ours: value, ratio and verdict."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from report import figures
from report.columns import COLUMNS, score_text, uncertainty
from report.escape import Safe
from report.load import Device, Result, ScoreName
from report.messages import Message, Text, message
from report.published import DEVICE_OF_COLUMN, Figure, Published, PublishedRow
from report.rows import Group, Row

TOLERANCES = MappingProxyType({"loss": 0.10, "accuracy": 0.01, "memory": 0.20, "time": 0.10})
"""How far ours may lie from the published figure to count as reproduced.

Shares of it, but for accuracy, which is itself a share: there a difference. What prints as the published figure when
rounded or cut is always reproduced: 0.597 was cut from 0.59794672. 10 % of a time or a loss is what two runs of one
machine or two seeds differ by; memory has 20 %, since the page does not say whether it counted what was allocated,
what was reserved or the whole card.
"""


class Verdict(StrEnum):
    """What a reader may conclude from a published figure and ours."""

    REPRODUCED = "reproduced"
    BETTER = "better"
    WORSE = "worse"
    NOT_COMPARABLE = "not-comparable"
    NOT_MEASURED = "not-measured"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One published figure beside ours."""

    row: PublishedRow
    column: str  # the heading
    published: Safe
    ours: Text
    source: Result | None  # whose JSON ours comes from
    ratio: float | None  # ours / published
    verdict: Verdict
    reasons: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class _Ours:
    value: float
    text: Text
    source: Result


def compared(group: Group, published: Published) -> Iterator[Comparison]:
    """Every published figure, in the order of the published table, beside what ``group`` has for it."""
    rows = {row.model.key: row for row in group.rows}
    columns = {column.key: column for column in COLUMNS}
    for published_row in published.rows:
        row = rows.get(published_row.key)
        for figure in published_row.figures:
            column = columns[figure.column]
            ours = _ours(row, figure) if row else None
            if ours is None:
                reasons = column.format(row).notes if row else (message("reason.no-row"),)
                judged = Verdict.NOT_MEASURED, reasons
            else:
                judged = _judged(published_row, figure, ours, published)
            yield Comparison(
                published_row,
                column.heading,
                Safe(figure.text + _unit(figure)),
                ours.text if ours else "",
                ours.source if ours else None,
                ours.value / figure.value if ours and figure.value else None,
                *judged,
            )


def _ours(row: Row, figure: Figure) -> _Ours | None:
    """Our figure for the same thing in the same unit; None where it was not measured or may not be shown."""
    if figure.column in ("loss", "accuracy"):
        return _score(row, figure)
    result = row.on(DEVICE_OF_COLUMN[figure.column])
    if result is None or result.status != "ok":
        return None
    if figure.column == "memory":
        peak = result.memory.peak_allocated_bytes if result.memory else None
        return None if peak is None else _Ours(peak / figures.MEGABYTE, figures.megabytes(peak), result)
    return _time(row, result, figure)


def _score(row: Row, figure: Figure) -> _Ours | None:
    result = row.judged
    if row.synthetic or result.status != "ok" or result.quality is None:
        return None
    which: ScoreName = "loss" if figure.column == "loss" else "accuracy"
    score = result.quality.score(figure.protocol or result.quality.protocol)
    value = score.value(which) if score else None
    return None if value is None else _Ours(value, score_text(value, result.quality, which), result)


def _time(row: Row, result: Result, figure: Figure) -> _Ours | None:
    timing = result.timing
    if timing is None:
        return None
    train = figure.column.endswith("train")
    phase, whole = (timing.train, timing.epoch) if train else (timing.predict, timing.test_set)
    if phase is not None and not phase.counts:
        return None
    column = next(column for column in COLUMNS if column.key == figure.column)
    if figure.unit in ("s/epoch", "s/test-set"):
        return None if whole is None else _Ours(whole.seconds, column.format(row).text, result)
    if phase is None or phase.unit != "batch":
        return None
    return _Ours(phase.median_s, figures.rounded(phase.median_s, uncertainty(phase)), result)


def _judged(
    row: PublishedRow, figure: Figure, ours: _Ours, published: Published
) -> tuple[Verdict, tuple[Message, ...]]:
    reason = _not_comparable(row, figure, ours.source, published)
    if reason is not None:
        return Verdict.NOT_COMPARABLE, (reason,)
    kind = figure.column if figure.column in TOLERANCES else "time"
    allowed = TOLERANCES[kind] * (1 if kind == "accuracy" else abs(figure.value))
    difference = ours.value - figure.value
    if abs(difference) <= allowed or figure.least <= ours.value <= figure.most:
        return Verdict.REPRODUCED, ()
    if kind == "memory":
        return Verdict.NOT_COMPARABLE, (message("reason.memory-unknown"),)
    better = difference > 0 if kind == "accuracy" else difference < 0
    return (Verdict.BETTER if better else Verdict.WORSE), ()


def _not_comparable(row: PublishedRow, figure: Figure, result: Result, published: Published) -> Message | None:
    if figure.doubt is not None:
        return message(f"doubt.{figure.doubt}")
    is_score = figure.column in ("loss", "accuracy")
    closed_form = is_score and result.quality is not None and result.quality.epochs is None
    if result.profile == "smoke" and not closed_form:
        return message("reason.smoke")
    if is_score:
        return None
    timing = result.timing
    phase = timing and (timing.predict if figure.column.endswith("predict") else timing.train)
    if phase and figure.unit in ("s/batch", "MB") and phase.batch_size != row.batch_size:
        return message("reason.other-batch", ours=phase.batch_size, theirs=row.batch_size)
    return None if figure.column == "memory" else _other_hardware(DEVICE_OF_COLUMN[figure.column], result, published)


def _other_hardware(device: Device, result: Result, published: Published) -> Message | None:
    environment = result.environment
    gpu = environment.gpu.name if environment and environment.gpu else None
    hardware = (environment.cpu if environment else None) if device == "cpu" else gpu
    if hardware is None:
        return message("reason.unknown-hardware", device=device.upper())
    if not re.search(published.system[f"{device}_pattern"], hardware):
        return message("reason.other-hardware", hardware=hardware)
    return None


def _unit(figure: Figure) -> Safe:
    return Safe({"MB": "MB", "s/epoch": "s/epc", "s/test-set": "s/(t)"}.get(figure.unit, ""))
