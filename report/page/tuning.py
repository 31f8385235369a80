"""As written and tuned: each neural row's times before and after the framework's own settings were tried on it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from report.comparison.statistics import paired_ratio
from report.page.measurements import device
from report.page.models import ended, seconds
from report.records import PHASES, Attempt, PhaseName, PhaseWarning, Tuning
from report.records.figure import of_medians
from report.sentences import said, warning_name
from report.text import Joined, Number, Text, joined, message, ratio_with_ends

OPTIONS = {
    "unroll": message("unroll (the loop over the time steps written out)"),
    "xla": message("xla (tf-function, compiled by XLA)"),
    "nondeterministic": message("nondeterministic (TensorFlow's deterministic kernels not required)"),
    "no-onednn": message("no-onednn (without oneDNN's kernels)"),
    "cudnn": message("cudnn (cuDNN's own LSTM layer, CuDNNLSTM, with the same weights)"),
    "tf-function": message("tf-function (a tf.function of our own instead of Keras' train_on_batch)"),
    "channels-last": message("channels-last (images with the channels innermost)"),
    "compile": message("compile (torch.compile)"),
    "donate": message("donate (new weights and moments take the place of the old ones)"),
    "cached-partial": message("cached-partial (net and optimizer looked through once, not on every call)"),
    "fused-adam": message("fused-adam (Adam's update in one kernel)"),
    "concatenate-first": message("concatenate-first (feature maps concatenated before normalization, as published)"),
    "cudnn-benchmark": message("cudnn-benchmark (cuDNN times its kernels and takes the fastest)"),
}
"""Those that the page can explain; ``threads-N`` besides. Any other is shown by its key."""

_THREADS = re.compile(r"threads-([1-9][0-9]{0,3})", re.ASCII)


class Compared(NamedTuple):
    """One phase's seconds as written and tuned, each with its warnings, and tuned over as written."""

    as_written: Text = ""
    tuned: Text = ""
    ratio: Text = ""


class Tuned(NamedTuple):
    """One line of the table, and what was tried."""

    tuning: Tuning
    name: str  # of the row
    device: Text  # with the number of threads of the row as written where it is known
    confirmed: bool  # whether fresh processes confirmed a gain
    phases: tuple[Compared, ...]  # training, prediction
    settings: Text
    error: Number | None  # how far the outputs with these settings differ
    attempts: tuple[Text, ...]


def tuned(tuning: Tuning, name: str) -> Tuned:
    """Return what the page says about one tuning."""
    confirmed = _is_confirmed(tuning)
    error = tuning.max_relative_error if tuning.chosen else None
    return Tuned(
        tuning,
        name,
        device(tuning.device, tuning.threads),
        confirmed,
        tuple(_compared(tuning, phase) for phase in PHASES),
        _settings(tuning, confirmed),
        None if error is None else Number(error, digits=2),
        tuple(_attempts(tuning)),
    )


def _is_confirmed(tuning: Tuning) -> bool:
    """Whether training and prediction together are faster tuned, by the pairs' geometric means (decision 0010)."""
    products = tuning.confirmation.products() if tuning.confirmation else ()
    return bool(products) and paired_ratio([1.0] * len(products), products).verdict == "faster"


def _compared(tuning: Tuning, phase: PhaseName) -> Compared:
    """The confirming processes' medians; of a row that nothing made faster, the time that all was compared with."""
    pairs = tuning.confirmation
    if tuning.chosen and pairs is not None:
        before, after = pairs.as_written.of(phase), pairs.tuned.of(phase)
        return Compared(
            _warned(_seconds(before), pairs.as_written.warnings, phase),
            _warned(_seconds(after), pairs.tuned.warnings, phase),
            _ratio(before, after) if before else "",
        )
    as_written = tuning.attempts[0]
    times = as_written.times(phase)
    if times is None:
        return Compared()
    return Compared(_warned(_seconds(times.process_medians_s or (times.median_s,)), as_written.warnings, phase))


def _seconds(medians: Sequence[float]) -> Text:
    return seconds(of_medians(medians)) if medians else ""


