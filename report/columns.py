"""The published eleven columns. One row of ``COLUMNS`` owns a column's heading, alignment, legend and cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from report import figures, marks
from report.escape import Safe
from report.load import Device, Phase, Quality, Result, ScoreName, Whole
from report.messages import Message, Spoken, Text, message
from report.rows import Row
from report.tuning import Times

PhaseName = Literal["train", "predict"]

PUBLISHED_BATCH_SIZE = 32
SECONDS_AN_EPOCH = "s/epc"
SECONDS_A_TEST_SET = "s/(t)"
SECONDS_A_FIT = "s/fit"
DATASETS_FORECAST = ("airline", "household")  # scored with mean squared error and R2
KNOWN_DATASETS = (*DATASETS_FORECAST, "cifar10")


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell, the results it came from, and what has to be said about it below the table."""

    text: Text = ""
    notes: tuple[Message, ...] = ()
    source: Result | None = None  # whose JSON the figure is linked to


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the Models table."""

    key: str
    heading: str
    align: Literal["left", "right"]
    legend: str  # the key of its legend entry in locale/*.toml; several columns may share one
    format: Callable[[Row], Cell]


def model_cell(row: Row) -> Cell:
    """The title, with the notes that concern the whole row."""
    return Cell(row.model.title, tuple(_row_notes(row)))


def data_cell(row: Row) -> Cell:
    """The data set; generated data are called synthetic."""
    name = dataset(row.model.dataset)
    if not row.synthetic:
        return Cell(name)
    return Cell(message("cell.synthetic", data=name), (message("note.synthetic"),))


def loss_cell(row: Row) -> Cell:
    """The loss under the row's protocol."""
    return _quality_cell(row, "loss")


def accuracy_cell(row: Row) -> Cell:
    """The accuracy under the row's protocol."""
    return _quality_cell(row, "accuracy")


def memory_cell(row: Row) -> Cell:
    """The framework's peak of allocated GPU memory, as the published column means the GPU's."""
    result = row.gpu
    if result is None or result.status != "ok":
        return Cell("", _gap(result, "gpu").notes)
    peak = result.memory.peak_allocated_bytes if result.memory else None
    if peak is None:
        return Cell("", (message("note.memory-not-counted"),))
    return Cell(figures.megabytes(peak), _smoke(result), result)


def time_cell(device: Device, phase_name: PhaseName) -> Callable[[Row], Cell]:
    """Cells of seconds on ``device``: a whole epoch or test set where the record has one, else a batch or a fit."""

    def cell(row: Row) -> Cell:
        result = row.on(device)
        if result is None or result.status != "ok" or result.timing is None:
            return _gap(result, device)
        phase = result.timing.train if phase_name == "train" else result.timing.predict
        whole = result.timing.epoch if phase_name == "train" else result.timing.test_set
        if phase is not None and not phase.counts:
            return Cell("", (message("note.not-training", reason=_said(phase.reason)),))
        if whole is None and phase is None:
            return Cell("", (message("note.not-timed"),))
        notes = [*_phase_notes(result, phase_name, phase, whole)]
        return Cell(_seconds(phase_name, phase, whole), (*notes, *_smoke(result)), result)

    return cell


COLUMNS = (
    Column("model", "Model", "left", "legend.models", model_cell),
    Column("params", "Params", "left", "legend.params", lambda row: Cell(row.model.params)),
    Column("library", "Lib", "left", "legend.library", lambda row: Cell(row.model.library)),
    Column("data", "Data", "left", "legend.data", data_cell),
    Column("loss", "Loss", "left", "legend.loss", loss_cell),
    Column("accuracy", "Accuracy", "right", "legend.accuracy", accuracy_cell),
    Column("memory", "Memory", "right", "legend.memory", memory_cell),
    Column("cpu_train", "CPU(T)", "right", "legend.cpu_train", time_cell("cpu", "train")),
    Column("cpu_predict", "CPU(P)", "right", "legend.cpu_predict", time_cell("cpu", "predict")),
    Column("gpu_train", "GPU(T)", "right", "legend.gpu_train", time_cell("gpu", "train")),
    Column("gpu_predict", "GPU(P)", "right", "legend.gpu_predict", time_cell("gpu", "predict")),
)


def dataset(name: str) -> Text:
    """The data set as the page calls it; an unknown one by its own name."""
    return message(f"dataset.{name}") if name in KNOWN_DATASETS else name


def device_text(device: Device, threads: int | None) -> Text:
    """The device as the page calls it, with the number of threads where there is one to tell."""
    if threads is None:
        return device.upper()
    return message("device.thread" if threads == 1 else "device.threads", device=device.upper(), count=threads)


