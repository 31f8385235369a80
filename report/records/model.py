"""A row's model, and the proof that it is the same net as in other frameworks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta

from report.records.common import Line, Name, Number, Positive, Reason, Record, Sha256, Values, Whole


class TunedModel(Record, frozen=True):
    """One row of the page: what is known of it before a run."""

    key: Name
    title: Line
    params: Line
    library: Line
    dataset: Name
    order: Annotated[Positive, Meta(description="place of the row on the page")]


class Model(TunedModel, frozen=True):
    """What was measured: one row of the page."""

    parameters: Annotated[Whole, Meta(description="trainable parameters")] | None
    details: Values | None
    twin_of: Annotated[Name, Meta(description="the published row whose net this is in another framework")] | None = None


class Precision(Record, frozen=True):
    """How far a net computes from the reference in one precision; a difference of null is not a number."""

    precision: Line
    differences: Annotated[Mapping[Line, Number | None], Meta(description="largest relative difference by quantity")]
    tolerances: Mapping[Line, Number]


class Sameness(Record, frozen=True):
    """The proof that a row computes the described net, or why it does not."""

    net: Name
    description_sha256: Sha256 | None
    reference: Line | None
    precisions: tuple[Precision, ...]
    same: bool
    reason: Annotated[Reason, Meta(description="never null unless the net is the same")] | None

    def __post_init__(self) -> None:
        """Check that the verdict has its reason. Raises ValueError, which msgspec reports with the place."""
        if not self.same and self.reason is None:
            raise ValueError("reason: null, although the net is not the same")
