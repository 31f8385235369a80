"""Published figures beside ours, and what may be concluded from each pair."""

from pathlib import Path
from typing import Any

import pytest

from report.page import published
from report.page.reproduction import TOLERANCES, Comparison
from report.render.locale import locale
from tests.report.benches import AUTOREGRESSION, forecast, gap, one, quality, row, score, section_of
from tests.report.building import Json, memory, reason

PRINTED = """
| LSTM        | 2 statcked LSTM       | Keras       | Airline Passenger | 0.0017   | 0.9230| | | | 0.01 | 0.0064|
| LSTM(AUG)   | 2 statcked LSTM       | Keras       | Airline Passenger | 0.0040   | 0.8601| | | | 0.01 | 0.008 |
| AR          | 12 Lag                | statsmodels | Airline Passenger | 0.013    | 0.38  | | | | |
| AR(OLS)     | 12 Lag <br>1 x w, 1 x b | Numpy     | Airline Passenger | 0.05     | -0.18 | | | | |
| AR(Polyfit) | 12 Lag <br>1 degree   | Numpy       | Airline Passenger | 0.0088   | 0.597 | | | | |
| Bi-LSTM     | 2 stacked Bi-LSTM     | Keras       | 전기사용량 | 0.0002 | 0.9747  | 10795MB | 518s/epc | 46.3s/(t) | 66s/epc | 5.82s/(t) |
| DenseNet    | 3 x 24 dense          | Pytorch     | CIFAR-10          |          | 0.886 | 5163MB | 120 | 25.23 | 0.337 | 0.111 |
| DenseNet    | 32 x 24 x 32          | Pytorch     | CIFAR-10          |          | 0.826 | 5833MB |     |       | 0.223 | 0.81  |
""".strip().splitlines()  # noqa: E501  # the table of 2017-08-05 as it was published
COLUMNS = ["loss", "accuracy", "memory", "cpu_train", "cpu_predict", "gpu_train", "gpu_predict"]


def verdicts(root: Path, *records: Json) -> dict[tuple[str, str], Comparison]:
    """(row, heading) -> comparison, for what these records hold."""
    return {(found.row.key, found.heading): found for found in section_of(root, *records).comparisons}


def said(comparison: Comparison) -> str:
    """The verdict and its reason in English."""
    reasons = f"; {locale('en').plain(comparison.why.reason)}" if comparison.why else ""
    return f"{comparison.verdict.value}{reasons}"


def lstm(loss: float = 0.0017, accuracy: float = 0.923, **changes: Any) -> Json:
    """An LSTM on the GPU with these one-step scores."""
    scores = forecast("one-step", (("recursive", 0.02, 0.1), ("one-step", loss, accuracy)), epochs=30)
    return row("lstm", "gpu", **{"train": 0.01, "predict": 0.0064, "quality": scores, **changes})


def images(key: str, accuracy: float, train: Any, **changes: Any) -> Json:
    """A DenseNet on the GPU."""
    scores = quality("held-out", score("held-out", None, accuracy), accuracy_metric="top-1", epochs=1)
    return row(key, "gpu", train, None, quality=scores, **changes)


def test_the_published_figures_are_those_of_the_published_page() -> None:
    """Each figure and its unit, and no other."""
    units = {"MB": "MB", "s/epoch": "s/epc", "s/test-set": "s/(t)"}
    for line, known in zip(PRINTED, published.ROWS, strict=True):
        cells = dict(zip(COLUMNS, (cell.strip() for cell in line.split("|")[5:12]), strict=False))
        ours = {figure.column: figure.text + units.get(figure.unit, "") for figure in known.figures}
        assert ours == {column: text for column, text in cells.items() if text}


def test_every_published_figure_is_compared(tmp_path: Path) -> None:
    """31 figures, in their order, by verdict and reason."""
    section = section_of(tmp_path, *one())
    assert len(section.comparisons) == 31
    assert [found.printed for found in section.comparisons[:4]] == ["0.0017", "0.9230", "0.01", "0.0064"]
    assert sum(len(found.comparisons) for found in section.verdicts) == 31
    assert [(found.verdict.value, len(found.comparisons)) for found in section.verdicts] == [
        ("reproduced", 12), ("better", 5), ("not comparable", 5), ("not measured", 9)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("loss", "accuracy", "expected"),
    [
        (0.00185, 0.915, ("reproduced", "reproduced")),
        (0.00153, 0.932, ("reproduced", "reproduced")),
        (0.0012, 0.94, ("better", "better")),
        (0.0030, 0.86, ("worse", "worse")),
    ],
)
def test_scores_are_compared_with_tolerances(
    tmp_path: Path, loss: float, accuracy: float, expected: tuple[str, str]
) -> None:
    """Within the tolerance a score is reproduced; beyond it less loss and more accuracy are better."""
    found = verdicts(tmp_path, lstm(loss, accuracy))
    assert (said(found["lstm", "Loss"]), said(found["lstm", "Accuracy"])) == expected
    assert dict(TOLERANCES) == {"loss": 0.10, "accuracy": 0.01, "memory": 0.20, "time": 0.10}


