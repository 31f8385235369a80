"""The answer first: the results in one paragraph, and the overview of several machines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

from report.comparison.verdicts import compare_phase
from report.page import audit
from report.page.models import seconds
from report.page.reproduction import Comparison, Verdict, Verdicts
from report.page.rows import MachineStack, Row
from report.records import DEVICES, Device, Figure, PhaseName, Result
from report.text import N_, Joined, Message, Number, Text, joined, message

HEADINGS: dict[PhaseName, Message] = {
    "train": message("Training: seconds per batch, or per fit"),
    "predict": message("Prediction: seconds per batch"),
}
FASTEST: dict[PhaseName, str] = {
    "predict": N_("The fastest row is {row} with {time} per prediction."),
    "train": N_("The neural net that trains fastest is {row} with {time} per step."),
}
ALIKE = N_("Not distinguishable from it: {rows}.")
ALIKE_AND_MORE = N_("Not distinguishable from it: {rows} and more.")
ALIKE_NAMED = 3  # rows that the data cannot tell from the fastest


class OverviewLine(NamedTuple):
    """One device of one machine with one stack."""

    name: str  # of the machine; with stack and device where the lines differ in them
    steps: tuple[Figure | None, ...]  # one per row of the overview

    @property
    def times(self) -> tuple[Number | None, ...]:
        """As the table shows them."""
        return tuple(seconds(step) if step else None for step in self.steps)


class Overview(NamedTuple):
    """Machines against rows for one phase."""

    heading: Text
    rows: tuple[str, ...]
    lines: tuple[OverviewLine, ...]
    fastest: tuple[float, ...]  # the shortest time of each row


def overviews(groups: Sequence[MachineStack]) -> tuple[Overview, ...]:
    """Return a table of machines against rows for each phase; smoke runs are in it only if there are no others."""
    found = tuple(_overviews(groups, smoke=False))
    return found if any(one.lines for one in found) else tuple(_overviews(groups, smoke=True))


def _overviews(groups: Sequence[MachineStack], smoke: bool) -> Iterator[Overview]:
    names: dict[str, str] = {}
    for row in sorted((row for group in groups for row in group.rows), key=lambda row: row.model.order):
        names.setdefault(row.model.key, row.name)
    for phase, heading in HEADINGS.items():
        lines = tuple(_lines(groups, tuple(names), phase, smoke))
        columns = zip(*(line.steps for line in lines), strict=True)
        fastest = (min((step.median_s for step in column if step and not smoke), default=0.0) for column in columns)
        yield Overview(heading, tuple(names.values()), lines, tuple(fastest))


def _lines(
    groups: Sequence[MachineStack], keys: Sequence[str], phase: PhaseName, smoke: bool
) -> Iterator[OverviewLine]:
    stacks = {group.stack for group in groups}
    devices = {device for group in groups for row in group.rows for device, _ in row.steps}
    for group in groups:
        rows = {row.model.key: row for row in group.rows}
        for device in DEVICES:
            steps = tuple(_step(rows.get(key), device, phase, smoke) for key in keys)
            if any(steps):
                also = [group.stack] * (len(stacks) > 1) + [device.upper()] * (len(devices) > 1)
                yield OverviewLine(", ".join([group.machine, *also]), steps)


def _step(row: Row | None, device: Device, phase: PhaseName, smoke: bool) -> Figure | None:
    result = row.on(device) if row else None
    return row.step(device, phase) if row and result and (smoke or result.profile != "smoke") else None


def summary(groups: Sequence[MachineStack], comparisons: Sequence[Sequence[Comparison]]) -> Joined:
    """Return the page's first paragraph, computed from the results."""
    results = [result for group in groups for result in group.results]
    return Joined((*_verdicts(groups, comparisons), *_fastest(groups), _strangest(results)), " ")


