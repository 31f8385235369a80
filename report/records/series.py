"""Long lists of numbers of a record, of which ``load_results`` keeps only the count."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NoReturn


class Counted(Sequence[Any]):
    """A series whose numbers were checked and then dropped: 10,000 results have 50 million of them.

    It has a length. Asking for its numbers raises LookupError: ``complete(result)`` reads them again.
    """

    __slots__ = ("_count",)

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __reduce__(self) -> tuple[Any, ...]:
        return counted, (self._count,)  # one object in every process

    def __getitem__(self, index: Any) -> NoReturn:
        raise LookupError("the numbers were not kept; report.records.complete(result) reads them again")


@cache
def counted(count: int) -> Counted:
    """Return a series of this length: one object for all that are as long."""
    return Counted(count)
