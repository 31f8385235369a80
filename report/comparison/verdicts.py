"""Two sets of results compared: pairs of rows, the ratio and the verdict of each time, and what is not comparable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from report.comparison.differences import Affected, Difference, Differing, Pair, differences, differing
from report.comparison.differences import breaks as breaks_of
from report.comparison.statistics import FEWEST_PROCESSES, Ratio, Shift, Verdict, paired_ratio, ratio
from report.records import PHASES, BadInput, Figure, Phase, PhaseName, Process, Result, figure, total
from report.sentences import said
from report.text import N_, Message, Number, joined, message

TimeName = Literal["train", "predict", "epoch", "test_set"]
TotalName = Literal["epoch", "test_set"]
Bench = tuple[str, str, str]
"""Machine, stack and device: whose rows share a drift."""

Word = Verdict | Literal["incomparable", "unmeasured"]

TOTALS: tuple[TotalName, ...] = ("epoch", "test_set")
UNIMPORTANT = frozenset(("provenance.git_commit", "provenance.git_clean", "settings.stopping_rule"))
"""Fields that may differ in a row that nothing changed for: its code is the same if its checksum is."""

_FIELDS_OF_ALL = ("data", "model")  # differences in them break every time of a row
STATUSES = {
    "skipped": N_("{side} was skipped: {reason}"),
    "failed": N_("{side} failed: {reason}"),
    "timeout": N_("{side} timed out: {reason}"),
    "out_of_memory": N_("{side} ran out of memory: {reason}"),
}


@dataclass(frozen=True, slots=True)
class Time:
    """One time of one row: ``ratio`` is b over a, and ``reason`` explains ``word`` where needed."""

    pair: Pair
    name: TimeName
    a: Figure | None
    b: Figure | None
    ratio: Ratio | None
    word: Word
    reason: Message | None


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """One row on one device on both sides, with the fields that make its times, or its scores, incomparable."""

    pair: Pair
    times: tuple[Time, ...]
    time_broken_by: tuple[str, ...]
    quality_broken_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The common and the different parts of two sets of results, before translation."""

    rows: tuple[ComparedRow, ...]
    differences: tuple[Difference, ...]
    only_a: tuple[Result, ...]
    only_b: tuple[Result, ...]
    shifts: Mapping[Bench, Sequence[Shift]]  # of the times of its unchanged rows
    several: tuple[str, ...]  # what tells rows apart besides row and device: "machine", "stack", both or none

    @property
    def times(self) -> tuple[Time, ...]:
        """Every time of every row."""
        return tuple(time for row in self.rows for time in row.times)

    def side(self, place: int) -> tuple[Result, ...]:
        """Return the results of a (0) or b (1), with and without a partner."""
        return (*(row.pair[place] for row in self.rows), *(self.only_a, self.only_b)[place])

    def count(self, word: Word) -> int:
        """Return how many times have this verdict."""
        return sum(time.word == word for time in self.times)


def compare(a: Sequence[Result], b: Sequence[Result]) -> Comparison:
    """Pair the results and give every time a verdict. Raises BadInput where no row is on both sides."""
    pairs, only_a, only_b = paired(a, b)
    if not pairs:
        raise BadInput(
            f"no row is on both sides: A has {_listed(a)}, B has {_listed(b)}; measure the same rows on the same "
            "device, or name the folder of one machine or one stack on each side"
        )
    found = [(pair, differing(pair)) for pair in pairs]
    shifts: dict[Bench, dict[str, list[Shift]]] = {}
    for pair, fields in found:
        if is_control(pair, fields):
            shifts.setdefault(bench_of(pair[0]), {})[pair[0].file] = shifts_of(pair)

    def controls(row: Result) -> list[Shift]:
        others = shifts.get(bench_of(row), {})
        return [shift for file, values in others.items() if file != row.file for shift in values]

    rows = tuple(_row(pair, [field for field, _, _ in fields], controls(pair[0])) for pair, fields in found)
    by_bench = {bench: [shift for values in others.values() for shift in values] for bench, others in shifts.items()}
    several = tuple(name for name in ("machine", "stack") if len({getattr(first, name) for first, _ in pairs}) > 1)
    return Comparison(rows, tuple(differences(found)), tuple(only_a), tuple(only_b), by_bench, several)


def bench_of(row: Result) -> Bench:
    """Return whose drift is in a row's times."""
    return row.machine, row.stack, row.device


def is_control(pair: Pair, fields: Sequence[Differing]) -> bool:
    """Whether nothing recorded changed between two benches of one machine, so that a shift is the machine's drift."""
    a, b = pair
    return (
        a.machine == b.machine
        and {field for field, _, _ in fields} <= UNIMPORTANT
        and all(len(result.phases(name)) >= FEWEST_PROCESSES for result in pair for name in PHASES)
        and side_by_side(a, b, "train") is None
    )


def shifts_of(pair: Pair) -> list[Shift]:
    """Return the shifts of a row's training time and of its prediction time."""
    return [Shift.of(*([phase.fastest_s for phase in side.phases(name)] for side in pair)) for name in PHASES]


def paired(a: Sequence[Result], b: Sequence[Result]) -> tuple[list[Pair], list[Result], list[Result]]:
    """Return results of the same row on the same device, and those of each side that have no partner.

    Machine and stack must agree too, except where each side has only one: two machines, or two stacks, are comparable.
    """
    free = {name for name in ("machine", "stack") if all(len({getattr(r, name) for r in side}) == 1 for side in (a, b))}

    def key(result: Result) -> tuple[str | None, ...]:
        machine, stack = (None if name in free else getattr(result, name) for name in ("machine", "stack"))
        return machine, stack, result.key, result.device

    partners = {key(result): result for result in b}
    pairs = [(result, partners[key(result)]) for result in a if key(result) in partners]
    taken = {key(left) for left, _ in pairs}
    return pairs, [r for r in a if key(r) not in taken], [r for r in b if key(r) not in taken]


