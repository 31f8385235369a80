"""As written and tuned: each neural model's times before and after the framework's own settings were tried on it."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from report import figures, marks
from report.columns import uncertainty
from report.documents import Mark
from report.escape import Safe
from report.messages import Message, Spoken, Text, message
from report.tuning import Attempt, Medians, PhaseName, Tuning

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
class Marked:
    """Seconds, and the names of the warnings about them; empty where there are none."""

    seconds: Safe
    marks: tuple[Text, ...] = ()


_NOTHING = Marked(Safe(""))


@dataclass(frozen=True, slots=True)
class Compared:
    """One phase's seconds as written and tuned, and tuned over as written."""

    as_written: Marked
    tuned: Marked
    ratio: Safe


@dataclass(frozen=True, slots=True)
class Tried:
    """What the list below the table says of one attempt, and the names of its marks."""

    said: Message
    marks: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Tuned:
    """One model on one device: its line of the table, and what was tried."""

    tuning: Tuning
    train: Compared
    predict: Compared
    settings: Text
    outputs_difference: Safe
    attempts: tuple[Tried, ...]

    @property
    def threads(self) -> int | None:
        """How many threads the model as written had; None where the framework chose, and on a GPU."""
        return self.tuning.threads if self.tuning.device == "cpu" else None


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
        before, after = _confirming(tuning.pairs.as_written, phase), _confirming(tuning.pairs.tuned, phase)
        return Compared(before, after, _ratio(tuning.pairs.ratios(phase)))
    as_written = tuning.attempts[0]
    times = as_written.times(phase)
    if times is None:
        return Compared(_NOTHING, _NOTHING, Safe(""))
    shown = figures.rounded(times.median_s, uncertainty(times))
    return Compared(Marked(shown, _marks(as_written.marks, phase)), _NOTHING, Safe(""))


def _confirming(medians: Medians, phase: PhaseName) -> Marked:
    seconds = medians.of(phase)
    if not seconds:
        return _NOTHING
    spread = (max(seconds) - min(seconds)) / 2 if len(seconds) > 1 else None
    return Marked(figures.rounded(statistics.median(seconds), spread), _marks(medians.marks, phase))


def _marks(found: Iterable[Mark], phase: PhaseName) -> tuple[Text, ...]:
    return marks.names(mark for mark in found if mark.phase in (phase, "all"))


def _ratio(ratios: Sequence[float]) -> Safe:
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
        return Spoken(tuning.reason) if tuning.reason else message("tuned.nothing-faster")
    chosen = ", ".join(tuning.chosen)
    if tuning.pairs:
        return chosen if tuning.pairs.confirmed else message("tuned.no-gain", chosen=chosen)
    if tuning.reason:
        return message("tuned.not-confirmed-for", chosen=chosen, reason=Spoken(tuning.reason))
    return message("tuned.not-confirmed", chosen=chosen)


def _attempts(tuning: Tuning) -> Iterator[Tried]:
    """Everything that was tried, with its times as shares of those as written, and what became of it."""
    as_written, *tried = tuning.attempts
    as_written_marks = marks.names(as_written.marks)
    if tuning.profile == "smoke":
        yield Tried(message("note.smoke"))
    if as_written.status != "ok":
        yield Tried(message("tuned.as-written-failed", outcome=_outcome(as_written)), as_written_marks)
    elif as_written_marks:
        yield Tried(message("tuned.as-written"), as_written_marks)
    for attempt in tried:
        option = _option(attempt.option or "")
        if attempt.kept_before:
            option = message("tuned.option-with", option=option, kept=", ".join(attempt.kept_before))
        outcome = _outcome(attempt, tuning.chosen)
        if attempt.times("train") or attempt.times("predict"):
            train, predict = _share(attempt, as_written, "train"), _share(attempt, as_written, "predict")
            said = message("tuned.attempt-timed", option=option, train=train, predict=predict, outcome=outcome)
        else:
            said = message("tuned.attempt", option=option, outcome=outcome)
        yield Tried(said, marks.names(attempt.marks))
    if not tried and as_written.status == "ok":
        yield Tried(message("tuned.nothing-tried"))


def _share(attempt: Attempt, as_written: Attempt, phase: PhaseName) -> Safe:
    before, after = as_written.times(phase), attempt.times(phase)
    return figures.ratio(after.median_s / before.median_s) if before and after else _NOT_COUNTED


def _option(key: str) -> Text:
    if key in OPTIONS:
        return message(f"option.{key}")
    threads = _THREADS.fullmatch(key)
    return message("option.threads", count=int(threads[1])) if threads else key


def _outcome(attempt: Attempt, chosen: tuple[str, ...] = ()) -> Message:
    reason: Text = Spoken(attempt.reason) if attempt.reason else message("note.no-reason")
    if attempt.kept and attempt.option is not None:
        return message("tuned.kept" if attempt.option in chosen else "tuned.replaced")
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
