"""The figures published on 2017-08-05, and what is known of each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from report.escape import Safe
from report.load import Device

_FILE = Path(__file__).parent / "published" / "2017-08-05.json"

DEVICE_OF_COLUMN: Mapping[str, Device] = MappingProxyType(
    {"memory": "gpu", "cpu_train": "cpu", "cpu_predict": "cpu", "gpu_train": "gpu", "gpu_predict": "gpu"}
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One published figure."""

    column: str  # a key of report.columns.COLUMNS
    text: Safe  # as printed
    value: float
    unit: Literal["mse", "r2", "top-1", "MB", "s/batch", "s/epoch", "s/test-set"]
    protocol: str | None  # how a score was made; None where that is unknown or means nothing
    doubt: str | None  # why nothing can be held against it, a key of [doubt] in locale/*.toml

    @property
    def least(self) -> float:
        """The least value that prints as this figure when rounded or cut: figures were made in both ways."""
        return self.value - (self._last_digit / 2 if self.value >= 0 else self._last_digit)

    @property
    def most(self) -> float:
        """The greatest value that prints as this figure when rounded or cut."""
        return self.value + (self._last_digit if self.value >= 0 else self._last_digit / 2)

    @property
    def _last_digit(self) -> float:
        _, _, decimals = self.text.partition(".")
        return float(10 ** -len(decimals))


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """One row of the published table, its empty cells left out."""

    key: str
    title: str
    params: str
    library: str
    dataset: str
    batch_size: int  # of the run behind the figures, whatever the page says
    figures: tuple[Figure, ...]
    known: Mapping[str, str]  # locale -> our own words

    def figure(self, column: str) -> Figure | None:
        """The figure in ``column``; None where the cell was left empty."""
        return next((figure for figure in self.figures if figure.column == column), None)


@dataclass(frozen=True, slots=True)
class Published:
    """The published page's figures."""

    system: Mapping[str, str]
    gpu_memory_bytes: int
    rows: tuple[PublishedRow, ...]

    def row(self, key: str) -> PublishedRow | None:
        """The row of a model; None for a model that was not on the page."""
        return next((row for row in self.rows if row.key == key), None)

    def seconds_a_batch(self) -> dict[tuple[str, Device, Literal["train", "predict"]], float]:
        """(model key, device, phase) -> seconds, of those figures that are seconds a batch."""
        return {
            (row.key, DEVICE_OF_COLUMN[figure.column], "train" if figure.column.endswith("train") else "predict"): (
                figure.value
            )
            for row in self.rows
            for figure in row.figures
            if figure.unit == "s/batch"
        }


@cache
def published_figures() -> Published:
    """The figures, from the file beside this module."""
    record = json.loads(_FILE.read_text(encoding="utf-8"))
    system = dict(record["system"])
    gpu_memory_bytes = system.pop("gpu_memory_bytes")
    rows = tuple(
        PublishedRow(
            **{
                **row,
                "figures": tuple(Figure(**{**figure, "text": Safe(figure["text"])}) for figure in row["figures"]),
                "known": MappingProxyType(row["known"]),
            }
        )
        for row in record["rows"]
    )
    return Published(MappingProxyType(system), gpu_memory_bytes, rows)
