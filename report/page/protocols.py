"""One protocol for all: every model of a data set, and baselines to compare it with, scored in the same ways."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from report.page import models
from report.page.published import published_row
from report.page.rows import MachineStack, Row
from report.records import Quality, RollingOrigin, Score
from report.text import Joined, Number, Safe, Text, message

PROTOCOLS = {
    "recursive": message("recursive"),
    "one-step": message("one step ahead"),
    "held-out": message("held-out test set"),
    "as-published": message("as published, with its slips"),
}
METRICS: Mapping[str, Text] = {"r2": "R²", "top-1": message("accuracy")}
BASELINES = {
    "seasonal naive": message("seasonal naive (the same month one year before)"),
    "linear AR(60)": message("linear AR(60)"),
    "persistence": message("persistence (the last value again)"),
}
NOT_A_PROTOCOL = "as-published"
"""The scores of the slips. The other protocols are ordered as in ``PROTOCOLS``, unknown ones after them."""


class Line(NamedTuple):
    """A model or a baseline under every protocol, and what was published for it."""

    name: Text
    published: Text
    published_protocol: str | None
    scores: tuple[Number | None, ...]  # loss and accuracy of each protocol of the table
    rolling: tuple[Text, ...] = ()  # MAE, RMSE and MASE, with their quartiles


@dataclass(frozen=True, slots=True)
class ProtocolTable:
    """The lines of one data set."""

    dataset: Text
    protocols: tuple[str, ...]
    accuracy_metric: Text
    lines: tuple[Line, ...]
    rolling: RollingOrigin | None  # the first line's, as an example of how all were made

    @property
    def mixed(self) -> tuple[Text, ...]:
        """The protocols that the published column mixed, where it mixed any."""
        used = {line.published_protocol for line in self.lines} - {None, NOT_A_PROTOCOL}
        return tuple(protocol(name) for name in sorted(filter(None, used), key=_place)) if len(used) > 1 else ()


def protocol(name: str | None) -> Text:
    """Return a protocol as the page calls it."""
    return PROTOCOLS.get(name, name) if name else message("unknown protocol")


def protocol_tables(group: MachineStack) -> Iterator[ProtocolTable]:
    """Yield a table for every data set with a baseline to compare with; synthetic data are left out."""
    by_dataset: dict[str, list[tuple[Row, Quality]]] = {}
    for row in group.rows:
        result = row.scored_result
        if result.status == "ok" and result.quality is not None and not row.synthetic:
            by_dataset.setdefault(row.model.dataset, []).append((row, result.quality))
    for name, scored in by_dataset.items():
        used = {score.protocol for _, quality in scored for score in quality.scores} - {NOT_A_PROTOCOL}
        protocols = tuple(sorted(used, key=_place))
        baselines = tuple(_baselines(scored, protocols))
        if baselines:
            metric = scored[0][1].accuracy_metric
            rolling = next((errors for _, quality in scored if (errors := _rolling(quality, ""))), None)
            lines = (*_models(scored, protocols), *baselines)
            shown = models.DATASETS.get(name, name)
            yield ProtocolTable(shown, protocols, METRICS.get(metric, metric), lines, rolling)


def _models(scored: Sequence[tuple[Row, Quality]], protocols: Sequence[str]) -> Iterator[Line]:
    for row, quality in scored:
        known = published_row(row.model.key)
        figures = [f for f in known.figures if f.column in ("loss", "accuracy")] if known else []
        used = next((figure.protocol for figure in figures), None)
        texts = Joined(tuple(Safe(figure.text) for figure in figures), "; ")
        published = message("{figures} ({protocol})", figures=texts, protocol=protocol(used)) if figures else ""
        numbers = tuple(models.score(quality, which, name) for name in protocols for which in models.SCORES)
        yield Line(row.model.title, published, used, numbers, _errors(_rolling(quality, "")))


def _baselines(scored: Sequence[tuple[Row, Quality]], protocols: Sequence[str]) -> Iterator[Line]:
    """Yield each baseline once, from the first model that has it: it is the same for every model of a data set."""
    found: dict[str, tuple[Quality, dict[str, Score]]] = {}
    for _, quality in scored:
        for score in quality.scores:
            if score.baseline:
                found.setdefault(score.name, (quality, {}))[1].setdefault(score.protocol, score)
    for name, (quality, scores) in found.items():
        values = [
            own.value(which) if (own := scores.get(protocol)) else None
            for protocol in protocols
            for which in models.SCORES
        ]
        numbers = tuple(None if value is None else Number(value, "exact") for value in values)  # a closed form
        called = message("baseline: {name}", name=BASELINES.get(name, name))
        yield Line(called, "", None, numbers, _errors(_rolling(quality, name)))


def _rolling(quality: Quality, name: str) -> RollingOrigin | None:
    """The rolling-origin errors of the model itself ("") or of one of its baselines."""
    return next((errors for errors in quality.rolling_origin if errors.name == name), None)


def _errors(errors: RollingOrigin | None) -> tuple[Text, ...]:
    """MAE, RMSE and MASE, each with its quartiles over the origins in parentheses."""
    if errors is None:
        return ()
    found = [(getattr(errors, name), getattr(errors, f"{name}_quartiles")) for name in ("mae", "rmse", "mase")]
    return tuple("" if value is None else _spread(value, quartiles) for value, quartiles in found)


def _spread(value: float, quartiles: Sequence[float | None]) -> Text:
    between = Joined(tuple(Number(quartile) for quartile in quartiles if quartile is not None), "–")
    return Joined((Number(value), Joined(("(", between, ")"), "")), " ") if between.parts else Number(value)


def _place(name: str) -> tuple[int, str]:
    order = list(PROTOCOLS)
    return (order.index(name) if name in order else len(order), name)
