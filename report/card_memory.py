"""GPU memory as it was counted three ways: what the framework used, what it held, and what the whole card held."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from report.load import Result


@dataclass(frozen=True, slots=True)
class CardMemory:
    """Bytes of one result; None where nobody counted."""

    result: Result
    allocated: int | None
    reserved: int | None
    before: int | None
    after: int | None
    total: int | None
    whole_process: bool  # whether the first two are peaks not of the timed steps but since the process began


def card_memory(results: Iterable[Result]) -> Iterator[CardMemory]:
    """Of each result on a GPU with any figure. A peak, or a card, of no bytes at all was not counted."""
    for result in results:
        memory = result.memory
        if memory is None or result.device != "gpu":
            continue
        counted = CardMemory(
            result,
            memory.peak_allocated_bytes or None,
            memory.peak_reserved_bytes or None,
            memory.device_before_bytes,
            memory.device_after_bytes,
            memory.device_total_bytes or None,
            (result.kernel_path or {}).get("peak_memory") == "of the whole process",
        )
        if (counted.allocated, counted.reserved, counted.before, counted.after) != (None,) * 4:
            yield counted
