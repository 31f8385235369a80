"""The years in words and tables, before translation."""

from __future__ import annotations

from collections.abc import Iterator

from report.comparison.page import WORDS
from report.comparison.verdicts import Time
from report.eras.years import Change, Eras, Line, Net, Point, software
from report.page.measurements import PHASE_NAMES
from report.page.models import ended, not_training, score, seconds
from report.records import PHASES, Result
from report.text import N_, Number, Text, joined, message, ratio_with_ends

CHANGES = {
    "slower": N_(
        "**{net}, {library}, {phase}: {factor} times slower** from {before} to {after} (95 % interval {low} to {high})."
    ),
    "faster": N_(
        "**{net}, {library}, {phase}: {factor} times faster** from {before} to {after} (95 % interval {low} to {high})."
    ),
}
CONFOUNDS = (
    N_(
        "A year is a stack: Python, NumPy, its linear algebra and the compilers of the wheels change with the "
        "framework. A ratio belongs to the stack of a year, not to one release."
    ),
    N_(
        "Every stack runs on today's processor and kernel. What an old release does not know of them it cannot use; on "
        "the computers of its time it had other limits."
    ),
    N_(
        "Number of threads, kernels and determinism are each release's own choice, as in a user's plain script. Where "
        "the record shows that they differ, it is listed under What changed."
    ),
    N_(
        "The same work is checked by data, number of parameters and batch size; the verdict shows where they differ. "
        "Random numbers differ between releases, so losses and R² differ in the last digits without any defect."
    ),
)


def table(eras: Eras, net: Net) -> Iterator[tuple[Line, Point, tuple[Text, ...]]]:
    """Yield the rows of a net's table: a row of a framework after the other, in the order of the years."""
    for line in net.lines:
        for point in line.points:
            cells: list[Text] = []
            for phase in PHASES:
                time = point.times.get(phase)
                cells.append(seconds(time) if time else not_training(point.result, phase) or "")
                cells += [ratio(eras, point.before.get(phase)), ratio(eras, point.first.get(phase))]
            yield line, point, (*cells, quality(point.result))


def ratio(eras: Eras, time: Time | None) -> Text:
    """Return a ratio with its interval and verdict, if that stands among all of the table's."""
    if time is None or time.word == "unmeasured":
        return ""
    word = WORDS[time.word]
    if time.ratio is None or time.word == "incomparable":
        return message("{verdict}: {reason}", verdict=word, reason=time.reason) if time.reason else word
    found = time.ratio
    shown = ratio_with_ends(found.value, found.low, found.high)
    if found.low is None:
        return shown
    differs = time.word in ("faster", "slower")
    return joined((shown, message("may be chance") if differs and not eras.stands(time) else word), " ")


def quality(result: Result) -> Text:
    """Return the accuracy of the protocol that the main page shows."""
    return (result.quality and score(result.quality, "accuracy", result.quality.protocol)) or ""


def missing(eras: Eras) -> Iterator[tuple[Result, Text]]:
    """Yield the rows without a time, with the reason."""
    for _, _, point in eras.points:
        result = point.result
        if not point.times and result.status == "ok":
            yield result, not_training(result, "train") or ""
        elif not point.times:
            yield result, ended(result.status, result.reason)


def sentence(change: Change) -> Text:
    """Return a change in words, with the software that changed with it."""
    found = change.time.ratio
    if found is None or found.low is None or found.high is None:
        raise ValueError("a verdict has an interval")
    ends = (found.value, found.low, found.high)
    factor, low, high = ends if change.time.word == "slower" else (1 / found.value, 1 / found.high, 1 / found.low)
    told = message(
        CHANGES[change.time.word],
        net=change.net.title,
        library=change.line.name,
        phase=PHASE_NAMES[change.time.name],
        factor=Number(factor, "ratio"),
        low=Number(low, "ratio"),
        high=Number(high, "ratio"),
        before=change.time.pair[0].stack,
        after=change.point.year,
    )
    changed = message("What changed with it: {changes}.", changes=changes(*change.time.pair))
    return joined((told, changed), " ")


def changes(earlier: Result, later: Result) -> Text:
    """Return the versions and execution facts that differ: ``tensorflow 1.12.0 → 2.0.0``."""
    found = [f"{name} {_value(before)} → {_value(after)}" for name, before, after in software(earlier, later)]
    return joined(found) if found else message("nothing that is recorded")


def neighbours(eras: Eras) -> Iterator[tuple[Text, str, str, Text]]:
    """Yield net and library, both years and what changed, for each row and neighbouring years that have times."""
    for net, line, point in eras.points:
        if point.times and point.previous:
            changed = changes(point.previous, point.result)
            yield joined((net.title, line.name)), point.previous.stack, point.year, changed


def _value(value: object) -> str:
    return "–" if value is None else str(value)
