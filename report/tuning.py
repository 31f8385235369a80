"""What ``make tune`` wrote beside the results: each neural model as it is written, and with settings tried on it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal

from report.documents import Mark, Unusable, frozen, marks, read_document, require_place
from report.versions import TUNING, Record

AttemptStatus = Literal["ok", "failed", "timeout", "out_of_memory", "skipped", "different"]
PhaseName = Literal["train", "predict"]

TUNING_FOLDER = "tuning"
"""Beside a stack's results."""

_PLACE = re.compile(rf"[^/]+/[^/]+/{TUNING_FOLDER}/")


@dataclass(frozen=True, slots=True)
class TunedModel:
    """Which model: as in a result, without what only a run of it tells."""

    key: str
    title: str
    params: str
    library: str
    dataset: str
    position: int


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds a batch of one phase of one attempt, every sample of one process kept."""

    median_s: float
    interval_s: tuple[float, float] | None  # 95 % confidence interval of the median
    samples_s: tuple[float, ...]
    process_medians_s: tuple[float, ...] = ()  # of all processes of the attempt; ``median_s`` is their median


@dataclass(frozen=True, slots=True)
class Medians:
    """Medians of fresh processes; the n-th of two of these make a pair."""

    train_s: tuple[float, ...]
    predict_s: tuple[float, ...]
    marks: tuple[Mark, ...] = ()

    def of(self, phase: PhaseName) -> tuple[float, ...]:
        """Those of training or of prediction."""
        return self.train_s if phase == "train" else self.predict_s


@dataclass(frozen=True, slots=True)
class Pairs:
    """The confirmation of what was chosen, by processes that took no part in the choice."""

    as_written: Medians
    tuned: Medians

    def ratios(self, phase: PhaseName) -> tuple[float, ...]:
        """Tuned over as written, a pair each."""
        return tuple(
            after / before for before, after in zip(self.as_written.of(phase), self.tuned.of(phase), strict=True)
        )

    @property
    def confirmed(self) -> bool:
        """Whether every pair is faster tuned, by the geometric mean of its ratios of training and prediction."""
        pairs = list(zip_longest(self.ratios("train"), self.ratios("predict"), fillvalue=1.0))
        return bool(pairs) and all(math.prod(pair) < 1 for pair in pairs)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One option tried on top of those kept before it; ``option`` is None for the model as written."""

    option: str | None
    kept_before: tuple[str, ...]  # "with" in the JSON
    status: AttemptStatus
    reason: str | None
    train: Times | None
    predict: Times | None
    outputs_difference: float | None  # from those as written: max |a-b| / max |a|
    kernel_path: Mapping[str, Any] | None
    kept: bool
    marks: tuple[Mark, ...] = ()

    def times(self, phase: PhaseName) -> Times | None:
        """Those of training or of prediction; None where there are none, or where it failed, so that none counts."""
        if self.status not in ("ok", "different"):
            return None
        return self.train if phase == "train" else self.predict


@dataclass(frozen=True, slots=True)
class Tuning:
    """One neural model on one device: what was tried on it, and what of it was kept."""

    machine: str
    stack: str
    engine: str
    profile: Literal["smoke", "quick", "full"]
    framework: str
    device: Literal["cpu", "gpu"]
    model: TunedModel
    started: str  # UTC, "2026-11-24T03:00:00Z"
    duration_s: float
    threads: int | None  # of the row as written
    tolerance: float
    chosen: tuple[str, ...]
    outputs_difference: float | None
    pairs: Pairs | None
    attempts: tuple[Attempt, ...]  # as written comes first
    environment: Mapping[str, Any] | None
    provenance: Mapping[str, Any]
    path: Path
    reason: str | None = None  # why there are no pairs of what was chosen, or nothing at all

    @property
    def file(self) -> str:
        """Where the file lies below the results folder, made of checked names only."""
        return f"{self.machine}/{self.stack}/{TUNING_FOLDER}/{self.model.key}.{self.device}.json"


def is_tuning(name: str) -> bool:
    """Whether a file of this name below the results folder lies where tunings do."""
    return TUNING_FOLDER in name and _PLACE.match(name) is not None


def load_tuning(root: Path, name: str, inside: Path) -> Tuning:
    """The tuning at ``root/name``; ``inside`` is ``root`` resolved. Raises Unusable."""
    path = root / name
    tuning = _tuning(read_document(path, inside, TUNING), path)
    require_place(name, tuning.file)
    return tuning


def _tuning(record: Record, path: Path) -> Tuning:
    """A valid record of the newest version, frozen."""
    fields = {name: frozen(value) for name, value in record.items() if name != "schema_version"}
    fields["model"] = TunedModel(**record["model"])
    fields["pairs"] = record["pairs"] and _pairs(record["pairs"])
    fields["attempts"] = tuple(_attempt(attempt) for attempt in record["attempts"])
    return Tuning(**fields, path=path)


def _pairs(record: Record) -> Pairs:
    sides = {side: _medians(record[side]) for side in ("as_written", "tuned")}
    for phase in ("train_s", "predict_s"):
        counts = [len(getattr(medians, phase)) for medians in sides.values()]
        if counts[0] != counts[1]:
            raise Unusable(
                f"delete it and {TUNING.again}",
                f"pairs: {counts[0]} processes as written and {counts[1]} tuned have a {phase}, which makes no pairs",
            )
    return Pairs(**sides)


def _medians(record: Record) -> Medians:
    return Medians(**{**frozen(record), "marks": marks(record.get("marks", ()))})


def _attempt(record: Record) -> Attempt:
    fields = {name: frozen(value) for name, value in record.items() if name != "with"}
    for phase in ("train", "predict"):
        fields[phase] = record[phase] and Times(**fields[phase])
    fields["marks"] = marks(record.get("marks", ()))
    return Attempt(**fields, kept_before=tuple(record["with"]))
