"""What cannot be right in the published table: each item with evidence computed from its figures and from ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from report import figures
from report.columns import DATASETS_FORECAST, dataset
from report.escape import Safe
from report.load import Result
from report.messages import Message, Spoken, message
from report.published import Published, PublishedRow


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that cannot be right: what, and the evidence for it."""

    claim: Message
    evidence: tuple[Message, ...]


def audit(published: Published, results: Sequence[Result]) -> tuple[Item, ...]:
    """Every check whose evidence, computed now, still speaks against the published table."""
    usable = [result for result in results if result.status == "ok" and result.profile != "smoke"]
    return tuple(item for check in CHECKS for item in check(published, usable))


def memory_beyond_the_card(published: Published, results: Sequence[Result]) -> Iterator[Item]:
    """A model cannot hold more memory than its card has."""
    for row in published.rows:
        figure = row.figure("memory")
        if figure is None or figure.value * figures.MEGABYTE <= published.gpu_memory_bytes:
            continue
        share = figure.value * figures.MEGABYTE / published.gpu_memory_bytes
        evidence = [
            message(
                "audit.memory-evidence",
                memory=Safe(figure.text + "MB"),
                card=figures.megabytes(published.gpu_memory_bytes),
                ratio=figures.ratio(share),
            )
        ]
        measured = [peak for r in _of(results, row.key) if r.memory and (peak := r.memory.peak_allocated_bytes)]
        if measured:
            evidence.append(message("audit.memory-ours", memory=figures.megabytes(max(measured))))
        yield Item(message("audit.memory", model=row.title), tuple(evidence))


def prediction_beyond_training(published: Published, results: Sequence[Result]) -> Iterator[Item]:
    """A training step holds a prediction: it cannot be the shorter of the two."""
    for row in published.rows:
        for device in ("cpu", "gpu"):
            train, predict = row.figure(f"{device}_train"), row.figure(f"{device}_predict")
            if train is None or predict is None or train.unit != "s/batch" or predict.value <= train.value:
                continue
            evidence = [
                message(
                    "audit.predict-evidence",
                    predict=predict.text,
                    train=train.text,
                    ratio=figures.ratio(predict.value / train.value),
                )
            ]
            evidence += _other_shares(published, row, f"{device}")
            evidence += _own_shares(results, row.key, device)
            yield Item(
                message("audit.predict", model=row.title, params=row.params, device=device.upper()), tuple(evidence)
            )


def scores_of_another_test_set(published: Published, results: Sequence[Result]) -> Iterator[Item]:
    """Loss and R2 of one test set give its variance, MSE / (1 - R2): rows of one data set must agree on it."""
    truth = _test_variance(results)
    for name in DATASETS_FORECAST:
        rows = [row for row in published.rows if row.dataset == name]
        ranges = {row.key: bounds for row in rows if (bounds := _variance_range(row)) is not None}
        if len(ranges) < 2:
            continue
        expected = truth.get(name)
        agreed = expected if expected is not None else _most_agreed(list(ranges.values()))
        off = [row for row in rows if row.key in ranges and not ranges[row.key][0] <= agreed <= ranges[row.key][1]]
        for row in off:
            low, high = ranges[row.key]
            loss, accuracy = row.figure("loss"), row.figure("accuracy")
            assert loss is not None, "_variance_range wants both"
            assert accuracy is not None, "_variance_range wants both"
            evidence = [
                message(
                    "audit.variance-evidence",
                    loss=loss.text,
                    accuracy=accuracy.text,
                    low=figures.significant(low, 3),
                    high=figures.significant(high, 3),
                ),
                message(
                    "audit.variance-measured" if expected is not None else "audit.variance-others",
                    variance=figures.significant(agreed, 4),
                ),
                *_as_published(results, row.key),
            ]
            yield Item(message("audit.variance", model=row.title, data=dataset(name)), tuple(evidence))


def seconds_called_a_rate(published: Published, results: Sequence[Result]) -> Iterator[Item]:
    """The legend says "batches a second"; read so, the graphics card would be far slower than the processor."""
    for row in published.rows:
        cpu, gpu = row.figure("cpu_train"), row.figure("gpu_train")
        if cpu and gpu and cpu.unit == gpu.unit == "s/batch":
            times = figures.ratio(cpu.value / gpu.value)
            evidence = message(
                "audit.rate-evidence",
                model=row.title,
                params=row.params,
                cpu=cpu.text,
                gpu=gpu.text,
                ratio=times,
            )
            yield Item(message("audit.rate"), (evidence,))
            return


def units_mixed_in_a_column(published: Published, results: Sequence[Result]) -> Iterator[Item]:
    """One column, several units: a reader who runs an eye down it compares what cannot be compared."""
    for row in published.rows:
        figure = row.figure("gpu_train") or row.figure("cpu_train")
        if figure is None or figure.unit == "s/batch":
            continue
        others = [
            other
            for line in published.rows
            if (other := line.figure(figure.column)) is not None and other.unit == "s/batch"
        ]
        if not others:
            continue
        evidence = [
            message(
                "audit.units-evidence",
                figure=figure.text,
                low=min(others, key=lambda other: other.value).text,
                high=max(others, key=lambda other: other.value).text,
            )
        ]
        epochs = [r.timing.epoch for r in _of(results, row.key) if r.timing and r.timing.epoch]
        if epochs:
            batches = max(epoch.batches for epoch in epochs)
            evidence.append(
                message(
                    "audit.units-ours",
                    batches=f"{batches:,.0f}",
                    figure=figure.text,
                    seconds=figures.significant(figure.value / batches, 3),
                )
            )
        yield Item(message("audit.units", model=row.title), tuple(evidence))


