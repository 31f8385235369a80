"""What cannot be right in the published table, and what measuring adds to it."""

from pathlib import Path

import pytest

from report.page import published
from report.page.audit import MEASURED, audit
from report.render.locale import locale
from tests.report.benches import AUTOREGRESSION, forecast, page_of, row
from tests.report.building import Json


def said(root: Path, *records: Json) -> list[list[str]]:
    """Each claim with its evidence in English."""
    plain = locale("en").plain
    return [[plain(item.claim), *map(plain, item.evidence)] for item in page_of(root, *records).audit]


def alone() -> list[list[str]]:
    """The audit of the published figures without any measurement."""
    plain = locale("en").plain
    return [[plain(item.claim), *map(plain, item.evidence)] for item in audit(())]


def test_their_evidence_follows_from_the_published_figures() -> None:
    """The sentences quote ratios and variances; here they are computed."""
    value = {(known.key, f.column): f.value for known in published.ROWS for f in known.figures}
    text = "\n".join(line for item in alone() for line in item)
    memory = value["bilstm", "memory"] * 1e6 / 2**33
    predict = value["densenet-32-24-32", "gpu_predict"] / value["densenet-32-24-32", "gpu_train"]
    other = value["densenet-24x3", "gpu_predict"] / value["densenet-24x3", "gpu_train"]
    rate = value["densenet-24x3", "cpu_train"] / value["densenet-24x3", "gpu_train"]
    for quoted in (f"{memory:.2f} times", f"{predict:.2f} times", f"ratio is {other:.3f}", f"{rate:.0f} times slower"):
        assert quoted in text
    assert f"a loss of {0.0076948 * (1 - value['bilstm', 'accuracy']):.6f}" in text
    for key, low, high in (("ar-ols", 0.038, 0.051), ("lstm-aug", 0.028, 0.029), ("ar", 0.0200, 0.0230)):
        loss, accuracy = (f.bounds for known in published.ROWS if known.key == key for f in known.figures[:2])
        assert loss[0] / (1 - accuracy[0]) == pytest.approx(low, abs=6e-4)
        assert loss[1] / (1 - accuracy[1]) == pytest.approx(high, abs=6e-4)


def test_a_ratio_names_the_device_it_was_measured_on(tmp_path: Path) -> None:
    """The published figure's device first; of several machines the range."""
    rows = [
        row("densenet-32-24-32", device, 1.0, predict, machine=machine)
        for machine, device, predict in (("a", "cpu", 0.2), ("a", "gpu", 0.35), ("b", "gpu", 0.4))
    ]
    assert said(tmp_path, *rows)[5][2:] == [
        "Measured here on the GPU, the ratio is between 0.350 and 0.400.",
        "Measured here on the CPU, the ratio is 0.200.",
    ]


def test_smoke_runs_add_nothing(tmp_path: Path) -> None:
    """Figures of a smoke run are no evidence."""
    assert said(tmp_path, row("ar", profile="smoke", quality=forecast("recursive", AUTOREGRESSION))) == alone()


def test_every_finding_names_functions_that_there_are() -> None:
    """And every function is used; none raises where nothing was measured."""
    assert {name for finding in published.FINDINGS for name in finding.measured} == set(MEASURED)
    assert [list(measured([])) for measured in MEASURED.values()] == [[]] * len(MEASURED)
