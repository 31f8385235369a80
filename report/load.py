"""Reads the results folder: checks everything, gathers every problem, goes on with the good documents."""

from __future__ import annotations

import math
import os
import sys
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, cast

import orjson

from report.documents import Mark, Problem, Unusable, frozen, marks, read_document, require_place
from report.tuning import Tuning, is_tuning, load_tuning
from report.versions import RESULT, Record

Device = Literal["cpu", "gpu"]
Status = Literal["ok", "failed", "timeout", "out_of_memory", "skipped"]
ScoreName = Literal["loss", "accuracy"]
Figures = Sequence[float]
"""Read-only. A missing value is NaN. Held as packed doubles: 10,000 results would take 110 MB more as floats."""

CALIBRATION_FILE = "calibration.json"
"""A machine's measured noise with one stack, beside its results; read by report.statistics, no result."""

_TABLE_ENDINGS = (".json", ".csv", ".parquet")  # of files that lie beside the machines' folders, where the page is

_SERIES = ("warmup_s", "samples_s", "losses", "process_medians_s")


class ResultsUnavailable(Exception):
    """The results folder cannot be read. The message names the folder and the cure."""


@dataclass(frozen=True, slots=True)
class Model:
    """What was measured: one row of the page."""

    key: str
    title: str
    params: str
    library: str
    dataset: str
    position: int
    parameters: int | None  # trainable ones
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Score:
    """One protocol's loss and accuracy; a baseline's where ``baseline`` is true, and then ``name`` says whose."""

    protocol: str
    loss: float | None
    accuracy: float | None
    note: str
    baseline: bool
    name: str

    def value(self, which: ScoreName) -> float | None:
        """The loss or the accuracy."""
        return self.loss if which == "loss" else self.accuracy


@dataclass(frozen=True, slots=True)
class SeedScore:
    """What training with one seed gave."""

    seed: int
    seconds: float | None
    loss: float | None
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class RollingOrigin:
    """Errors of forecasts from every origin in the test part, published scale; of a baseline, ``name`` says whose."""

    name: str
    baseline: bool
    origins: int
    horizon: int
    mae: float | None
    rmse: float | None
    mase: float | None
    mae_quartiles: tuple[float, ...]  # over the origins, as the two below
    rmse_quartiles: tuple[float, ...]
    mase_quartiles: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Quality:
    """How well the model did; ``protocol`` names the score that the page's Loss and Accuracy show."""

    protocol: str
    loss_metric: str
    accuracy_metric: str
    scores: tuple[Score, ...]
    by_seed: tuple[SeedScore, ...]
    epochs: int | None
    history: Mapping[str, Figures]  # a value an epoch, of the median seed
    forecasts: Mapping[str, Figures]  # by protocol, and "truth"
    test_seconds: float | None
    epoch_seconds: float | None
    reason: str
    notes: tuple[str, ...]
    rolling_origin: tuple[RollingOrigin, ...] = ()

    def score(self, protocol: str) -> Score | None:
        """The model's own score under ``protocol``; None if it has none."""
        return next((s for s in self.scores if s.protocol == protocol and not s.baseline), None)


@dataclass(frozen=True, slots=True)
class Phase:
    """The timed training steps or predictions; seconds per ``unit``, every sample kept."""

    unit: Literal["batch", "fit"]
    batch_size: int
    inner_loops: int
    warmup_s: Figures
    samples_s: Figures
    stopped_by: Literal["precision", "budget", "count"]
    median_s: float
    interval_s: tuple[float, float] | None  # 95 % confidence interval of the median
    iqr_s: float
    losses: Figures
    counts: bool  # False: the model was not really training, so the time may not be shown
    reason: str | None
    process_medians_s: Figures = ()  # of further fresh processes, this one's not among them
    conditions: Mapping[str, Any] | None = None  # what else went on meanwhile


@dataclass(frozen=True, slots=True)
class Whole:
    """Seconds for a whole epoch or test set."""

    seconds: float
    batches: int
    how: Literal["measured", "multiplied"]


