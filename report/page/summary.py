"""The answer first: the results in one paragraph, and the overview of several machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from report.page import audit
from report.page.models import seconds
from report.page.reproduction import Comparison, Verdict, Verdicts
from report.page.rows import MachineStack, Row
from report.records import Device, PhaseName, Result
from report.text import N_, Joined, Message, Number, Text, message

PHASES: dict[PhaseName, str] = {
    "train": N_("Training: seconds per batch, or per fit"),
    "predict": N_("Prediction: seconds per batch"),
}


@dataclass(frozen=True, slots=True)
class OverviewLine:
    """One device of one machine with one stack."""

    place: int  # of the machine's section, from 0
    device: Device
    times: tuple[Number | None, ...]  # one per row of the overview


@dataclass(frozen=True, slots=True)
class Overview:
    """Machines against rows for one phase."""

    heading: Text
    rows: tuple[str, ...]
    lines: tuple[OverviewLine, ...]
    fastest: tuple[float, ...]  # the shortest time of each row


def overviews(groups: Sequence[MachineStack]) -> tuple[Overview, ...]:
    """Return a table of machines against rows for each phase."""
    names: dict[str, str] = {}
    for row in sorted((row for group in groups for row in group.rows), key=lambda row: row.model.order):
        names.setdefault(row.model.key, row.name)
    return tuple(_overview(groups, names, phase) for phase in PHASES)


def _overview(groups: Sequence[MachineStack], names: Mapping[str, str], phase: PhaseName) -> Overview:
    lines = tuple(_lines(groups, tuple(names), phase))
    columns = zip(*(line.times for line in lines), strict=True)
    fastest = tuple(min((time.value for time in column if time), default=0.0) for column in columns)
    return Overview(Message(PHASES[phase]), tuple(names.values()), lines, fastest)


def _lines(groups: Sequence[MachineStack], keys: Sequence[str], phase: PhaseName) -> Iterator[OverviewLine]:
    devices: tuple[Device, ...] = ("cpu", "gpu")
    for place, group in enumerate(groups):
        rows = {row.model.key: row for row in group.rows}
        for device in devices:
            times = tuple(_step(rows.get(key), device, phase) for key in keys)
            if any(times):
                yield OverviewLine(place, device, times)


def _step(row: Row | None, device: Device, phase: PhaseName) -> Number | None:
    step = row.step(device, phase) if row else None
    return seconds(step) if step else None


def summary(groups: Sequence[MachineStack], comparisons: Sequence[Sequence[Comparison]]) -> Joined:
    """Return the page's first paragraph, computed from the results."""
    results = [result for group in groups for result in group.results]
    sentences = [*_verdicts(groups, comparisons), *_fastest(groups), *_strangest(results)]
    return Joined(tuple(sentences), " ")


def _verdicts(groups: Sequence[MachineStack], comparisons: Sequence[Sequence[Comparison]]) -> Iterator[Text]:
    best = [_best(of_figure) for of_figure in zip(*comparisons, strict=True)]
    found = {verdict: Verdicts(verdict, tuple(one for one in best if one.verdict == verdict)) for verdict in Verdict}
    counts = {verdict: str(len(which.comparisons)) for verdict, which in found.items()}
    yield message(
        "Of the {all} figures published on 2017-08-05, **{reproduced} are reproduced** {where}, {better} came out "
        "better and {worse} worse.",
        all=str(len(best)),
        where=_where(groups),
        reproduced=counts[Verdict.REPRODUCED],
        better=counts[Verdict.BETTER],
        worse=counts[Verdict.WORSE],
    )
    yield message(
        "Not comparable are {incomparable}{why_not}, not measured {unmeasured}{why_missing}.",
        incomparable=counts[Verdict.NOT_COMPARABLE],
        unmeasured=counts[Verdict.NOT_MEASURED],
        why_not=_causes(found[Verdict.NOT_COMPARABLE]),
        why_missing=_causes(found[Verdict.NOT_MEASURED]),
    )


def _causes(found: Verdicts) -> Text:
    causes = [message("{cause}: {count}", cause=cause, count=str(count)) for cause, count in found.by_cause]
    return message(" ({causes})", causes=Joined(tuple(causes))) if causes else ""


def _best(of_figure: Sequence[Comparison]) -> Comparison:
    """The verdict on the machine where the figure fared best."""
    return min(of_figure, key=lambda comparison: list(Verdict).index(comparison.verdict))


def _where(groups: Sequence[MachineStack]) -> Text:
    if len(groups) > 1:
        return message("on at least one of {count} machines and stacks", count=str(len(groups)))
    environments = [result.environment for result in groups[0].results if result.environment]
    gpus = [found.gpu.name for found in environments if found.gpu and found.gpu.name]
    cpus = [found.cpu for found in environments if found.cpu]
    hardware = Joined(tuple(dict.fromkeys([*cpus[:1], *gpus[:1]])))
    if not hardware.parts:
        return message("on {machine}", machine=groups[0].machine)
    return message("on {machine} ({hardware})", machine=groups[0].machine, hardware=hardware)


def _fastest(groups: Sequence[MachineStack]) -> Iterator[Text]:
    """Yield the fastest row, and the fastest that takes batches."""
    timed = [
        (predict, row, group)
        for group in groups
        for row in group.rows
        for result in row.results
        if result.profile != "smoke" and (predict := _step(row, result.device, "predict"))
    ]
    if not timed:
        return
    time, row, group = min(timed, key=lambda found: found[0].value)
    name: Text = row.name
    if len(groups) > 1:
        name = message("{row} on {machine}", row=row.name, machine=group.machine)
    yield message("The fastest row is {row} with {time} per prediction.", row=name, time=replace(time, unit=" s"))
    nets = [
        (train, row, group)
        for group in groups
        for row in group.rows
        for result in row.results
        if result.profile != "smoke" and (phases := result.phases("train")) and phases[0].unit == "batch"
        if (train := _step(row, result.device, "train"))
    ]
    if nets:
        time, row, group = min(nets, key=lambda found: found[0].value)
        name = message("{row} on {machine}", row=row.name, machine=group.machine) if len(groups) > 1 else row.name
        yield message(
            "Of the neural nets it is {row} with {time} per training step.", row=name, time=replace(time, unit=" s")
        )


def _strangest(results: Sequence[Result]) -> Iterator[Text]:
    """Yield the strangest thing that the records show; without any, the strangest published figure."""
    usable = [result for result in results if result.status == "ok" and result.profile != "smoke"]
    found = [*audit.linear_beats_published_lstm(usable), *audit.slips_repeated(usable)]
    yield found[0] if found else message("The published table gives Bi-LSTM more memory (10795MB) than its card has.")