def protocols_mixed_in_a_column(published: Published, results: Sequence[Result]) -> Iterator[Item]:
    """Rows of one data set, scored in different ways: under one way their order may be another."""
    for name in DATASETS_FORECAST:
        rows = [row for row in published.rows if row.dataset == name and _protocol(row)]
        recursive = [row for row in rows if _protocol(row) == "recursive"]
        one_step = [row for row in rows if _protocol(row) == "one-step"]
        if not recursive or not one_step:
            continue
        evidence = [
            message(
                "audit.protocols-evidence",
                recursive=Safe(", ".join(row.title for row in recursive)),
                one_step=Safe(", ".join(row.title for row in one_step)),
            )
        ]
        best = max(one_step, key=lambda row: _accuracy(row))
        for row in recursive:
            ours = [
                score.accuracy
                for result in _of(results, row.key)
                if result.quality and (score := result.quality.score("one-step")) and score.accuracy is not None
            ]
            if ours and max(ours) > _accuracy(best):
                evidence.append(
                    message(
                        "audit.protocols-ours",
                        model=row.title,
                        accuracy=Safe(f"{max(ours):.4f}"),
                        other=best.title,
                        theirs=Safe(best.figure("accuracy").text),  # type: ignore[union-attr]  # _accuracy found it
                    )
                )
        yield Item(message("audit.protocols", data=dataset(name)), tuple(evidence))


CHECKS: tuple[Callable[[Published, Sequence[Result]], Iterator[Item]], ...] = (
    memory_beyond_the_card,
    prediction_beyond_training,
    scores_of_another_test_set,
    protocols_mixed_in_a_column,
    seconds_called_a_rate,
    units_mixed_in_a_column,
)


def _of(results: Sequence[Result], key: str) -> Iterator[Result]:
    return (result for result in results if result.model.key == key)


def _other_shares(published: Published, but: PublishedRow, device: str) -> Iterator[Message]:
    for row in published.rows:
        train, predict = row.figure(f"{device}_train"), row.figure(f"{device}_predict")
        if row.key != but.key and row.dataset == but.dataset and train and predict and train.unit == "s/batch":
            yield message(
                "audit.predict-other",
                model=row.title,
                params=row.params,
                ratio=figures.ratio(predict.value / train.value),
            )


def _own_shares(results: Sequence[Result], key: str, device: str) -> Iterator[Message]:
    """What was measured here, by device: that of the published figure first, and no figure without its device."""
    for where in sorted(("cpu", "gpu"), key=lambda name: name != device):
        of_device = [result for result in _of(results, key) if result.device == where]
        shares = sorted(share for result in of_device if (share := _predict_share(result)) is not None)
        if not shares:
            continue
        low, high = figures.ratio(shares[0]), figures.ratio(shares[-1])
        if low == high:
            yield message("audit.predict-ours-one", device=where.upper(), ratio=low)
        else:
            yield message("audit.predict-ours", device=where.upper(), low=low, high=high)


def _predict_share(result: Result) -> float | None:
    timing = result.timing
    if timing is None or timing.train is None or timing.predict is None or not timing.train.counts:
        return None
    return timing.predict.median_s / timing.train.median_s


def _variance_range(row: PublishedRow) -> tuple[float, float] | None:
    """The least and greatest MSE / (1 - R2) that prints as the row's figures, cut or rounded."""
    loss, accuracy = row.figure("loss"), row.figure("accuracy")
    if loss is None or accuracy is None or loss.unit != "mse" or accuracy.unit != "r2":
        return None
    return loss.least / (1 - accuracy.least), loss.most / (1 - accuracy.most)


def _most_agreed(ranges: Sequence[tuple[float, float]]) -> float:
    """The value that most of the ranges hold."""
    middles = [(low + high) / 2 for low, high in ranges]
    return max(middles, key=lambda middle: sum(low <= middle <= high for low, high in ranges))


def _test_variance(results: Sequence[Result]) -> dict[str, float]:
    """Data set -> variance of its test part, from the loss and R2 of closed forms, which are exact."""
    variances: dict[str, float] = {}
    for result in results:
        quality = result.quality
        if quality is None or quality.epochs is not None or (result.data and result.data.synthetic):
            continue
        score = quality.score(quality.protocol)
        if score and score.loss is not None and score.accuracy is not None and score.accuracy < 1:
            variances.setdefault(result.model.dataset, score.loss / (1 - score.accuracy))
    return variances


def _as_published(results: Sequence[Result], key: str) -> Iterator[Message]:
    for result in _of(results, key):
        score = result.quality.score("as-published") if result.quality else None
        if score and score.loss is not None and score.accuracy is not None:
            yield message(
                "audit.as-published",
                loss=Safe(f"{score.loss:.8f}"),
                accuracy=Safe(f"{score.accuracy:.8f}"),
                note=Spoken(score.note),
            )
            return


def _protocol(row: PublishedRow) -> str | None:
    figure = row.figure("accuracy")
    return figure.protocol if figure else None


def _accuracy(row: PublishedRow) -> float:
    figure = row.figure("accuracy")
    return figure.value if figure else float("-inf")
