"""The figures published on 2017-08-05, what is known of each, and what cannot be right about them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from report.records import Device, PhaseName

DEVICE_OF_COLUMN: Mapping[str, Device] = {
    "memory": "gpu",
    "cpu_train": "cpu",
    "cpu_predict": "cpu",
    "gpu_train": "gpu",
    "gpu_predict": "gpu",
}
HARDWARE: Mapping[Device, str] = {"cpu": r"6700K", "gpu": r"GTX 1080\b(?! Ti)"}
"""How the published processor and card are recognized: an Intel i7-6700K and an NVIDIA GTX 1080 of 8 GB."""


class Figure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One published figure."""

    column: Literal["loss", "accuracy", "memory", "cpu_train", "cpu_predict", "gpu_train", "gpu_predict"]
    text: str  # as printed, without its unit
    unit: Literal["mse", "r2", "top-1", "MB", "s/batch", "s/epoch", "s/test-set"] = "s/batch"
    protocol: str | None = None  # how a score was made; None where that is unknown or means nothing
    doubt: str | None = None  # why nothing can be compared with it, a key of report.page.reproduction.DOUBTS

    @property
    def value(self) -> float:
        """The figure as a number."""
        return float(self.text)

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the greatest value that print as this figure when rounded or cut: both ways were used."""
        digit = 10.0 ** -len(self.text.partition(".")[2])
        below, above = (digit / 2, digit) if self.value >= 0 else (digit, digit / 2)
        return self.value - below, self.value + above

    @property
    def phase(self) -> PhaseName:
        """Of a time: of training or of prediction."""
        return "predict" if self.column.endswith("predict") else "train"


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of the published table, its empty cells left out."""

    key: str
    title: str
    params: str
    known: str  # what is known of its figures
    figures: tuple[Figure, ...]
    batch_size: int = 32  # of the run behind the figures, whatever the page says

    @property
    def name(self) -> str:
        """The title; of the two DenseNets with the size."""
        return f"{self.title} ({self.params})" if self.title == "DenseNet" else self.title


class Finding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A claim about the published figures, the evidence in these alone, and what adds evidence measured here."""

    claim: str
    evidence: tuple[str, ...]
    measured: tuple[str, ...] = ()  # functions of report.page.audit


class _Published(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]


_published = msgspec.toml.decode(Path(__file__).with_suffix(".toml").read_bytes(), type=_Published)
ROWS, FINDINGS = _published.rows, _published.findings


def published_row(key: str) -> Row | None:
    """Return the published row of a model; None for a model that was not on the page."""
    return next((row for row in ROWS if row.key == key), None)


def seconds_per_batch() -> dict[tuple[str, Device, PhaseName], tuple[float, int]]:
    """Return (row, device, phase) -> seconds and batch size, of those figures that are seconds per batch."""
    return {
        (row.key, DEVICE_OF_COLUMN[figure.column], figure.phase): (figure.value, row.batch_size)
        for row in ROWS
        for figure in row.figures
        if figure.unit == "s/batch"
    }
