"""How each time was measured: processes, samples, memory, energy, warnings, and what was not measured."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from report.page import models
from report.page.models import seconds
from report.page.rows import MachineStack, Row
from report.records import Figure, Phase, PhaseName, PhaseWarning, Result
from report.sentences import said, warned, warning_name
from report.text import N_, Joined, Message, Number, Text, joined, message

PHASES = {"train": N_("training"), "predict": N_("prediction")}
_BOTH: tuple[PhaseName, ...] = ("train", "predict")
STOPPED = {"precision": N_("precision"), "budget": N_("time budget"), "count": N_("sample limit")}
_MEMORY = (
    "peak_allocated_bytes",
    "peak_reserved_bytes",
    "gpu_used_before_bytes",
    "gpu_used_after_bytes",
    "gpu_total_bytes",
)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One timed phase of one row on one device."""

    row: Row
    result: Result
    phase: PhaseName
    seconds: Text  # the median, or why none is shown
    interval: Text
    processes: int
    samples: int
    spread: Number | None  # of the samples within a process: median of their interquartile ranges over their medians
    stopped: Text
    energy: Number | None

    @property
    def where(self) -> Text:
        """Device and phase: "CPU, 2 threads, training"."""
        return Joined((device(self.result), Message(PHASES[self.phase])))

    @property
    def peak(self) -> Number | None:
        """The most memory that a process had resident during the steps."""
        return _bytes(models.peak_memory(self.result, "peak_resident_bytes"))

    @property
    def added(self) -> Number | None:
        """What the steps added: the peak minus what was resident before them, in the process that added most."""
        memories = [process.memory for process in self.result.processes if process.memory]
        added = [
            m.peak_resident_bytes - m.resident_before_bytes
            for m in memories
            if m.peak_resident_bytes and m.resident_before_bytes and m.peak_resident_bytes >= m.resident_before_bytes
        ]
        return _bytes(max(added, default=None))


@dataclass(frozen=True, slots=True)
class GpuMemory:
    """GPU memory of one row as it was counted in three ways: allocated, reserved, complete card."""

    row: Row
    result: Result
    counts: tuple[Number | None, ...]  # in the order of the table
    whole_process: bool  # whether the peaks are not of the timed steps but since the process began


@dataclass(frozen=True, slots=True)
class Warned:
    """One kind of warning, with every phase that it was raised for."""

    name: Text
    phases: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """A row without figures on a device, and why."""

    row: Row
    result: Result
    status: Text
    reason: Text

    @property
    def device(self) -> str:
        """The device, as the page calls it."""
        return self.result.device.upper()


def device(result: Result) -> Text:
    """Return the device, with the number of threads of a CPU where it is known."""
    threads = result.environment.threads if result.environment is not None and result.device == "cpu" else None
    name = result.device.upper()
    return name if threads is None else message("{device}, threads: {count}", device=name, count=str(threads))


def measurements(group: MachineStack) -> Iterator[Measurement]:
    """Yield every phase that any process timed."""
    for row in group.rows:
        for result in row.results:
            for phase in _BOTH:
                found = [timed for process in result.processes if (timed := process.phase(phase)) is not None]
                if found:
                    yield _measurement(row, result, phase, result.phases(phase) or tuple(found))


def _measurement(row: Row, result: Result, phase: PhaseName, found: Sequence[Phase]) -> Measurement:
    step = row.step(result.device, phase)
    return Measurement(
        row,
        result,
        phase,
        seconds(step) if step else message("not valid: {reason}", reason=said(found[0].reason)),
        _interval(step) if step else "",
        len(found),
        sum(len(timed.samples_s) for timed in found),
        Number(statistics.median(timed.iqr_s / timed.median_s for timed in found), "percent"),
        joined(Message(STOPPED[timed.stopped_by]) for timed in found),
        _energy(result, phase) if step else None,
    )


def _interval(step: Figure) -> Text:
    if step.low_s is None or step.high_s is None:
        return ""
    spread = (step.high_s - step.low_s) / 20
    digits = [Number(value, "limit", spread) for value in (step.low_s, step.high_s)]
    return Joined(tuple(digits), "–")


def _energy(result: Result, phase: PhaseName) -> Number | None:
    """Joules per batch; None if nothing was counted or a counter did not change."""
    name = f"{phase}_joules_per_batch"
    counted = [getattr(process.energy, name) for process in result.processes if process.energy]
    joules = [value for value in counted if value is not None and value > 0]
    return Number(statistics.median(joules)) if joules else None


