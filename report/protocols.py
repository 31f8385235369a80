"""One protocol for all: every model of a data set, and the baselines to hold it against, scored in the same ways."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from report.columns import dataset, score_text
from report.escape import Safe
from report.figures import score as score_figure
from report.load import Quality, Result, RollingOrigin, Score
from report.messages import Text
from report.published import Figure, Published
from report.rows import Group, Row

ORDER = ("recursive", "one-step", "held-out")
"""Protocols from left to right. Any other is shown after them; "as-published" is what a slip gave, and no protocol."""

NOT_A_PROTOCOL = ("as-published",)


@dataclass(frozen=True, slots=True)
class Entry:
    """One protocol's loss and accuracy of one line; empty where it was not scored that way."""

    loss: Safe
    accuracy: Safe
    accuracy_value: float | None


@dataclass(frozen=True, slots=True)
class Line:
    """A model or a baseline under every protocol, and what was published for it."""

    name: str
    baseline: bool
    entries: tuple[Entry, ...]  # one a protocol of the table
    source: Result
    published: tuple[Figure, ...]  # loss and accuracy, where the page gave them
    published_protocol: str | None
    rolling: RollingOrigin | None = None


@dataclass(frozen=True, slots=True)
class ProtocolTable:
    """The lines of one data set."""

    dataset: Text
    protocols: tuple[str, ...]
    accuracy_metric: str
    lines: tuple[Line, ...]

    @property
    def rolling(self) -> RollingOrigin | None:
        """The first line's rolling-origin errors, which stand for how those of all were made; None without any."""
        return next((line.rolling for line in self.lines if line.rolling), None)

    @property
    def mixed(self) -> tuple[str, ...]:
        """The protocols that the published column mixed, where it mixed any."""
        used = {line.published_protocol for line in self.lines} - {None, *NOT_A_PROTOCOL}
        ordered = tuple(sorted((protocol for protocol in used if protocol), key=_place))
        return ordered if len(ordered) > 1 else ()


def protocol_tables(group: Group, published: Published) -> Iterator[ProtocolTable]:
    """A table for every data set on which there is more than one line to compare; synthetic data are left out."""
    by_dataset: dict[str, list[Row]] = {}
    for row in group.rows:
        if row.judged.status == "ok" and row.judged.quality is not None and not row.synthetic:
            by_dataset.setdefault(row.model.dataset, []).append(row)
    for name, rows in by_dataset.items():
        scored = [(row, quality) for row in rows if (quality := row.judged.quality)]
        used = {s.protocol for _, quality in scored for s in quality.scores} - set(NOT_A_PROTOCOL)
        protocols = tuple(sorted(used, key=_place))
        lines = [*_models(scored, protocols, published), *_baselines(scored, protocols)]
        if len(lines) > 1 and any(line.baseline for line in lines):
            yield ProtocolTable(dataset(name), protocols, scored[0][1].accuracy_metric, tuple(lines))


def _models(scored: list[tuple[Row, Quality]], protocols: tuple[str, ...], published: Published) -> Iterator[Line]:
    for row, quality in scored:
        known = published.row(row.model.key)
        figures = tuple(f for f in known.figures if f.column in ("loss", "accuracy")) if known else ()
        entries = tuple(_entry(quality.score(protocol), quality) for protocol in protocols)
        protocol = next((figure.protocol for figure in figures), None)
        yield Line(row.model.title, False, entries, row.judged, figures, protocol, _rolling(quality, ""))


def _baselines(scored: list[tuple[Row, Quality]], protocols: tuple[str, ...]) -> Iterator[Line]:
    """Each baseline once, from the first model that brings it: it is the same for every model of a data set."""
    found: dict[str, tuple[Row, Quality, dict[str, Score]]] = {}
    for row, quality in scored:
        for score in quality.scores:
            if score.baseline:
                found.setdefault(score.name, (row, quality, {}))[2].setdefault(score.protocol, score)
    for name, (row, quality, scores) in found.items():
        entries = tuple(_entry(scores.get(protocol), None) for protocol in protocols)
        yield Line(name, True, entries, row.judged, (), None, _rolling(quality, name))


def _rolling(quality: Quality, name: str) -> RollingOrigin | None:
    """The rolling-origin errors of the model itself ("") or of one of its baselines."""
    return next((errors for errors in quality.rolling_origin if errors.name == name), None)


def _entry(score: Score | None, quality: Quality | None) -> Entry:
    if score is None:
        return Entry(Safe(""), Safe(""), None)
    loss, accuracy = score.loss, score.accuracy
    if quality is None:  # baselines are closed forms
        shown = [Safe("") if value is None else score_figure(value, (), True) for value in (loss, accuracy)]
    else:
        shown = [
            Safe("") if loss is None else score_text(loss, quality, "loss"),
            Safe("") if accuracy is None else score_text(accuracy, quality, "accuracy"),
        ]
    return Entry(shown[0], shown[1], accuracy)


def _place(protocol: str) -> tuple[int, str]:
    return (ORDER.index(protocol) if protocol in ORDER else len(ORDER), protocol)
