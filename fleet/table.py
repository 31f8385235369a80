"""The fleet on the terminal: a table of types against frameworks, what needs attention, and when it ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fleet.clock import clock
from fleet.files import printable
from fleet.results.missing import ENDED_BADLY
from fleet.status import KINDS, CellStatus, estimate


def render(statuses: Sequence[CellStatus], title: str, log_command: str) -> str:
    """Return the whole text of `make fleet-status`."""
    parts = [title, _table(statuses), _totals(statuses)]
    details = [_detail(one) for one in statuses if one.kind in ENDED_BADLY or one.stuck]
    if details:
        parts.append("\n".join(details))
    if any(one.attempt for one in statuses):
        parts.append(f"a cell's log: {log_command}")
    return "\n\n".join(parts)


def _table(statuses: Sequence[CellStatus]) -> str:
    stacks = len({one.cell.stack for one in statuses}) > 1
    columns = list(dict.fromkeys(one.cell.column for one in statuses))
    heads = ["TYPE", *(["STACK"] if stacks else []), *columns]
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    for one in statuses:
        key = (one.cell.machine, one.cell.stack) if stacks else (one.cell.machine,)
        rows.setdefault(key, {})[one.cell.column] = _words(one)
    lines = [heads, *([*key, *(cells.get(column, "-") for column in columns)] for key, cells in rows.items())]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    padded = [[text.ljust(width) for text, width in zip(line, widths, strict=True)] for line in lines]
    return "\n".join("  ".join(line).rstrip() for line in padded)


def _words(one: CellStatus) -> str:
    text = one.kind
    if one.kind == "queued" and one.reason:
        text += f" ({one.reason})"
    if one.kind == "running":
        text += f" {one.node} {clock(one.seconds)}"
    if one.restart and one.kind in ("queued", "running"):
        text += f", attempt {one.restart}"
    return printable(text)


def _totals(statuses: Sequence[CellStatus]) -> str:
    counts = Counter(one.kind for one in statuses)
    text = f"{len(statuses)} cells: " + ", ".join(f"{counts[kind]} {kind}" for kind in KINDS if counts[kind])
    left = estimate(statuses)
    if left is None:
        return text
    seconds, bound = left
    return f"{text}\nends in {'at most ' if bound else 'about '}{clock(seconds)}"


def _detail(one: CellStatus) -> str:
    text = f"{one.cell.id}: {one.kind}"
    if one.stuck:
        text += " and will not start as it is"
    if one.node:
        text += f" on {one.node}"
    return printable(f"{text}: {one.reason}" if one.reason else text)
