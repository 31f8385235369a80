"""Results merged into the page's rows: one a model, with its CPU and its GPU result, by machine and stack."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from report.load import Device, Model, Quality, Result

_PROFILE_RANK = {"smoke": 0, "quick": 1, "full": 2}


@dataclass(frozen=True, slots=True)
class Row:
    """One model on one machine with one stack."""

    model: Model
    cpu: Result | None
    gpu: Result | None

    def on(self, device: Device) -> Result | None:
        """The result on ``device``."""
        return self.cpu if device == "cpu" else self.gpu

    @property
    def results(self) -> tuple[Result, ...]:
        """The one or two results there are."""
        return tuple(result for result in (self.cpu, self.gpu) if result is not None)

    @property
    def judged(self) -> Result:
        """The result whose loss and accuracy the row shows: one that has scores, of the greater profile, the GPU's.

        Where none has scores, the one that says best why: ok before failed before skipped.
        """
        return max(self.results, key=_rank)

    @property
    def synthetic(self) -> bool:
        """Whether generated data stood in for the real ones on either device."""
        return any(result.data is not None and result.data.synthetic for result in self.results)


@dataclass(frozen=True, slots=True)
class Group:
    """All rows of one machine with one stack."""

    machine: str
    stack: str
    rows: tuple[Row, ...]

    @property
    def results(self) -> tuple[Result, ...]:
        """The rows' results."""
        return tuple(result for row in self.rows for result in row.results)


def groups(results: Iterable[Result]) -> Iterator[Group]:
    """Machines with their stacks by name, rows by the place their models ask for."""
    ordered = sorted(results, key=lambda r: (r.machine, r.stack, r.model.position, r.model.key, r.device))
    for (machine, stack), inside in groupby(ordered, key=lambda r: (r.machine, r.stack)):
        by_key: dict[str, dict[str, Result]] = {}
        for result in inside:
            by_key.setdefault(result.model.key, {})[result.device] = result
        rows = (Row(_model(found), found.get("cpu"), found.get("gpu")) for found in by_key.values())
        yield Group(machine, stack, tuple(rows))


def _model(found: dict[str, Result]) -> Model:
    return found.get("gpu", next(iter(found.values()))).model


def _rank(result: Result) -> tuple[bool, bool, int, bool]:
    scored: Quality | None = result.quality
    return (
        result.status == "ok" and scored is not None and any(not score.baseline for score in scored.scores),
        result.status != "skipped",
        _PROFILE_RANK[result.profile],
        result.device == "gpu",
    )
