"""Results merged into the page's rows: CPU and GPU result of a row side by side, by machine and stack."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from report.records import PHASES, Device, Figure, Model, PhaseName, Result, figure

_PROFILE_RANK = {"smoke": 0, "quick": 1, "full": 2}


@dataclass(frozen=True)
class Row:
    """One row on one machine with one stack."""

    name: str  # the title; with the size where several rows have that title
    model: Model
    results: tuple[Result, ...]  # on the CPU, on the GPU or on both
    steps: Mapping[tuple[Device, PhaseName], Figure]  # seconds per batch or fit, of results that are ok

    def step(self, device: Device, phase: PhaseName) -> Figure | None:
        """Return the time of a training step, a fit or a prediction; None where there is none to show."""
        return self.steps.get((device, phase))

    def on(self, device: Device) -> Result | None:
        """Return the result on ``device``."""
        return next((result for result in self.results if result.device == device), None)

    @cached_property
    def scored_result(self) -> Result:
        """The result whose loss and accuracy the row shows: one that has scores, of the larger profile, the GPU's.

        Where none has scores, the one that explains it best: ok before failed before skipped.
        """
        return max(self.results, key=_rank)

    @property
    def synthetic(self) -> bool:
        """Whether generated data replaced the real ones on either device."""
        return any(map(is_synthetic, self.results))


@dataclass(frozen=True)
class MachineStack:
    """All rows of one machine with one stack."""

    machine: str
    stack: str
    rows: tuple[Row, ...]
    twins: tuple[Row, ...] = ()  # the same nets in other frameworks: on the page in tables of their own

    @cached_property
    def results(self) -> tuple[Result, ...]:
        """Those of the rows, and of the twins."""
        return tuple(result for _, result in self.every_row_and_result)

    @property
    def rows_and_results(self) -> Iterator[tuple[Row, Result]]:
        """Each result with its row."""
        return ((row, result) for row in self.rows for result in row.results)

    @property
    def every_row(self) -> tuple[Row, ...]:
        """The rows and the twins."""
        return (*self.rows, *self.twins)

    @property
    def every_row_and_result(self) -> Iterator[tuple[Row, Result]]:
        """Each result with its row, those of the twins too."""
        return ((row, result) for row in self.every_row for result in row.results)

    def has_gpu(self) -> bool:
        """Whether any result saw a GPU."""
        return any(r.environment is not None and r.environment.gpu is not None for r in self.results)


def is_synthetic(result: Result) -> bool:
    """Return whether generated data replaced the real ones."""
    return result.data is not None and result.data.synthetic


def groups(results: Iterable[Result]) -> Iterator[MachineStack]:
    """Yield machines with their stacks by name, rows by the place that their models ask for."""
    ordered = sorted(results, key=lambda r: (r.machine, r.stack, r.model.order, r.model.key, r.device))
    for (machine, stack), inside in groupby(ordered, key=lambda r: (r.machine, r.stack)):
        found = list(inside)
        own, twins = ([one for one in found if bool(one.model.twin_of) == is_twin] for is_twin in (False, True))
        yield MachineStack(machine, stack, tuple(_rows(own)), tuple(_rows(twins)))


def _rows(results: Iterable[Result]) -> Iterator[Row]:
    by_key: dict[str, list[Result]] = {}
    for result in results:
        by_key.setdefault(result.model.key, []).append(result)
    models = [max(found, key=lambda result: result.device).model for found in by_key.values()]  # the GPU's, if any
    titles = [model.title for model in models]
    for model, found in zip(models, by_key.values(), strict=True):
        name = model.title if titles.count(model.title) == 1 else f"{model.title} ({model.params})"
        if model.twin_of:
            name = f"{model.title}, {model.library}"
        steps: dict[tuple[Device, PhaseName], Figure] = {
            (result.device, phase): step
            for result in found
            for phase in PHASES
            if result.status == "ok" and (step := figure(result, phase)) is not None
        }
        yield Row(name, model, tuple(found), steps)


def _rank(result: Result) -> tuple[bool, bool, int, bool]:
    scored = result.quality
    return (
        result.status == "ok" and scored is not None and any(not score.baseline for score in scored.scores),
        result.status != "skipped",
        _PROFILE_RANK[result.profile],
        result.device == "gpu",
    )
