"""What cannot be right in the published table: findings about its figures, with what was measured here beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from report.page.models import peak_memory
from report.page.published import FINDINGS
from report.page.rows import is_synthetic
from report.records import DEVICES, Result, Score, figure
from report.sentences import said
from report.text import Message, Number, Text, joined, message


class Item(NamedTuple):
    """One thing that cannot be right: what, and the evidence for it."""

    claim: Text
    evidence: tuple[Text, ...]


def audit(results: Sequence[Result]) -> tuple[Item, ...]:
    """Return every finding with what ``results`` add to its evidence."""
    usable = evidence(results)
    measured = [[text for name in finding.measured for text in MEASURED[name](usable)] for finding in FINDINGS]
    return tuple(
        Item(Message(finding.claim), (*map(Message, finding.evidence), *texts))
        for finding, texts in zip(FINDINGS, measured, strict=True)
    )


def evidence(results: Sequence[Result]) -> list[Result]:
    """Return the results that are evidence of anything: a smoke run is none."""
    return [result for result in results if result.status == "ok" and result.profile != "smoke"]


def linear_beats_published_lstm(results: Sequence[Result]) -> Iterator[Text]:
    """Yield that AR, scored like the LSTM, beats the LSTM's published accuracy, where it does."""
    found = _score(results, "ar", "one-step")
    if found is not None and found.accuracy is not None and found.accuracy > 0.9230:
        yield message(
            "Scored one step ahead, as the published LSTM was, and not recursively, as the published AR was, the "
            "linear AR reaches R² {accuracy} here, above the 0.9230 published for the LSTM.",
            accuracy=Number(found.accuracy, digits=4),
        )


def slips_repeated(results: Sequence[Result]) -> Iterator[Text]:
    """Yield the scores that AR(OLS) has with the three slips."""
    found = _score(results, "ar-ols", "as-published")
    if found is not None and found.loss is not None and found.accuracy is not None:
        repeated = message(
            "Repeating the slips gives loss {loss} and R² {accuracy} here.",
            loss=Number(found.loss, "exact"),
            accuracy=Number(found.accuracy, "exact"),
        )
        yield joined((repeated, said(found.note)), " ") if found.note else repeated


def test_variance(results: Sequence[Result]) -> Iterator[Text]:
    """Yield the variance of the test months, from the loss and R² of a closed form, which are exact."""
    found = _score(results, "ar", "recursive")
    if found is not None and found.loss is not None and found.accuracy is not None and found.accuracy < 1:
        variance = Number(found.loss / (1 - found.accuracy), digits=4)
        yield message(
            "The exact scores measured here give the test months a variance of {variance}.", variance=variance
        )


def most_memory(results: Sequence[Result]) -> Iterator[Text]:
    """Yield the most GPU memory that the Bi-LSTM had allocated."""
    peaks = [peak for r in results if r.key == "bilstm" and (peak := peak_memory(r, "peak_allocated_bytes"))]
    if peaks:
        yield message("Measured here: at most {memory}.", memory=Number(max(peaks), "bytes"))


def ratio_of_prediction(results: Sequence[Result]) -> Iterator[Text]:
    """Yield prediction over training as measured here, on each device; the published figure's device first."""
    for device in reversed(DEVICES):
        of_device = [r for r in results if r.key == "densenet-32-24-32" and r.device == device]
        times = [(figure(result, "train"), figure(result, "predict")) for result in of_device]
        ratios = [Number(predict.median_s / train.median_s, "ratio") for train, predict in times if train and predict]
        if len(ratios) == 1:
            yield message(
                "Measured here on the {device}, the ratio is {ratio}.", device=device.upper(), ratio=ratios[0]
            )
        elif ratios:
            low, *_, high = sorted(ratios, key=lambda ratio: ratio.value)
            yield message(
                "Measured here on the {device}, the ratio is between {low} and {high}.",
                device=device.upper(),
                low=low,
                high=high,
            )


def batches_of_an_epoch(results: Sequence[Result]) -> Iterator[Text]:
    """Yield what the Bi-LSTM's published seconds per epoch would be per batch."""
    batches = [result.epoch.batches for result in results if result.key == "bilstm" and result.epoch]
    if batches:
        yield message(
            "With the {batches} batches of an epoch here, 66 s per epoch would be {seconds} s per batch.",
            batches=Number(max(batches), "count"),
            seconds=Number(66 / max(batches)),
        )


def _score(results: Sequence[Result], key: str, protocol: str) -> Score | None:
    """Return the first score on real data of a row under a protocol."""
    scored = [r.quality.score(protocol) for r in results if r.key == key and r.quality and not is_synthetic(r)]
    return next(filter(None, scored), None)


MEASURED: dict[str, Callable[[Sequence[Result]], Iterator[Text]]] = {
    function.__name__: function
    for function in (
        linear_beats_published_lstm,
        slips_repeated,
        test_variance,
        most_memory,
        ratio_of_prediction,
        batches_of_an_epoch,
    )
}
"""What the findings in published.toml name."""