@dataclass(frozen=True, slots=True)
class Timing:
    """What was timed; None where a phase was not run or the page quotes no whole epoch or test set."""

    train: Phase | None
    predict: Phase | None
    epoch: Whole | None
    test_set: Whole | None


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes; None where nobody counted."""

    peak_allocated_bytes: int | None
    peak_reserved_bytes: int | None
    device_before_bytes: int | None
    device_after_bytes: int | None
    device_total_bytes: int | None
    resident_before_bytes: int | None
    peak_resident_bytes: int | None


@dataclass(frozen=True, slots=True)
class Energy:
    """Joules per batch, where the card counts them."""

    train_joules_per_batch: float | None
    predict_joules_per_batch: float | None
    source: str


@dataclass(frozen=True, slots=True)
class Data:
    """Which data, from where, and whether they were generated for want of real ones."""

    name: str
    source: str
    sha256: str
    synthetic: bool
    note: str


@dataclass(frozen=True, slots=True)
class Gpu:
    """The graphics card."""

    name: str | None
    memory_bytes: int | None
    driver: str | None
    compute_capability: str | None


@dataclass(frozen=True, slots=True)
class Environment:
    """The machine and its software; ``more`` holds what the record says beyond the fields that every one has."""

    cpu: str | None
    cores: int | None
    threads: int | None
    governor: str | None
    memory_bytes: int | None
    gpu: Gpu | None
    os: str | None
    kernel: str | None
    python: str | None
    versions: Mapping[str, str]
    more: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Which code, locks and image made the result."""

    git_commit: str | None
    git_clean: bool | None
    code_sha256: str
    lock_sha256: str | None
    image: str | None
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Result:
    """One model on one device, once: what one JSON file holds, and where it lies."""

    machine: str
    stack: str
    engine: str
    profile: Literal["smoke", "quick", "full"]
    framework: str
    device: Device
    model: Model
    status: Status
    reason: str | None
    log: str | None
    started: str | None  # UTC, "2026-11-24T03:00:00Z"
    duration_s: float | None
    settings: Mapping[str, Any]
    quality: Quality | None
    timing: Timing | None
    memory: Memory | None
    energy: Energy | None
    kernel_path: Mapping[str, Any] | None
    data: Data | None
    marks: tuple[Mark, ...]
    environment: Environment | None
    provenance: Provenance
    path: Path  # the file it was read from: the figures' provenance

    @property
    def file(self) -> str:
        """Where the file lies below the results folder, made of checked names only."""
        return f"{self.machine}/{self.stack}/{self.model.key}.{self.device}.json"


@dataclass(frozen=True, slots=True)
class Loaded:
    """The usable results and tunings in the order of the page, and what was wrong with the others."""

    results: tuple[Result, ...]
    problems: tuple[Problem, ...]
    tunings: tuple[Tuning, ...] = ()


class _Shared:
    """Parts that many results have in common, such as a machine's environment, made and held once: all are frozen."""

    def __init__(self) -> None:
        self._made: dict[tuple[Callable[[Any], Any], bytes], Any] = {}

    def __call__(self, make: Callable[[Any], Any], part: Any) -> Any:
        if part is None:
            return None
        key = (make, orjson.dumps(part))
        try:
            return self._made[key]
        except KeyError:
            made = self._made[key] = make(part)
            return made


def load_results(root: str | os.PathLike[str]) -> Loaded:
    """Every usable result at ``root/<machine>/<stack>/<model>.<device>.json``, and every problem with the others.

    Tunings lie in a folder ``tuning`` beside the results, and are of no use without any. Folders and files whose names
    begin with a dot are passed over (the runners keep theirs there), and so are calibrations.
    Raises ResultsUnavailable if ``root`` is no folder that can be read.
    """
    root = Path(root)
    try:
        with os.scandir(root):
            pass
        inside = root.resolve(strict=True)
    except OSError as error:
        raise ResultsUnavailable(
            f"results folder {root}: {error.strerror}; measure first (make bench), or name the folder that holds "
            "<machine>/<stack>/<model>.<device>.json"
        ) from None
    results: list[Result] = []
    problems: list[Problem] = []
    found: list[Tuning] = []
    shared = _Shared()
    for name in _files(root, problems):
        try:
            if is_tuning(name):
                found.append(load_tuning(root, name, inside))
            else:
                results.append(_load(root, name, inside, shared))
        except Unusable as unusable:
            problems.extend(Problem(name, message, unusable.cure) for message in unusable.messages)
    results.sort(key=_order)
    tunings = tuple(_beside_results(sorted(found, key=_order), results, problems))
    return Loaded(tuple(results), tuple(sorted(problems)), tunings)


def _order(document: Result | Tuning) -> tuple[str, str, int, str]:
    return document.machine, document.stack, document.model.position, document.file


def _beside_results(tunings: Sequence[Tuning], results: Sequence[Result], problems: list[Problem]) -> Iterator[Tuning]:
    """The tunings of machines and stacks that have results; a section of the page is made of these."""
    measured = {(result.machine, result.stack) for result in results} if tunings else set()
    for tuning in tunings:
        if (tuning.machine, tuning.stack) in measured:
            yield tuning
        else:
            problems.append(
                Problem(tuning.file, "has no usable result beside it to be shown with", "measure too (make bench)")
            )