def score_text(value: float, quality: Quality, which: ScoreName) -> Safe:
    """A score with the digits that its seeds' spread supports."""
    seeds = [seed.loss if which == "loss" else seed.accuracy for seed in quality.by_seed]
    closed_form = not quality.by_seed and quality.epochs is None
    return figures.score(value, [seed for seed in seeds if seed is not None], closed_form)


def uncertainty(phase: Phase | Times) -> float | None:
    """Half the width of the median's 95 % interval; more where fresh processes disagreed by more than that."""
    spread = figures.half_width(phase.interval_s)
    if spread is None or not phase.process_medians_s:
        return spread
    medians = [phase.median_s, *phase.process_medians_s]
    return max(spread, (max(medians) - min(medians)) / 2)


def _seconds(phase_name: PhaseName, phase: Phase | None, whole: Whole | None) -> Safe:
    spread = uncertainty(phase) if phase else None
    if whole is not None:
        unit = SECONDS_AN_EPOCH if phase_name == "train" else SECONDS_A_TEST_SET
        share = spread / phase.median_s if phase and spread is not None else None
        return Safe(figures.rounded(whole.seconds, share and share * whole.seconds) + unit)
    assert phase is not None  # time_cell shows no number without either
    unit = SECONDS_A_FIT if phase.unit == "fit" else ""
    return Safe(figures.rounded(phase.median_s, spread) + unit)


def _phase_notes(result: Result, name: PhaseName, phase: Phase | None, whole: Whole | None) -> Iterator[Message]:
    if whole is not None and whole.how == "multiplied":
        yield message(f"note.multiplied-{name}", batches=f"{whole.batches:,.0f}")
    if phase is not None and phase.batch_size != PUBLISHED_BATCH_SIZE and phase.unit == "batch":
        yield message("note.batch", batch=phase.batch_size)
    if phase is not None and phase.interval_s is None:
        yield message("note.few-samples", count=len(phase.samples_s))
    yield from _marks(result, name)


def _quality_cell(row: Row, which: ScoreName) -> Cell:
    result = row.judged
    quality = result.quality
    if row.synthetic:
        return Cell("", (message("note.synthetic"),))
    if result.status != "ok" or quality is None:
        return Cell("", _gap(result, result.device).notes)
    score = quality.score(quality.protocol)
    value = score.value(which) if score else None
    if value is None:
        has_other = score is not None and (score.loss is not None or score.accuracy is not None)
        if quality.reason:
            return Cell("", (message("note.no-quality", reason=_said(quality.reason)),))
        return Cell("", (message("note.no-loss" if has_other and which == "loss" else "note.no-score"),))
    notes = [*_marks(result, "quality"), *_smoke(result)]
    if which == "loss" and quality.loss_metric != "mse":
        notes.insert(0, message("note.loss-metric", metric=quality.loss_metric))
    return Cell(score_text(value, quality, which), tuple(notes), result)


def _row_notes(row: Row) -> Iterator[Message]:
    quality = row.judged.quality
    published = quality.score("as-published") if quality else None
    if quality and row.model.key == "ar-ols" and published and None not in (published.loss, published.accuracy):
        yield message(
            "note.ar-ols",
            loss=Safe(f"{published.loss:.8f}"),
            accuracy=Safe(f"{published.accuracy:.8f}"),
        )
    for note in quality.notes if quality else ():
        yield message("note.words", words=Spoken(note))
    if row.cpu and row.gpu and row.cpu.profile != row.gpu.profile:
        yield message("note.two-profiles", cpu=row.cpu.profile, gpu=row.gpu.profile)


def _said(reason: str | None) -> Text:
    return Spoken(reason) if reason else message("note.no-reason")


def _gap(result: Result | None, device: Device) -> Cell:
    """A cell without a figure: empty where nothing was to be measured, else the word for what went wrong."""
    if result is None:
        return Cell("", (message("note.no-result", device=device.upper()),))
    reason = _said(result.reason)
    if result.status == "skipped":
        return Cell("", (message("note.skipped", reason=reason),))
    if result.status == "ok":
        return Cell("", (message("note.not-timed"),))
    status = message(f"status.{result.status}")
    return Cell(status, (message("note.failed", status=status, reason=reason),), result)


def _marks(result: Result, phase: str) -> Iterator[Message]:
    for mark in result.marks:
        if mark.phase in (phase, "all"):
            yield message("note.mark", mark=marks.name(mark), reason=marks.reason(mark))


def _smoke(result: Result) -> tuple[Message, ...]:
    return (message("note.smoke"),) if result.profile == "smoke" else ()
