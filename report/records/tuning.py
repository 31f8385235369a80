"""What ``make tune`` wrote beside the results: each neural row as it is written, and with settings tried on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import zip_longest
from typing import Annotated, Literal

from msgspec import Meta

from report.records.common import (
    PHASES,
    Duration,
    Environment,
    Measured,
    Moment,
    PhaseName,
    PhaseWarning,
    Positive,
    Provenance,
    Reason,
    Record,
    Seconds,
    Values,
)
from report.records.model import TunedModel

TUNING_FOLDER = "tuning"
"""Beside a stack's results."""

AttemptStatus = Literal["ok", "failed", "timeout", "out_of_memory", "skipped", "different"]
Option = Annotated[str, Meta(min_length=1, max_length=100, description="an unknown one is shown by its key")]
Error = Annotated[float, Meta(ge=0, le=1e100, description="max |a-b| / max |a| of the outputs")]
Medians = Annotated[tuple[Seconds, ...], Meta(max_length=1000)]


class Times(Record, frozen=True):
    """Seconds per batch of one phase of one attempt."""

    median_s: Annotated[Seconds, Meta(description="of the processes' medians")]
    interval_s: tuple[Duration, Duration] | None
    samples_s: Annotated[Sequence[Seconds], Meta(min_length=1, description="of one process")]
    process_medians_s: Annotated[Medians, Meta(description="of all processes of the attempt")] = ()


class Side(Record, frozen=True):
    """Medians of fresh processes; the n-th of two sides make a pair."""

    train_s: Medians
    predict_s: Medians
    warnings: tuple[PhaseWarning, ...] = ()

    def of(self, phase: PhaseName) -> tuple[float, ...]:
        """Return those of training or of prediction."""
        return self.train_s if phase == "train" else self.predict_s


class Confirmation(Record, frozen=True):
    """The row as written and tuned in turns, in processes that took no part in the choice."""

    as_written: Side
    tuned: Side

    def __post_init__(self) -> None:
        """Check that the sides make pairs. Raises ValueError."""
        for phase in PHASES:
            before, after = len(self.as_written.of(phase)), len(self.tuned.of(phase))
            if before != after:
                sides = f"{before} processes as written and {after} tuned"
                raise ValueError(f"{sides} have a {phase}_s, which makes no pairs")

    def ratios(self, phase: PhaseName) -> tuple[float, ...]:
        """Return tuned over as written, one per pair."""
        return tuple(
            after / before for before, after in zip(self.as_written.of(phase), self.tuned.of(phase), strict=True)
        )

    def products(self) -> tuple[float, ...]:
        """Return the ratios of training times those of prediction, one per pair; a phase without times counts as 1."""
        pairs = zip_longest(self.ratios("train"), self.ratios("predict"), fillvalue=1.0)
        return tuple(map(math.prod, pairs))


class Attempt(Record, frozen=True, rename={"kept_before": "with"}):
    """One option tried on top of those kept before it; ``option`` is null for the row as written."""

    option: Option | None
    kept_before: tuple[Option, ...]
    status: AttemptStatus
    reason: Reason | None
    train: Times | None
    predict: Times | None
    max_relative_error: Error | None
    execution: Values | None
    kept: bool
    warnings: tuple[PhaseWarning, ...] = ()

    def __post_init__(self) -> None:
        """Check that the fields agree. Raises ValueError."""
        if self.status not in ("ok", "different") and self.reason is None:
            raise ValueError(f"reason: null, although the status is {self.status}")
        if self.kept and self.option is not None and self.status != "ok":
            raise ValueError(f"kept, although the status is {self.status}")

    def times(self, phase: PhaseName) -> Times | None:
        """Return those of training or of prediction; None where there are none, or where it failed."""
        if self.status not in ("ok", "different"):
            return None
        return self.train if phase == "train" else self.predict


class Tuning(Measured, frozen=True):
    """One neural row on one device, as it is written and with the framework's own settings tried on it."""

    model: TunedModel
    started: Moment
    duration_s: Duration
    threads: Annotated[Positive, Meta(description="of the row as written; null: the framework's own choice")] | None
    tolerance: Annotated[Error, Meta(description="largest error at which it is still the same function")]
    chosen: Annotated[tuple[Option, ...], Meta(max_length=100)]
    max_relative_error: Annotated[Error, Meta(description="of what was chosen")] | None
    confirmation: Annotated[Confirmation, Meta(description="null if nothing was chosen, or for the reason")] | None
    attempts: Annotated[tuple[Attempt, ...], Meta(min_length=1, max_length=100, description="as written comes first")]
    environment: Environment | None
    provenance: Provenance
    reason: Annotated[Reason, Meta(description="why there is no confirmation, or why nothing was tried")] | None = None
    path: str = ""
    """As in a result."""

    def __post_init__(self) -> None:
        """Check the order of the attempts. Raises ValueError."""
        if [attempt.option is None for attempt in self.attempts] != [True, *[False] * (len(self.attempts) - 1)]:
            raise ValueError("attempts: the first one, and no other, is the row as written")
        if len(set(self.chosen)) != len(self.chosen):
            raise ValueError("chosen: an option appears twice")

    @property
    def file(self) -> str:
        """Where the record lies below the results folder."""
        return f"{self.machine}/{self.stack}/{TUNING_FOLDER}/{self.model.key}.{self.device}.json"
