"""As written and tuned: each neural model's times before and after the framework's own settings were tried on it."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from report import figures
from report.escape import Safe
from report.messages import Message, Spoken, Text, message
from report.tuning import Attempt, PhaseName, Tuning

OPTIONS = (
    "unroll",
    "xla",
    "any-order",
    "no-onednn",
    "cudnn",
    "direct-step",
    "channels-last",
    "compile",
    "fused-adam",
    "concatenate-first",
    "cudnn-benchmark",
)
"""Those that the page can explain; ``threads-N`` besides. Any other is shown by its key."""

_THREADS = re.compile(r"threads-([1-9][0-9]{0,3})", re.ASCII)
_NOT_COUNTED = Safe("–")


@dataclass(frozen=True, slots=True)
class Compared:
    """One phase's seconds as written and tuned, and tuned over as written; empty where there is none."""

    as_written: Safe
    tuned: Safe
    ratio: Safe


@dataclass(frozen=True, slots=True)
class Tuned:
    """One model on one device: its line of the table, and what was tried."""

    tuning: Tuning
    train: Compared
    predict: Compared
    settings: Text
    outputs_difference: Safe
    attempts: tuple[Message, ...]


def tuned(tuning: Tuning) -> Tuned:
    """What the page says of one tuning."""
    return Tuned(
        tuning,
        _compared(tuning, "train"),
        _compared(tuning, "predict"),
        _settings(tuning),
        _difference(tuning.outputs_difference) if tuning.chosen else Safe(""),
        tuple(_attempts(tuning)),
    )


def _compared(tuning: Tuning, phase: PhaseName) -> Compared:
    """The confirming processes' medians; of a model that nothing made faster, the time that all was held against."""
    if tuning.chosen and tuning.pairs:
        before, after = tuning.pairs.as_written.of(phase), tuning.pairs.tuned.of(phase)
        return Compared(_seconds(before), _seconds(after), _ratio([b / a for a, b in zip(before, after, strict=True)]))
    times = tuning.attempts[0].times(phase)
    shown = figures.rounded(times.median_s, figures.half_width(times.interval_s)) if times else Safe("")
    return Compared(shown, Safe(""), Safe(""))


def _seconds(medians: tuple[float, ...]) -> Safe:
    if not medians:
        return Safe("")
    spread = (max(medians) - min(medians)) / 2 if len(medians) > 1 else None
    return figures.rounded(statistics.median(medians), spread)


def _ratio(ratios: list[float]) -> Safe:
    """The median of the pairs' ratios, and their range. The ratio of the medians could lie outside it."""
    if not ratios:
        return Safe("")
    middle, low, high = (figures.ratio(value) for value in (statistics.median(ratios), min(ratios), max(ratios)))
    return Safe(f"{middle} ({low}–{high})") if len(ratios) > 1 else middle


def _settings(tuning: Tuning) -> Text:
    as_written = tuning.attempts[0]
    if as_written.status != "ok":
        return message("tuned.as-written-failed", outcome=_outcome(as_written))
    if not tuning.chosen:
        return message("tuned.nothing-faster")
    chosen = ", ".join(tuning.chosen)
    return chosen if tuning.pairs else message("tuned.not-confirmed", chosen=chosen)


def _attempts(tuning: Tuning) -> Iterator[Message]:
    """Everything that was tried, with its times as shares of those as written, and what became of it."""
    as_written, *tried = tuning.attempts
    if tuning.profile == "smoke":
        yield message("note.smoke")
    if as_written.status != "ok":
        yield message("tuned.as-written-failed", outcome=_outcome(as_written))
    for attempt in tried:
        option = _option(attempt.option or "")
        if attempt.kept_before:
            option = message("tuned.option-with", option=option, kept=", ".join(attempt.kept_before))
        if attempt.train is None and attempt.predict is None:
            yield message("tuned.attempt", option=option, outcome=_outcome(attempt))
        else:
            train, predict = _share(attempt, as_written, "train"), _share(attempt, as_written, "predict")
            yield message("tuned.attempt-timed", option=option, train=train, predict=predict, outcome=_outcome(attempt))
    if not tried:
        yield message("tuned.nothing-tried")


def _share(attempt: Attempt, as_written: Attempt, phase: PhaseName) -> Safe:
    before, after = as_written.times(phase), attempt.times(phase)
    return figures.ratio(after.median_s / before.median_s) if before and after else _NOT_COUNTED


def _option(key: str) -> Text:
    if key in OPTIONS:
        return message(f"option.{key}")
    threads = _THREADS.fullmatch(key)
    return message("option.threads", count=int(threads[1])) if threads else key


def _outcome(attempt: Attempt) -> Message:
    reason: Text = Spoken(attempt.reason) if attempt.reason else message("note.no-reason")
    if attempt.kept and attempt.option is not None:
        return message("tuned.kept")
    if attempt.status == "ok":
        return message("tuned.not-faster")
    if attempt.status == "different":
        if attempt.outputs_difference is None:
            return message("tuned.different")
        return message("tuned.different-by", difference=_difference(attempt.outputs_difference))
    if attempt.status == "skipped":
        return message("tuned.skipped", reason=reason)
    return message("note.failed", status=message(f"status.{attempt.status}"), reason=reason)


def _difference(value: float | None) -> Safe:
    return Safe("") if value is None else figures.significant(value, 2)
