"""Results of era stacks, whose names are years, in order, each compared with the year before and with the first."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from report.comparison.differences import Scalar, differing
from report.comparison.statistics import largest_chance
from report.comparison.verdicts import Time, compare
from report.records import PHASES, Figure, PhaseName, Result, figure

_YEAR = re.compile(r"20\d\d")
_SOFTWARE = ("environment.python", "environment.versions.", "execution.")  # fields of a record
LARGEST = 3  # changes that are put into words


@dataclass(frozen=True, slots=True)
class Point:
    """One row in one year. ``before`` and ``first`` are empty in the first year that has a time."""

    result: Result
    times: Mapping[PhaseName, Figure]
    previous: Result | None  # of the last year that has times
    before: Mapping[PhaseName, Time]  # compared with it
    first: Mapping[PhaseName, Time]  # compared with the first year that has times

    @property
    def year(self) -> str:
        """The stack's name."""
        return self.result.stack


@dataclass(frozen=True, slots=True)
class Line:
    """One row on one device over the years. ``name`` is its library, and the device where that is no CPU."""

    name: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Net:
    """The rows of one net: one per framework and device."""

    key: str
    title: str
    unit: str  # "batch" or "fit"
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A time that differs between a year and the one before."""

    net: Net
    line: Line
    point: Point
    time: Time


@dataclass(frozen=True, slots=True)
class Eras:
    """The years of one machine."""

    machine: str
    years: tuple[str, ...]
    nets: tuple[Net, ...]
    largest_chance: float
    """Of the verdicts that stand among all of this machine's: so many years differ somewhere by chance."""

    @property
    def points(self) -> Iterator[tuple[Net, Line, Point]]:
        """Every row in every year."""
        return ((net, line, point) for net in self.nets for line in net.lines for point in line.points)

    @property
    def smoke(self) -> bool:
        """Whether a result is of a smoke run, whose figures mean nothing."""
        return any(point.result.profile == "smoke" for _, _, point in self.points)

    def stands(self, time: Time) -> bool:
        """Return whether a verdict is a difference, seen among all of this machine's."""
        is_verdict = time.word in ("faster", "slower")
        return is_verdict and time.ratio is not None and time.ratio.chance <= self.largest_chance

    def changes(self) -> list[Change]:
        """Return the largest differences between neighbouring years, the largest first; smoke runs show none."""
        found = [
            (abs(math.log(time.ratio.value)), Change(net, line, point, time))
            for net, line, point in self.points
            for time in point.before.values()
            if time.ratio and self.stands(time) and "smoke" not in [one.profile for one in time.pair]
        ]
        return [change for _, change in sorted(found, key=lambda pair: -pair[0])[:LARGEST]]


def is_era(stack: str) -> bool:
    """Return whether a stack is one of a year."""
    return _YEAR.fullmatch(stack) is not None


def eras(results: Iterable[Result]) -> tuple[Eras, ...]:
    """Return every machine that has results of two years or more."""
    of_years = [result for result in results if is_era(result.stack)]
    of_years.sort(key=lambda result: (result.machine, result.model.order, result.stack))
    machines = [(name, tuple(found)) for name, found in groupby(of_years, key=lambda result: result.machine)]
    return tuple(_of_machine(name, found) for name, found in machines if len({result.stack for result in found}) > 1)


def _of_machine(machine: str, results: Sequence[Result]) -> Eras:
    by_net: dict[str, dict[tuple[str, str], list[Result]]] = {}
    for result in results:
        by_net.setdefault(net_of(result), {}).setdefault((result.key, result.device), []).append(result)
    years = tuple(sorted({result.stack for result in results}))
    nets = tuple(_net(key, list(rows.values())) for key, rows in by_net.items())
    points = [point for net in nets for line in net.lines for point in line.points]
    compared = [time for point in points for time in (*point.before.values(), *point.first.values())]
    ratios = {id(time): time.ratio for time in compared if time.ratio and time.word != "incomparable"}
    return Eras(machine, years, nets, largest_chance(ratios.values()))


def net_of(result: Result) -> str:
    """Return the net that a row is: ``lstm-pytorch`` is the net of ``lstm`` in another framework."""
    return result.model.twin_of or result.key.removesuffix(f"-{result.framework}")


def _net(key: str, rows: Sequence[Sequence[Result]]) -> Net:
    first = rows[0][0]
    title = f"{first.model.title} ({first.model.params})"
    phases = [phase for row in rows for result in row for phase in result.phases("train")]
    # The results came sorted by the row's place on the page, which may change between releases of this project.
    in_order = [sorted(row, key=lambda result: result.stack) for row in rows]
    return Net(key, title, phases[0].unit if phases else "batch", tuple(map(_line, in_order)))


def _line(results: Sequence[Result]) -> Line:
    points: list[Point] = []
    timed: list[Result] = []
    for result in results:
        found = {phase: figure(result, phase) for phase in PHASES} if result.status == "ok" else {}
        times = {phase: time for phase, time in found.items() if time}
        before = _compared(timed[-1], result) if timed else {}
        first = _compared(timed[0], result) if len(timed) > 1 else before
        points.append(Point(result, times, timed[-1] if timed else None, before, first))
        timed += [result] if times else []
    on = "" if results[0].device == "cpu" else f" {results[0].device.upper()}"
    return Line(results[-1].model.library + on, tuple(points))


def _compared(earlier: Result, later: Result) -> dict[PhaseName, Time]:
    """Compare as `make compare` does: in pairs within rounds where one bench made both."""
    times = compare([earlier], [later]).rows[0].times
    return {phase: time for phase in PHASES for time in times if time.name == phase}


def software(earlier: Result, later: Result) -> Iterator[tuple[str, Scalar, Scalar]]:
    """Yield versions and execution facts that differ between two years: name, earlier and later value.

    Of a package that is absent in one year the version is None; anything else that a year did not record is left out.
    """
    found = [one for one in differing((earlier, later)) if one[0].startswith(_SOFTWARE)]
    for field, before, after in sorted(found, key=lambda one: one[0].startswith("execution.")):
        if None not in (before, after) or field.startswith("environment.versions."):
            yield field.rpartition(".")[2], before, after
