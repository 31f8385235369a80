"""Two sets of results held against each other: ratio, interval and verdict of every time, and what may be compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from report.differences import Difference, Figure, Pair, differences, differing
from report.differences import breaks as breaks_of
from report.load import Phase, Result, Whole
from report.messages import Message, Spoken, message
from report.statistics import MIN_SAMPLES, Noise, Ratio, Verdict, judge, median_ratio

PhaseName = Literal["train", "predict", "epoch", "test_set"]
Word = Verdict | Literal["incomparable", "unmeasured"]
NoiseOf = Callable[[Result], Noise]

PHASES: tuple[PhaseName, ...] = ("train", "predict", "epoch", "test_set")


class ComparisonImpossible(Exception):
    """There is nothing to compare. The message names the folders and the cure."""


@dataclass(frozen=True, slots=True)
class Time:
    """One time of one row: ``ratio`` is b over a, and ``reason`` says what ``word`` needs to be understood."""

    pair: Pair
    phase: PhaseName
    a: Phase | Whole | None
    b: Phase | Whole | None
    ratio: Ratio | None
    noise: Noise
    word: Word
    reason: Message | None


@dataclass(frozen=True, slots=True)
class Row:
    """One model on one device on both sides, with the fields that make its times, or its scores, incomparable."""

    pair: Pair
    times: tuple[Time, ...]
    time_broken_by: tuple[str, ...]
    quality_broken_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that is to be said of two sets of results, before it has a language."""

    rows: tuple[Row, ...]
    differences: tuple[Difference, ...]
    only_a: tuple[Result, ...]
    only_b: tuple[Result, ...]
    uncalibrated: tuple[tuple[str, str], ...]  # (machine, device) whose noise is not known

    @property
    def times(self) -> tuple[Time, ...]:
        """Every time of every row."""
        return tuple(time for row in self.rows for time in row.times)

    def side(self, place: int) -> tuple[Result, ...]:
        """The results of a (0) or b (1), with and without a partner."""
        return (*(row.pair[place] for row in self.rows), *(self.only_a, self.only_b)[place])

    def count(self, word: Word) -> int:
        """How many times have this verdict."""
        return sum(time.word == word for time in self.times)


def compare(a: Sequence[Result], b: Sequence[Result], noise_of: NoiseOf) -> Comparison:
    """Pairs the results and judges every time. Raises ComparisonImpossible where no row is on both sides."""
    pairs, only_a, only_b = paired(a, b)
    if not pairs:
        raise ComparisonImpossible(
            f"no row is on both sides: A has {_summary(a)}, B has {_summary(b)}; measure the same models on the same "
            "device, or name the folder of one machine or one stack on each side"
        )
    found = [(pair, differing(pair)) for pair in pairs]
    rows = tuple(_row(pair, [field for field, _, _ in fields], noise_of) for pair, fields in found)
    unknown = {(result.machine, result.device) for pair in pairs for result in pair if not noise_of(result).calibrated}
    return Comparison(rows, tuple(differences(found)), tuple(only_a), tuple(only_b), tuple(sorted(unknown)))


def paired(a: Sequence[Result], b: Sequence[Result]) -> tuple[list[Pair], list[Result], list[Result]]:
    """Results of the same model on the same device, and those of each side that have no partner.

    Machine and stack must agree too, except where each side has only one: two machines, or two stacks, are comparable.
    """
    free = {name for name in ("machine", "stack") if all(len({getattr(r, name) for r in side}) == 1 for side in (a, b))}

    def key(result: Result) -> tuple[str | None, ...]:
        machine, stack = (None if name in free else getattr(result, name) for name in ("machine", "stack"))
        return machine, stack, result.model.key, result.device

    partners = {key(result): result for result in b}
    pairs = [(result, partners[key(result)]) for result in a if key(result) in partners]
    taken = {key(left) for left, _ in pairs}
    return pairs, [r for r in a if key(r) not in taken], [r for r in b if key(r) not in taken]


def _row(pair: Pair, fields: Sequence[str], noise_of: NoiseOf) -> Row:
    broken: dict[Figure, list[str]] = {"time": [], "quality": []}
    for field in fields:
        for figure in breaks_of(field):
            broken[figure].append(field)
    noise = max((noise_of(result) for result in pair), key=lambda noise: noise.relative)
    noise = Noise(noise.relative, all(noise_of(result).calibrated for result in pair))
    times = tuple(_times(pair, broken["time"], noise))
    return Row(pair, times, tuple(broken["time"]), tuple(broken["quality"]))


def _times(pair: Pair, broken_by: Sequence[str], noise: Noise) -> Iterator[Time]:
    for name in PHASES:
        a, b = (getattr(result.timing, name, None) for result in pair)
        if a is None and b is None and (name in ("epoch", "test_set") or all(r.status == "ok" for r in pair)):
            continue
        ratio = _ratio(a, b)
        word, reason = _judged(pair, name, a, b, ratio, broken_by, noise)
        yield Time(pair, name, a, b, ratio, noise, word, reason)


def _ratio(a: Phase | Whole | None, b: Phase | Whole | None) -> Ratio | None:
    if isinstance(a, Phase) and isinstance(b, Phase):
        return median_ratio(a.samples_s, b.samples_s)
    if isinstance(a, Whole) and isinstance(b, Whole):
        return Ratio(b.seconds / a.seconds, None, None)
    return None


def _judged(
    pair: Pair,
    name: PhaseName,
    a: Phase | Whole | None,
    b: Phase | Whole | None,
    ratio: Ratio | None,
    broken_by: Sequence[str],
    noise: Noise,
) -> tuple[Word, Message | None]:
    if ratio is None:
        side, result = next((side, r) for side, r, time in zip("AB", pair, (a, b), strict=True) if time is None)
        if result.status == "ok":
            return "unmeasured", message("absent", side=side)
        return "unmeasured", message(
            "missing", side=side, status=message(f"status-{result.status}"), reason=Spoken(result.reason or "")
        )
    for side, time in (("A", a), ("B", b)):
        if isinstance(time, Phase) and not time.counts:
            return "incomparable", message("untrained", side=side)
    fields = [field for field in broken_by if not field.startswith("timing.") or field.startswith(f"timing.{name}.")]
    if fields:
        return "incomparable", message("fields-differ", fields=", ".join(fields))
    if isinstance(a, Whole) and isinstance(b, Whole):
        if a.batches != b.batches:
            return "incomparable", message("batches-differ", a=a.batches, b=b.batches)
        return "indistinguishable", message("once")
    return judge(ratio, noise), message("few", least=MIN_SAMPLES) if ratio.low is None else None


def _summary(results: Sequence[Result]) -> str:
    names = sorted({f"{r.machine}/{r.stack}/{r.model.key}.{r.device}" for r in results})
    shown = ", ".join(names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown or "nothing"