def _warned(shown: Text, warnings: Iterable[PhaseWarning], phase: PhaseName) -> Text:
    names = _names(warning for warning in warnings if warning.phase in (phase, "all"))
    return message("{seconds} ({warnings})", seconds=shown, warnings=names) if shown and names.parts else shown


def _names(warnings: Iterable[PhaseWarning]) -> Joined:
    return joined(warning_name(warning.key) for warning in warnings)


def _ratio(as_written: Sequence[float], tuned_s: Sequence[float]) -> Text:
    """The median of the pairs' ratios with its 95 % interval, if there are enough pairs for one."""
    found = paired_ratio(as_written, tuned_s)
    return ratio_with_ends(found.value, found.low, found.high)


def _settings(tuning: Tuning, confirmed: bool) -> Text:
    as_written = tuning.attempts[0]
    if as_written.status != "ok":
        return message("as written: {outcome}", outcome=_outcome(as_written))
    if not tuning.chosen:
        return said(tuning.reason) if tuning.reason else message("nothing tried was clearly faster")
    chosen = Joined(tuning.chosen)
    if tuning.confirmation:
        return chosen if confirmed else message("{chosen} (gain not confirmed)", chosen=chosen)
    if tuning.reason:
        return message("{chosen} (not confirmed: {reason})", chosen=chosen, reason=said(tuning.reason))
    return message("{chosen} (not confirmed)", chosen=chosen)


def _attempts(tuning: Tuning) -> Iterator[Text]:
    """Everything that was tried, with its times as shares of those as written, and the outcome."""
    as_written, *tried = tuning.attempts
    if tuning.profile == "smoke":
        yield message("Smoke run: it proves that everything runs and measures nothing.")
    if as_written.status != "ok":
        yield _marked(message("as written: {outcome}", outcome=_outcome(as_written)), as_written)
    elif as_written.warnings:
        yield _marked(message("as written"), as_written)
    for attempt in tried:
        option = _option(attempt.option or "")
        if attempt.kept_before:
            option = message("{option}, on top of {kept}", option=option, kept=Joined(attempt.kept_before))
        yield _marked(_tried(option, attempt, as_written, tuning.chosen), attempt)
    if not tried and as_written.status == "ok":
        yield message("nothing")


def _tried(option: Text, attempt: Attempt, as_written: Attempt, chosen: Sequence[str]) -> Text:
    outcome = _outcome(attempt, chosen)
    if not (attempt.times("train") or attempt.times("predict")):
        return message("{option}: {outcome}", option=option, outcome=outcome)
    return message(
        "{option}: training {train}, prediction {predict}; {outcome}",
        option=option,
        train=_share(attempt, as_written, "train"),
        predict=_share(attempt, as_written, "predict"),
        outcome=outcome,
    )


def _marked(text: Text, attempt: Attempt) -> Text:
    names = _names(attempt.warnings)
    return message("{text} (warnings: {warnings})", text=text, warnings=names) if names.parts else text


def _share(attempt: Attempt, as_written: Attempt, phase: PhaseName) -> Text:
    before, after = as_written.times(phase), attempt.times(phase)
    return Number(after.median_s / before.median_s, "ratio") if before and after else "–"


def _option(key: str) -> Text:
    threads = _THREADS.fullmatch(key)
    if threads:
        return message("threads-{count} (number of threads: {count})", count=threads[1])
    return OPTIONS.get(key, key)


def _outcome(attempt: Attempt, chosen: Sequence[str] = ()) -> Text:
    if attempt.kept and attempt.option is not None:
        return message("kept") if attempt.option in chosen else message("kept until a later one replaced it")
    if attempt.status == "ok":
        return message("not clearly faster")
    if attempt.status == "different":
        if attempt.max_relative_error is None:
            return message("not kept, outputs differ")
        return message(
            "not kept, outputs differ by {difference}", difference=Number(attempt.max_relative_error, digits=2)
        )
    if attempt.status == "skipped":
        return message("not tried: {reason}", reason=said(attempt.reason))
    return ended(attempt.status, attempt.reason)