def _files(root: Path, problems: list[Problem]) -> Iterator[str]:
    """The names of the JSON files below ``root``, relative to it."""

    def unreadable(error: OSError) -> None:
        name = Path(str(error.filename)).relative_to(root).as_posix()
        problems.append(Problem(name, f"cannot be read ({error.strerror})", "make the folder readable"))

    for folder, names, files in os.walk(root, onerror=unreadable):
        below = Path(folder).relative_to(root).as_posix()
        prefix = "" if below == "." else f"{below}/"
        names[:] = sorted(name for name in names if not name.startswith("."))
        for name in names:
            if os.path.islink(os.path.join(folder, name)):
                problems.append(Problem(prefix + name, "is a link to a folder", "copy the folder here instead"))
        for name in sorted(files):
            is_calibration = name == CALIBRATION_FILE and prefix.count("/") == 2
            if name.endswith(".json") and not name.startswith(".") and not is_calibration:
                yield prefix + name


def _load(root: Path, name: str, inside: Path, shared: _Shared) -> Result:
    path = root / name
    result = _result(read_document(path, inside, RESULT), path, shared)
    require_place(name, result.file)
    if result.machine.endswith(_TABLE_ENDINGS):
        raise Unusable("give the machine another name (MACHINE=…)", "its machine is called like a file beside the page")
    return result


def _result(record: Record, path: Path, shared: _Shared) -> Result:
    """A valid record of the newest version, frozen."""
    fields = {name: value for name, value in record.items() if name != "schema_version"}
    for name in ("machine", "stack", "engine", "profile", "framework", "device"):
        fields[name] = sys.intern(fields[name])
    fields["model"] = shared(_model, record["model"])
    fields["settings"] = shared(frozen, record["settings"])
    fields["quality"] = record["quality"] and _quality(record["quality"])
    fields["timing"] = record["timing"] and _timing(record["timing"])
    fields["memory"] = record["memory"] and Memory(**record["memory"])
    fields["energy"] = record["energy"] and Energy(**record["energy"])
    fields["kernel_path"] = shared(frozen, record["kernel_path"])
    fields["data"] = shared(_data, record["data"])
    fields["marks"] = marks(record["marks"])
    fields["environment"] = shared(_environment, record["environment"])
    fields["provenance"] = Provenance(**record["provenance"])
    return Result(**fields, path=path)


def _model(record: Record) -> Model:
    return Model(**{**record, "details": frozen(record["details"] or {})})


def _data(record: Record) -> Data:
    return Data(**record)


def _quality(record: Record) -> Quality:
    frozen = {
        "scores": tuple(Score(**score) for score in record["scores"]),
        "by_seed": tuple(
            SeedScore(seed["seed"], seed["seconds"], seed["loss"], seed["accuracy"]) for seed in record["by_seed"]
        ),
        "history": MappingProxyType({name: _figures(values) for name, values in record["history"].items()}),
        "forecasts": MappingProxyType({name: _figures(values) for name, values in record["forecasts"].items()}),
        "notes": tuple(record["notes"]),
        "rolling_origin": tuple(_rolling(errors) for errors in record.get("rolling_origin", ())),
    }
    return Quality(**{**record, **frozen})


def _rolling(record: Record) -> RollingOrigin:
    quartiles = {
        name: tuple(value for value in record.get(name) or () if value is not None)
        for name in ("mae_quartiles", "rmse_quartiles", "mase_quartiles")
    }
    return RollingOrigin(**{**record, **quartiles})


def _timing(record: Record) -> Timing:
    return Timing(
        train=record["train"] and _phase(record["train"]),
        predict=record["predict"] and _phase(record["predict"]),
        epoch=record["epoch"] and Whole(**record["epoch"]),
        test_set=record["test_set"] and Whole(**record["test_set"]),
    )


def _phase(record: Record) -> Phase:
    packed = {name: _figures(record[name]) for name in _SERIES if name in record}
    changed = {"interval_s": record["interval_s"] and tuple(record["interval_s"])}
    if "conditions" in record:
        changed["conditions"] = frozen(record["conditions"])
    return Phase(**{**record, **packed, **changed})


def _environment(record: Record) -> Environment:
    known = {name: record[name] for name in Environment.__slots__ if name in record and name != "more"}
    gpu = record["gpu"] and Gpu(*(record["gpu"][name] for name in Gpu.__slots__))
    more = {name: value for name, value in record.items() if name not in known}
    return Environment(**{**known, "gpu": gpu, "versions": frozen(record["versions"]), "more": frozen(more)})


def _figures(values: list[float | None]) -> Figures:
    whole = [math.nan if value is None else value for value in values] if None in values else values
    return memoryview(array("d", cast(list[float], whole)).tobytes()).cast("d")
