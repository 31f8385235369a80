"""Published figures beside ours, and what may be concluded from each pair."""

from pathlib import Path
from typing import Any

import pytest

from report.load import load_results
from report.messages import locale
from report.published import published_figures
from report.reproduction import TOLERANCES, Comparison, compared
from report.rows import groups
from tests.report.fixtures.build import (
    AUTOREGRESSION,
    FOLDER,
    Record,
    environment,
    forecast_quality,
    memory,
    not_run,
    phase,
    quality,
    record,
    score,
    timing,
    write,
)

SEED = Path(__file__).parents[3] / "shared" / "seed" / "2017-08-05_Model-Comparison.markdown"


def verdicts(root: Path, *records: Record) -> dict[tuple[str, str], Comparison]:
    """(model key, heading) -> comparison, for what these records hold."""
    loaded = load_results(write(root, list(records)))
    assert loaded.problems == ()
    (group,) = groups(loaded.results)
    return {(c.row.key, c.column): c for c in compared(group, published_figures())}


def said(comparison: Comparison) -> str:
    """The verdict and its reasons in English."""
    reasons = "".join(f"; {locale('en').plain(reason)}" for reason in comparison.reasons)
    return f"{comparison.verdict.value}{reasons}"


def lstm(loss: float, accuracy: float, **changes: Any) -> Record:
    """An LSTM with these one-step scores."""
    scores = [("recursive", 0.02, 0.1), ("one-step", loss, accuracy)]
    made = {"quality": forecast_quality("one-step", scores, epochs=30), "timing": timing(phase(0.01), phase(0.0064))}
    return record("lstm", "gpu", **{**made, **changes})


def test_every_published_figure_has_a_line() -> None:
    """31 figures on the published page, 31 comparisons, in its order."""
    (group,) = groups(load_results(FOLDER / "one").results)
    comparisons = list(compared(group, published_figures()))
    assert len(comparisons) == 31
    assert [c.published for c in comparisons[:4]] == ["0.0017", "0.9230", "0.01", "0.0064"]
    assert {c.row.key for c in comparisons} == {row.key for row in published_figures().rows}


@pytest.mark.parametrize(
    ("loss", "accuracy", "expected"),
    [
        (0.00185, 0.915, ("reproduced", "reproduced")),
        (0.00153, 0.932, ("reproduced", "reproduced")),
        (0.0012, 0.94, ("better", "better")),
        (0.0030, 0.86, ("worse", "worse")),
    ],
)
def test_scores_are_held_against_the_tolerances(
    tmp_path: Path, loss: float, accuracy: float, expected: tuple[str, str]
) -> None:
    """Within the tolerance a score is reproduced; beyond it less loss and more accuracy are better."""
    found = verdicts(tmp_path, lstm(loss, accuracy))
    assert (said(found["lstm", "Loss"]), said(found["lstm", "Accuracy"])) == expected
    assert dict(TOLERANCES) == {"loss": 0.10, "accuracy": 0.01, "memory": 0.20, "time": 0.10}


def test_a_figure_that_was_cut_instead_of_rounded_is_reproduced(tmp_path: Path) -> None:
    """0.597 was printed for 0.59794672, and 0.05 for 0.05613363."""
    polyfit = forecast_quality("recursive", [("recursive", 0.00875667, 0.59794672)])
    slips = score("as-published", 0.05613363, -0.18177911)
    found = verdicts(
        tmp_path,
        record("ar-polyfit", "cpu", quality=polyfit, timing=timing(phase(0.01), None)),
        record(
            "ar-ols",
            "cpu",
            quality=forecast_quality("recursive", AUTOREGRESSION, [slips]),
            timing=timing(phase(0.01), None),
        ),
    )
    assert [said(found["ar-polyfit", h]) for h in ("Loss", "Accuracy")] == ["reproduced", "reproduced"]
    assert [said(found["ar-ols", h]) for h in ("Loss", "Accuracy")] == ["reproduced", "reproduced"]
    assert found["ar-ols", "Loss"].ours == "0.05613363"


def test_the_protocol_of_the_published_figure_decides_what_is_compared(tmp_path: Path) -> None:
    """LSTM was published one step ahead: a page that shows its recursive score still compares the one-step one."""
    scores = [("recursive", 0.02, 0.1), ("one-step", 0.0017, 0.923)]
    found = verdicts(tmp_path, lstm(0, 0, quality=forecast_quality("recursive", scores, epochs=30)))
    assert said(found["lstm", "Loss"]) == "reproduced"


@pytest.mark.parametrize(
    ("train_s", "expected"), [(0.0105, "reproduced"), (0.004, "better"), (0.0151, "reproduced"), (0.03, "worse")]
)
def test_times_on_the_published_hardware_are_judged(tmp_path: Path, train_s: float, expected: str) -> None:
    """On a GTX 1080, faster is better."""
    found = verdicts(tmp_path, lstm(0.0017, 0.923, timing=timing(phase(train_s), phase(0.0064))))
    assert said(found["lstm", "GPU(T)"]) == expected
    assert found["lstm", "GPU(T)"].ratio == pytest.approx(train_s / 0.01)


@pytest.mark.parametrize(
    ("gpu", "expected"),
    [
        ("NVIDIA H100", "not-comparable; Other hardware: NVIDIA H100."),
        ("NVIDIA GeForce GTX 1080 Ti", "not-comparable; Other hardware: NVIDIA GeForce GTX 1080 Ti."),
        (None, "not-comparable; The record does not say which GPU it was."),
    ],
)
def test_times_on_other_hardware_are_not_comparable(tmp_path: Path, gpu: str | None, expected: str) -> None:
    """Value and ratio are shown all the same; the verdict names the hardware."""
    found = verdicts(tmp_path, lstm(0.0017, 0.923, environment=environment("i7-6700K", gpu)))
    assert said(found["lstm", "GPU(T)"]) == expected
    assert found["lstm", "GPU(T)"].ratio == pytest.approx(1.0)