def test_the_protocol_of_the_published_figure_decides_what_is_compared(tmp_path: Path) -> None:
    """LSTM was published one step ahead: a page that shows its recursive score still compares the one-step one."""
    scores = forecast("recursive", (("recursive", 0.02, 0.1), ("one-step", 0.0017, 0.923)), epochs=30)
    assert said(verdicts(tmp_path, lstm(quality=scores))["lstm", "Loss"]) == "reproduced"


@pytest.mark.parametrize(
    ("train_s", "expected"), [(0.0105, "reproduced"), (0.004, "better"), (0.0149, "reproduced"), (0.03, "worse")]
)
def test_times_on_the_published_hardware_are_judged(tmp_path: Path, train_s: float, expected: str) -> None:
    """On a GTX 1080, faster is better, and the ratio is shown."""
    found = verdicts(tmp_path, lstm(train=train_s))["lstm", "GPU(T)"]
    assert said(found) == expected
    assert found.ratio.value == pytest.approx(train_s / 0.01)


@pytest.mark.parametrize(
    ("gpu", "expected"),
    [
        ("NVIDIA H100", "not comparable; other hardware, NVIDIA H100"),
        ("NVIDIA GeForce GTX 1080 Ti", "not comparable; other hardware, NVIDIA GeForce GTX 1080 Ti"),
        (None, "not comparable; the record does not name its GPU"),
    ],
)
def test_times_on_other_hardware_are_not_comparable(tmp_path: Path, gpu: str | None, expected: str) -> None:
    """The ratio is shown all the same; the verdict names the hardware."""
    made = lstm()
    made["environment"]["gpu"]["name"] = gpu
    found = verdicts(tmp_path, made)["lstm", "GPU(T)"]
    assert said(found) == expected
    assert found.ratio is not None


@pytest.mark.parametrize(
    ("batch_size", "expected"), [(16, "reproduced"), (32, "not comparable; a batch of 32 here, 16 there")]
)
def test_the_later_densenet_ran_with_batches_of_16(tmp_path: Path, batch_size: int, expected: str) -> None:
    """Its times and its memory are compared with batches of 16, although the page says 32."""
    each = {"memory": memory(peak_allocated_bytes=5_833_000_000)}
    made = images("densenet-32-24-32", 0.826, {"median_s": 0.22, "batch_size": batch_size}, each=each)
    found = verdicts(tmp_path, made)
    assert {said(found["densenet-32-24-32", heading]) for heading in ("GPU(T)", "Memory")} == {expected}


def test_memory_near_the_published_is_reproduced_and_else_not_comparable(tmp_path: Path) -> None:
    """The page does not state what it counted, so a difference proves nothing."""
    for name, used, expected in (("a", 5_402_000_000, "reproduced"), ("b", 2_000_000_000, "not comparable; the page")):
        each = {"memory": memory(peak_allocated_bytes=used)}
        found = verdicts(tmp_path / name, images("densenet-24x3", 0.886, 0.337, each=each))
        assert said(found["densenet-24x3", "Memory"]).startswith(expected)


def test_published_figures_in_doubt_are_never_judged(tmp_path: Path) -> None:
    """Unknown protocol, more memory than the card has, a prediction slower than training, another test set."""
    found = verdicts(tmp_path, *one())
    assert said(found["bilstm", "Accuracy"]) == "not comparable; how the published figure was scored is not known"
    doubts = {(known.key, figure.column) for known in published.ROWS for figure in known.figures if figure.doubt}
    assert doubts == {
        ("lstm-aug", "loss"),
        ("lstm-aug", "accuracy"),
        ("bilstm", "loss"),
        ("bilstm", "accuracy"),
        ("bilstm", "memory"),
        ("densenet-32-24-32", "gpu_predict"),
    }


def test_a_smoke_run_reproduces_only_what_is_exact(tmp_path: Path) -> None:
    """Closed forms are the same in any profile; nothing else of a smoke run is judged."""
    classical = row("ar", quality=forecast("recursive", AUTOREGRESSION), profile="smoke")
    found = verdicts(tmp_path, classical, lstm(profile="smoke"))
    assert said(found["ar", "Loss"]) == "reproduced"
    assert said(found["lstm", "Loss"]) == "not comparable; a smoke run measures nothing"


def test_what_was_not_measured_says_why(tmp_path: Path) -> None:
    """A missing row, a failed device, a missing score and a machine without a GPU."""
    failed = gap("lstm", "gpu", "failed", reason("killed", signal="SIGSEGV"))
    found = verdicts(tmp_path / "a", failed, row("ar-ols", quality=forecast("recursive", AUTOREGRESSION)))
    assert said(found["lstm", "GPU(T)"]) == "not measured; the process was killed by SIGSEGV"
    assert said(found["ar", "Loss"]) == "not measured; there is no result for this row"
    assert said(found["ar-ols", "Loss"]) == "not measured; there is no score"
    made = row("lstm")
    made["environment"]["gpu"] = None
    assert said(verdicts(tmp_path / "b", made)["lstm", "GPU(T)"]) == "not measured; this machine has no GPU"
    lazy = images("densenet-24x3", 0.886, {"median_s": 0.3, "valid": False, "reason": reason("loss-not-finite")})
    found = verdicts(tmp_path / "c", lazy)
    assert said(found["densenet-24x3", "GPU(T)"]) == "not measured; the training loss was not finite"
    assert said(found["densenet-24x3", "Memory"]) == "not measured; the record holds no such figure"
