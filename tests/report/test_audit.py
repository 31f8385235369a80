"""What cannot be right in the published table, with evidence that is computed."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from report.audit import audit
from report.load import Result, load_results
from report.messages import locale
from report.published import Published, published_figures
from tests.report.fixtures.build import AUTOREGRESSION, FOLDER, forecast_quality, phase, record, timing, write


def said(published: Published, results: Sequence[Result] = ()) -> list[tuple[str, list[str]]]:
    """Claims with their evidence in English."""
    plain = locale("en").plain
    return [(plain(item.claim), [plain(line) for line in item.evidence]) for item in audit(published, results)]


def changed(key: str, column: str, value: float) -> Published:
    """The published figures with one of them another."""
    published = published_figures()
    rows = []
    for row in published.rows:
        figures = tuple(
            dataclasses.replace(f, value=value) if (row.key, f.column) == (key, column) else f for f in row.figures
        )
        rows.append(dataclasses.replace(row, figures=figures))
    return dataclasses.replace(published, rows=tuple(rows))


def test_the_whole_audit_with_what_the_fixtures_measured() -> None:
    """Each claim, and every line of its evidence, as an English reader sees them."""
    assert said(published_figures(), load_results(FOLDER / "one").results) == [
        (
            "**Bi-LSTM**: the published memory is more than the card has.",
            [
                "10795MB on a card of 8590MB: 1.26 times as much as there is.",
                "Measured here: 1080MB at most.",
            ],
        ),
        (
            "**DenseNet** (32 x 24 x 32): on the GPU, predicting a batch is said to take longer than training on it, "
            "though a training step begins with that very prediction.",
            [
                "0.81 s to predict, 0.223 s to train: 3.63 times as long.",
                "For DenseNet (3 x 24 dense) the published ratio is 0.329.",
            ],
        ),
        (
            "**LSTM(AUG)**: its loss and accuracy do not belong to one test set with the other rows of "
            "Airline Passenger.",
            [
                "A loss of 0.0040 with R² 0.8601 means a test set of variance 0.0282 to 0.0293, since "
                "R² = 1 - MSE / variance.",
                "The 44 test months have the variance 0.02178, by the exact scores measured here.",
            ],
        ),
        (
            "**AR(OLS)**: its loss and accuracy do not belong to one test set with the other rows of "
            "Airline Passenger.",
            [
                "A loss of 0.05 with R² -0.18 means a test set of variance 0.0378 to 0.0511, since "
                "R² = 1 - MSE / variance.",
                "The 44 test months have the variance 0.02178, by the exact scores measured here.",
                "Made again here with its slips: loss 0.05613363, R² -0.18177911; made with the published figure's "
                "slips: three of them; in the right order R2 is -1.35184659.",
            ],
        ),
        (
            "**Airline Passenger**: the rows are not scored in one way, and the page does not say so.",
            [
                "Recursively: AR, AR(Polyfit). One step ahead: LSTM, LSTM(AUG).",
                "One step ahead, AR reaches R² 0.9268 here, above the 0.9230 published for LSTM.",
            ],
        ),
        (
            "**Legend**: it says how many batches a second, but the figures are seconds a batch.",
            [
                "DenseNet (3 x 24 dense) trains at 120 on the CPU and 0.337 on the GPU: read as a rate, the GPU "
                "would be 356 times slower than the CPU instead of 356 times faster.",
            ],
        ),
        (
            "**Bi-LSTM**: its times are for an epoch and a test set, those of the other rows in the same columns for a "
            "batch.",
            [
                "66 stands in a column with 0.01 to 0.337.",
                "With the 45,394 batches of an epoch here, 66 s an epoch would be 0.00145 s a batch.",
            ],
        ),
    ]


def test_the_audit_needs_no_results() -> None:
    """The published figures alone speak against themselves; what they cannot show is left out."""
    found = dict(said(published_figures()))
    assert len(found) == 7
    assert (
        found[
            "**LSTM(AUG)**: its loss and accuracy do not belong to one test set with the other rows of "
            "Airline Passenger."
        ][1]
        == "The other published rows agree on about 0.02191."
    )


def test_a_claim_goes_when_its_evidence_goes() -> None:
    """The evidence is computed: with figures that could be right, nothing is claimed."""
    claims = len(audit(published_figures(), ()))
    assert len(audit(changed("bilstm", "memory", 7000), ())) == claims - 1
    assert len(audit(changed("densenet-32-24-32", "gpu_predict", 0.081), ())) == claims - 1
    assert len(audit(changed("lstm-aug", "loss", 0.00305), ())) == claims - 1


def test_a_prediction_measured_here_is_part_of_the_evidence(tmp_path: Path) -> None:
    """Our own ratio of prediction to training stands beside the published one."""
    row = record(
        "densenet-32-24-32",
        "gpu",
        quality=forecast_quality("recursive", AUTOREGRESSION),
        timing=timing(phase(0.2), phase(0.07)),
    )
    evidence = said(published_figures(), load_results(write(tmp_path, [row])).results)[1][1]
    assert evidence[-1] == "Measured here on the GPU, the ratio is 0.350."


def test_no_ratio_stands_without_the_device_it_was_measured_on(tmp_path: Path) -> None:
    """The published figure's device first; of several machines the range."""
    quality = forecast_quality("recursive", AUTOREGRESSION)
    rows = [
        record("densenet-32-24-32", device, machine=machine, quality=quality, timing=timing(phase(1.0), phase(predict)))
        for machine, device, predict in (("a", "cpu", 0.2), ("a", "gpu", 0.35), ("b", "gpu", 0.4))
    ]
    evidence = said(published_figures(), load_results(write(tmp_path, rows)).results)[1][1]
    assert evidence[-2:] == [
        "Measured here on the GPU, the ratio lies between 0.350 and 0.400.",
        "Measured here on the CPU, the ratio is 0.200.",
    ]


def test_smoke_runs_prove_nothing_in_the_audit(tmp_path: Path) -> None:
    """Figures of a smoke run are no evidence."""
    row = record(
        "ar", "cpu", profile="smoke", quality=forecast_quality("recursive", AUTOREGRESSION), timing=timing(None, None)
    )
    assert said(published_figures(), load_results(write(tmp_path, [row])).results) == said(published_figures())