def test_another_batch_size_is_not_comparable(tmp_path: Path) -> None:
    """Seconds a batch of 64 say nothing of seconds a batch of 32."""
    found = verdicts(tmp_path, lstm(0.0017, 0.923, timing=timing(phase(0.01, batch_size=64), None)))
    assert said(found["lstm", "GPU(T)"]) == "not-comparable; A batch of 64 here, 32 there."
    assert said(found["lstm", "GPU(P)"]) == "not-measured; Not timed: the record holds no time for this."


@pytest.mark.parametrize(
    ("batch_size", "expected"), [(16, "reproduced"), (32, "not-comparable; A batch of 32 here, 16 there.")]
)
def test_the_later_densenet_was_run_with_batches_of_16(tmp_path: Path, batch_size: int, expected: str) -> None:
    """Its times and its memory are held against batches of 16, though the page says 32."""
    images = quality("held-out", [score("held-out", None, 0.826)], accuracy_metric="top-1", epochs=1)
    made = record(
        "densenet-32-24-32",
        "gpu",
        quality=images,
        timing=timing(phase(0.22, batch_size=batch_size), None),
        memory=memory(5_833_000_000),
    )
    found = verdicts(tmp_path, made)
    assert said(found["densenet-32-24-32", "GPU(T)"]) == expected
    assert said(found["densenet-32-24-32", "Memory"]) == expected


def test_memory_near_the_published_is_reproduced_and_else_not_comparable(tmp_path: Path) -> None:
    """The page does not say what it counted, so that a difference proves nothing."""
    images = quality("held-out", [score("held-out", None, 0.886)], accuracy_metric="top-1", epochs=1)
    near, far = (
        record("densenet-24x3", "gpu", quality=images, timing=timing(phase(0.337), None), memory=memory(used))
        for used in (5_402_000_000, 2_000_000_000)
    )
    assert said(verdicts(tmp_path / "a", near)["densenet-24x3", "Memory"]) == "reproduced"
    assert said(verdicts(tmp_path / "b", far)["densenet-24x3", "Memory"]) == (
        "not-comparable; The page does not say what it counted: memory allocated, reserved, or used on the whole card."
    )


def test_published_figures_in_doubt_are_never_judged() -> None:
    """Unknown protocol, more memory than the card has, a prediction slower than training."""
    (group,) = groups(load_results(FOLDER / "one").results)
    found = {(c.row.key, c.column): c for c in compared(group, published_figures())}
    assert said(found["bilstm", "Accuracy"]) == ("not-comparable; How the published figure was scored is not known.")
    assert said(found["bilstm", "Memory"]) == (
        "not-comparable; The published figure is more than its card has "
        "(see “What cannot be right in the published table”)."
    )
    doubts = {(r.key, f.column): f.doubt for r in published_figures().rows for f in r.figures if f.doubt}
    assert doubts == {
        ("lstm-aug", "loss"): "other-test-set",
        ("lstm-aug", "accuracy"): "other-test-set",
        ("bilstm", "loss"): "protocol-unknown",
        ("bilstm", "accuracy"): "protocol-unknown",
        ("bilstm", "memory"): "memory-beyond-card",
        ("densenet-32-24-32", "gpu_predict"): "predict-beyond-train",
    }


def test_a_smoke_run_reproduces_only_what_is_exact(tmp_path: Path) -> None:
    """Closed forms are the same in any profile; nothing else of a smoke run is judged."""
    classical = record(
        "ar",
        "cpu",
        profile="smoke",
        quality=forecast_quality("recursive", AUTOREGRESSION),
        timing=timing(phase(0.01), None),
    )
    found = verdicts(tmp_path, classical, lstm(0.0017, 0.923, profile="smoke"))
    assert said(found["ar", "Loss"]) == "reproduced"
    assert said(found["lstm", "Loss"]) == "not-comparable; A smoke run only proves the plumbing."
    assert said(found["lstm", "GPU(T)"]) == "not-comparable; A smoke run only proves the plumbing."


def test_what_was_not_measured_says_why(tmp_path: Path) -> None:
    """A missing model, a failed device and a synthetic score are not measured, each with its reason."""
    found = verdicts(tmp_path, not_run("lstm", "gpu", "failed", "it broke"))
    assert said(found["lstm", "GPU(T)"]) == "not-measured; failed: it broke"
    assert said(found["ar", "Loss"]) == "not-measured; There is no result for this model."


def test_the_published_figures_are_those_of_the_published_page() -> None:
    """Each figure in our file stands in the page its author published."""
    if not SEED.exists():
        pytest.skip(f"the published page is not on this machine ({SEED})")
    table = SEED.read_text(encoding="utf-8").partition("## Models")[2].splitlines()[4:12]
    keys = ["loss", "accuracy", "memory", "cpu_train", "cpu_predict", "gpu_train", "gpu_predict"]
    units = {"MB": "MB", "s/epoch": "s/epc", "s/test-set": "s/(t)"}
    for line, row in zip(table, published_figures().rows, strict=True):
        printed = dict(zip(keys, (part.strip() for part in line.split("|")[5:12]), strict=False))
        ours = {figure.column: figure.text + units.get(figure.unit, "") for figure in row.figures}
        assert {key: text for key, text in printed.items() if text} == ours