def compare_phase(a: Result, b: Result, name: PhaseName, controls: Sequence[Shift] = ()) -> Ratio | None:
    """Return the ratio of two results' times: in pairs where one bench made both, else of separate benches.

    ``controls`` are the shifts of other rows, which nothing changed for. None if a side has no time. Whether both did
    the same work is not checked here.
    """
    a_s, b_s = ([phase.fastest_s for phase in result.phases(name)] for result in (a, b))
    if not a_s or not b_s:
        return None
    together = side_by_side(a, b, name)
    return paired_ratio(*together) if together else ratio(a_s, b_s, controls)


def side_by_side(a: Result, b: Result, name: PhaseName) -> tuple[list[float], list[float]] | None:
    """Return the fastest samples of the processes that ran in the same rounds; None where no bench made both.

    Two benches may have drawn their orders with one seed. So the processes must lie as one bench places them: both of
    a round before any of the next.
    """
    partners = {(process.order_seed, process.round): process for process in b.finished}
    fastest: tuple[list[float], list[float]] = ([], [])
    last_start = ""
    for first in a.finished:
        second = partners.get((first.order_seed, first.round))
        if second is None or first.order_seed is None or not first.started or not second.started:
            continue
        if min(first.started, second.started) < last_start:
            return None
        last_start = max(first.started, second.started)
        phases = _valid(first, name), _valid(second, name)
        if phases[0] and phases[1]:
            fastest[0].append(phases[0].fastest_s)
            fastest[1].append(phases[1].fastest_s)
    return fastest if a.machine == b.machine and len(fastest[0]) >= FEWEST_PROCESSES else None


def _valid(process: Process, name: PhaseName) -> Phase | None:
    phase = process.phase(name)
    return phase if phase and phase.valid else None


def _row(pair: Pair, fields: Sequence[str], controls: Sequence[Shift]) -> ComparedRow:
    broken: dict[Affected, list[str]] = {"time": [], "quality": []}
    for field in fields:
        for affected in breaks_of(field):
            broken[affected].append(field)
    offered = any(result.status != "skipped" for result in pair)
    phases = tuple(_phases(pair, broken["time"], controls))
    times = (*phases, *_totals(pair, phases, broken["time"])) if offered else ()
    return ComparedRow(pair, times, tuple(broken["time"]), tuple(broken["quality"]))


def _phases(pair: Pair, broken_by: Sequence[str], controls: Sequence[Shift]) -> Iterator[Time]:
    word: Word
    reason: Message | None
    for name in PHASES:
        a, b = (figure(result, name) for result in pair)
        found = compare_phase(*pair, name, controls)
        if found is None:
            word, reason = _missing(pair, name, a is None)
        elif fields := _of(name, broken_by):
            word, reason = "incomparable", _different(fields)
        elif found.low is None:
            word = found.verdict
            reason = message("fewer than {least} processes on one side", least=str(FEWEST_PROCESSES))
        else:
            word, reason = found.verdict, None
        yield Time(pair, name, a, b, found, word, reason)


def _totals(pair: Pair, phases: Sequence[Time], broken_by: Sequence[str]) -> Iterator[Time]:
    """Yield the epochs and test sets that were measured, without the drift of their phase: of training, of prediction.

    Extrapolated ones have the ratio of that phase.
    """
    for name, phase in zip(TOTALS, phases, strict=True):
        totals = [getattr(result, name) for result in pair]
        if not any(found and found.how == "measured" for found in totals):
            continue
        a, b = (total(result, name) for result in pair)
        if a is None or b is None:
            yield Time(pair, name, a, b, None, *_missing(pair, name, a is None))
            continue
        word: Word = "indistinguishable"
        reason = message("measured once")
        batches = [found.batches for found in totals]
        if fields := _of(name, broken_by):
            word, reason = "incomparable", _different(fields)
        elif batches[0] != batches[1]:
            a_batches, b_batches = (Number(count, "count") for count in batches)
            word, reason = "incomparable", message("{a} and {b} batches", a=a_batches, b=b_batches)
        drift = phase.ratio.drift if phase.ratio else 1.0
        value = b.median_s / a.median_s / drift
        yield Time(pair, name, a, b, Ratio(value, None, None, None, drift=drift), word, reason)


def _missing(pair: Pair, name: TimeName, a_lacks_it: bool) -> tuple[Word, Message]:
    side, result = ("A", pair[0]) if a_lacks_it else ("B", pair[1])
    if result.status != "ok":
        return "unmeasured", message(STATUSES[result.status], side=side, reason=said(result.reason))
    if name in PHASES and any(process.phase(name) for process in result.processes):
        return "incomparable", message("{side} did not train", side=side)
    return "unmeasured", message("{side} has no such time", side=side)


def _of(name: TimeName, broken_by: Sequence[str]) -> list[str]:
    """Return those fields that are not of another phase alone."""
    return [field for field in broken_by if field.partition(".")[0] in (name, *_FIELDS_OF_ALL)]


def _different(fields: Sequence[str]) -> Message:
    return message("different {fields}", fields=joined(fields))


def _listed(results: Sequence[Result]) -> str:
    names = sorted({result.file.removesuffix(".json") for result in results})
    shown = ", ".join(names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown or "nothing"
