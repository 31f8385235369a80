"""How each time was measured: processes, samples, memory, energy, warnings, and what was not measured."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from report.page.models import STATUSES, joules, peak_memory, seconds
from report.page.rows import MachineStack, Row
from report.records import PHASES, Device, Figure, Phase, PhaseName, PhaseWarning, Result
from report.sentences import WORDS, said, warned, warning_name
from report.text import Joined, Number, Text, joined, message

PHASE_NAMES = {"train": message("training"), "predict": message("prediction")}
STOPPED = {"precision": message("precision"), **WORDS["by"]}
_MEMORY = (
    "peak_allocated_bytes",
    "peak_reserved_bytes",
    "gpu_used_before_bytes",
    "gpu_used_after_bytes",
    "gpu_total_bytes",
)


class Measurement(NamedTuple):
    """One timed phase of one row on one device."""

    row: Row
    result: Result
    where: Text  # device and phase: "CPU, threads: 2, training"
    seconds: Text  # the median, or why none is shown
    interval: Text
    processes: int
    samples: int
    spread: Number | None  # of the samples within a process: median of their interquartile ranges over their medians
    stopped: Text
    peak: Number | None  # the most memory that a process had resident during the steps
    added: Number | None  # what the steps added to what was resident before, in the process that added most
    energy: Number | None


class GpuMemory(NamedTuple):
    """GPU memory of one row as it was counted in three ways: allocated, reserved, complete card."""

    row: Row
    result: Result
    counts: tuple[Number | None, ...]  # in the order of the table
    whole_process: bool  # whether the peaks are not of the timed steps but since the process began


class Warned(NamedTuple):
    """A kind of warning for one phase of a row: how many processes raised it, and the first one's sentence."""

    name: Text
    where: Text
    processes: int
    sentence: Text


class AcrossNodes(NamedTuple):
    """One phase of one row on several nodes of a type."""

    row: Row
    where: Text
    nodes: int
    low: Number
    high: Number
    outliers: Joined  # nodes that stand apart, with their difference from the median
    without: Joined  # nodes that have no figure, with how they ended


class Unmeasured(NamedTuple):
    """A row without figures on a device, or a process that does not count, and why."""

    row: Row
    result: Result
    device: str
    status: Text
    reason: Text


def device(name: Device, threads: int | None) -> Text:
    """Return the device, with the number of threads of a CPU where it is known."""
    if name == "gpu" or threads is None:
        return name.upper()
    return message("{device}, threads: {count}", device=name.upper(), count=str(threads))


def _where(result: Result, phase: PhaseName) -> Text:
    threads = result.environment.threads if result.environment else None
    return Joined((device(result.device, threads), PHASE_NAMES[phase]))


def measurements(group: MachineStack) -> Iterator[Measurement]:
    """Yield every phase that any process timed."""
    for row, result in group.every_row_and_result:
        for phase in PHASES:
            found = [timed for process in result.processes if (timed := process.phase(phase)) is not None]
            if found:
                yield _measurement(row, result, phase, result.phases(phase) or tuple(found))


def _measurement(row: Row, result: Result, phase: PhaseName, found: Sequence[Phase]) -> Measurement:
    step = row.step(result.device, phase)
    energy = joules(result, phase) if step else None
    return Measurement(
        row,
        result,
        _where(result, phase),
        seconds(step) if step else _without_figure(result, found[0]),
        _interval(step) if step else "",
        len(found),
        sum(len(timed.samples_s) for timed in found),
        Number(statistics.median(timed.iqr_s / timed.median_s for timed in found), "percent"),
        joined(STOPPED[timed.stopped_by] for timed in found),
        _bytes(peak_memory(result, "peak_resident_bytes")),
        _bytes(max(_added(result), default=None)),
        None if energy is None else Number(energy),
    )


def _without_figure(result: Result, phase: Phase) -> Text:
    """Why a phase that was timed has no figure: it did not train, or what came after the timing failed."""
    if phase.valid:
        return said(result.reason)
    return message("not valid: {reason}", reason=said(phase.reason))