def energy_sources(group: MachineStack) -> Joined:
    """Return what counted the energy of any phase; no parts where nothing did."""
    return joined(
        process.energy.source
        for result in group.results
        for process in result.processes
        if process.energy and any(_energy(result, phase) for phase in _BOTH)
    )


def gpu_memory(group: MachineStack) -> Iterator[GpuMemory]:
    """Yield each result on a GPU with any count. A peak, or a card, of no bytes at all was not counted."""
    for row in group.rows:
        if row.gpu is None:
            continue
        memories = [process.memory for process in row.gpu.processes if process.memory]
        counts = []
        for name in _MEMORY:
            found = [count for memory in memories if (count := getattr(memory, name)) is not None]
            largest = max(found, default=None)
            counts.append(_bytes(largest if largest or name.startswith("gpu_used") else None))
        if any(counts[:-1]):
            path = (row.gpu.execution or {}).get("peak_memory")
            yield GpuMemory(row, row.gpu, tuple(counts), path == "of the whole process")


def warnings(group: MachineStack) -> tuple[Warned, ...]:
    """Return every warning by its kind, the most frequent first; of several processes the first one's sentence."""
    found: dict[str, dict[tuple[str, str, str], list[PhaseWarning]]] = {}
    for row in group.rows:
        for result in row.results:
            for process in result.processes:
                for warning in process.warnings:
                    place = (row.name, result.device.upper(), warning.phase)
                    found.setdefault(warning.key, {}).setdefault(place, []).append(warning)
    ordered = sorted(found.items(), key=lambda item: -sum(map(len, item[1].values())))
    return tuple(
        Warned(warning_name(key), tuple(_warned(place, raised) for place, raised in places.items()))
        for key, places in ordered
    )


def _warned(place: tuple[str, str, str], raised: Sequence[PhaseWarning]) -> Text:
    name, device_name, phase = place
    where = (name, device_name, Message(PHASES[phase])) if phase in PHASES else (name, device_name)
    return message(
        "{where} ({count}): {sentence}", where=Joined(where), count=f"{len(raised)}×", sentence=warned(raised[0])
    )


def count_warnings(group: MachineStack) -> int:
    """Return how many different warnings the rows' phases have."""
    return sum(len(warned.phases) for warned in warnings(group))


@dataclass(frozen=True, slots=True)
class AcrossNodes:
    """One phase of one row on several nodes of a type."""

    row: Row
    where: Text
    nodes: int
    low: Number
    high: Number
    outliers: Joined  # nodes that stand apart, with their difference from the median


def across_nodes(group: MachineStack) -> Iterator[AcrossNodes]:
    """Yield the spread between nodes where a fleet measured each of them."""
    for row in group.rows:
        for result in row.results:
            for spread in result.nodes:
                low, high = Number(spread.low_s), Number(spread.high_s)
                where = Joined((device(result), Message(PHASES[spread.phase])))
                yield AcrossNodes(row, where, spread.nodes, low, high, joined(_outliers(spread.outliers)))


def _outliers(found: Mapping[str, float]) -> Iterator[Text]:
    for name, difference in sorted(found.items()):
        percent = Number(abs(difference), "percent")
        if difference > 0:
            yield message("{node} ({percent} slower)", node=name, percent=percent)
        else:
            yield message("{node} ({percent} faster)", node=name, percent=percent)


def unmeasured(group: MachineStack) -> Iterator[Unmeasured]:
    """Yield the results without figures."""
    for row in group.rows:
        for result in row.results:
            if result.status != "ok":
                status = Message(models.STATUSES[result.status])
                yield Unmeasured(row, result, status, said(result.reason))


def notes(rows: Iterable[Row]) -> Iterator[tuple[Row, tuple[Text, ...]]]:
    """Yield the notes on each row's own quality."""
    for row in rows:
        quality = row.scored_result.quality
        found = [said(note) for note in quality.notes] if quality else []
        if quality and (own := quality.score(quality.protocol)) and own.note:
            found.append(said(own.note))
        if found:
            yield row, tuple(dict.fromkeys(found))


def _bytes(count: int | None) -> Number | None:
    return None if count is None else Number(count, "bytes")