def _verdicts(groups: Sequence[MachineStack], comparisons: Sequence[Sequence[Comparison]]) -> Iterator[Text]:
    """Count the published figures by their verdict on the machine where they fared best."""
    order = list(Verdict)
    best = [min(one, key=lambda found: order.index(found.verdict)) for one in zip(*comparisons, strict=True)]
    found = {verdict: Verdicts(verdict, tuple(one for one in best if one.verdict == verdict)) for verdict in Verdict}
    counts = {verdict: str(len(which.comparisons)) for verdict, which in found.items()}
    yield message(
        "Of the {all} figures that the blog post of 2017-08-05 gives, **{reproduced} are reproduced** {where}, "
        "{better} more came out better and {worse} worse.",
        all=str(len(best)),
        where=_where(groups),
        reproduced=counts[Verdict.REPRODUCED],
        better=counts[Verdict.BETTER],
        worse=counts[Verdict.WORSE],
    )
    yield message(
        "{incomparable} are not comparable{why_not}, and {unmeasured} were not measured{why_missing}.",
        incomparable=counts[Verdict.NOT_COMPARABLE],
        unmeasured=counts[Verdict.NOT_MEASURED],
        why_not=_causes(found[Verdict.NOT_COMPARABLE]),
        why_missing=_causes(found[Verdict.NOT_MEASURED]),
    )


def _causes(found: Verdicts) -> Text:
    causes = [message("{cause}: {count}", cause=cause, count=str(count)) for cause, count in found.by_cause]
    return message(" ({causes})", causes=Joined(tuple(causes))) if causes else ""


def _where(groups: Sequence[MachineStack]) -> Text:
    if len(groups) > 1:
        return message("on at least one of {count} machines and stacks", count=str(len(groups)))
    environments = [result.environment for result in groups[0].results if result.environment]
    gpus = [found.gpu.name for found in environments if found.gpu and found.gpu.name]
    hardware = joined([*[found.cpu for found in environments if found.cpu][:1], *gpus[:1]])
    if not hardware.parts:
        return message("on {machine}", machine=groups[0].machine)
    return message("on {machine} ({hardware})", machine=groups[0].machine, hardware=hardware)


def _fastest(groups: Sequence[MachineStack]) -> Iterator[Text]:
    """Yield the fastest row, and the fastest to train of those that take batches, with what cannot be told from it.

    A smoke run is not fast.
    """
    for phase, sentence in FASTEST.items():
        timed = [
            (step, row, group, result)
            for group in groups
            for row, result in group.rows_and_results
            if result.profile != "smoke" and (step := row.step(result.device, phase))
            if phase == "predict" or result.phases(phase)[0].unit == "batch"
        ]
        if not timed:
            continue
        timed.sort(key=lambda found: found[0].median_s)
        step, row, group, fastest = timed[0]
        time = replace(seconds(step), kind="short", unit=" s")
        yield message(sentence, row=_named(row, group, fastest, groups), time=time)
        alike = (_named(row, of, result, groups) for _, row, of, result in timed if _alike(fastest, result, phase))
        if first := tuple(islice(alike, ALIKE_NAMED + 1)):
            listing = ALIKE if len(first) <= ALIKE_NAMED else ALIKE_AND_MORE
            yield message(listing, rows=joined(first[:ALIKE_NAMED]))


def _named(row: Row, group: MachineStack, result: Result, groups: Sequence[MachineStack]) -> Text:
    """Return the row with its machine, stack and device, as far as the page has several of them."""
    several: list[tuple[Text, bool]] = [
        (group.machine, len({one.machine for one in groups}) > 1),
        (message("stack {stack}", stack=group.stack), len({one.stack for one in groups}) > 1),
        (result.device.upper(), len({device for one in groups for row in one.rows for device, _ in row.steps}) > 1),
    ]
    where = joined(name for name, is_needed in several if is_needed)
    return message("{row} on {machine}", row=row.name, machine=where) if where.parts else row.name


def _alike(fastest: Result, other: Result, phase: PhaseName) -> bool:
    ratio = compare_phase(fastest, other, phase) if other is not fastest else None
    return ratio is not None and ratio.low is not None and ratio.verdict != "slower"


def _strangest(results: Sequence[Result]) -> Text:
    """Return the strangest thing that the records show; without any, the strangest published figure."""
    usable = audit.evidence(results)
    found = [*audit.linear_beats_published_lstm(usable), *audit.slips_repeated(usable)]
    return found[0] if found else message("The published table gives Bi-LSTM more memory (10795MB) than its card has.")