def _added(result: Result) -> Iterator[int]:
    """Yield the peak minus what was resident before the steps, of each process that counted both."""
    for memory in (process.memory for process in result.processes if process.memory):
        before, peak = memory.resident_before_bytes, memory.peak_resident_bytes
        if before and peak and peak >= before:
            yield peak - before


def _interval(step: Figure) -> Text:
    if step.low_s is None or step.high_s is None:
        return ""
    spread = (step.high_s - step.low_s) / 20
    return Joined(tuple(Number(value, "limit", spread) for value in (step.low_s, step.high_s)), "–")


def energy_sources(group: MachineStack) -> Joined:
    """Return what counted the energy of any phase; no parts where nothing did."""
    return joined(
        process.energy.source
        for result in group.results
        for process in result.processes
        if process.energy and any(joules(result, phase) for phase in PHASES)
    )


def gpu_memory(group: MachineStack) -> Iterator[GpuMemory]:
    """Yield each result on a GPU with any count."""
    for row, result in group.every_row_and_result:
        counts = tuple(_bytes(peak_memory(result, name)) for name in _MEMORY)
        if result.device == "gpu" and any(counts[:-1]):
            whole_process = (result.execution or {}).get("peak_memory") == "process"
            yield GpuMemory(row, result, counts, whole_process)


def warnings(group: MachineStack) -> tuple[Warned, ...]:
    """Return every warning by its kind, the most frequent kind first."""
    found: dict[str, dict[Text, list[PhaseWarning]]] = {}
    for row, result in group.every_row_and_result:
        for warning in (warning for process in result.finished for warning in process.warnings):
            phase = (PHASE_NAMES[warning.phase],) if warning.phase in PHASE_NAMES else ()
            where = Joined((row.name, result.device.upper(), *phase))
            found.setdefault(warning.key, {}).setdefault(where, []).append(warning)
    kinds = sorted(found.items(), key=lambda item: -sum(map(len, item[1].values())))
    return tuple(
        Warned(warning_name(key), where, len(raised), warned(raised[0]))
        for key, places in kinds
        for where, raised in places.items()
    )


def across_nodes(group: MachineStack) -> Iterator[AcrossNodes]:
    """Yield the spread between nodes where a fleet measured each of them."""
    for row, result in group.every_row_and_result:
        for spread in result.nodes:
            where, low, high = _where(result, spread.phase), Number(spread.low_s), Number(spread.high_s)
            without = [
                message("{node}: {status}", node=node, status=STATUSES.get(status, status))
                for node, status in sorted(spread.without.items())
            ]
            yield AcrossNodes(row, where, spread.nodes, low, high, joined(_outliers(spread.outliers)), joined(without))


def _outliers(found: Mapping[str, float]) -> Iterator[Text]:
    for name, difference in sorted(found.items()):
        percent = Number(abs(difference), "percent")
        if difference > 0:
            yield message("{node} ({percent} slower)", node=name, percent=percent)
        else:
            yield message("{node} ({percent} faster)", node=name, percent=percent)


def unmeasured(group: MachineStack) -> Iterator[Unmeasured]:
    """Yield the results without figures, and of the others the processes that do not count."""
    for row, result in group.rows_and_results:
        ended = [result] if result.status != "ok" else [one for one in result.processes if one.status != "ok"]
        for one in ended:
            yield Unmeasured(row, result, result.device.upper(), STATUSES[one.status], said(one.reason))


def notes(rows: Iterable[Row]) -> Iterator[tuple[Row, tuple[Text, ...]]]:
    """Yield the notes on each row's own quality."""
    for row in rows:
        quality = row.scored_result.quality
        found = [*quality.notes] if quality else []
        if quality and (own := quality.score(quality.protocol)) and own.note:
            found.append(own.note)
        if found:
            yield row, tuple(dict.fromkeys(map(said, found)))


def _bytes(count: int | None) -> Number | None:
    return None if count is None else Number(count, "bytes")
