"""Lays out Markdown as one would write it by hand: aligned tables, short lines, single blank lines."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

LINE_WIDTH = 110
WIDEST_COLUMN = 60
"""A longer cell exceeds its column instead of widening every row."""

_ITEM = re.compile(r"(\s*)((?:[*-]|\[\^[\w-]+\]:) )?")
_BREAKABLE = re.compile(r"(?!(?:[-+*]|#+|-+|=+|\d+[.)])\Z|[>|:%]).", re.DOTALL)
"""What a line may begin with and still be a part of its paragraph."""
_KEPT = ("|", "<")


def tidy(markdown: str) -> str:
    """Return the same Markdown with aligned tables and wrapped lines; the front matter stays as it is."""
    front, body = _parted(markdown)
    return front + "\n".join(_lines(body.splitlines())).strip("\n") + "\n"


def width(text: str) -> int:
    """Return how many columns a terminal gives to ``text``."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)


def padded(text: str, columns: int, right: bool = False) -> str:
    """Return ``text`` with blanks up to a width."""
    blanks = " " * max(0, columns - width(text))
    return blanks + text if right else text + blanks


def aligned(rows: Sequence[Sequence[str]], right: Sequence[bool]) -> list[list[str]]:
    """Return the cells of a table, each as wide as its column."""
    widths = [min(WIDEST_COLUMN, max(map(width, column))) for column in zip(*rows, strict=True)]
    return [
        [padded(cell, columns, to_right) for cell, columns, to_right in zip(row, widths, right, strict=True)]
        for row in rows
    ]


def _parted(markdown: str) -> tuple[str, str]:
    if not markdown.startswith("---\n"):
        return "", markdown
    end = markdown.index("\n---\n", 4) + len("\n---\n")
    return f"{markdown[:end]}\n", markdown[end:]


def _lines(lines: Sequence[str]) -> Iterator[str]:
    place, blank = 0, True
    while place < len(lines):
        line = lines[place].rstrip()
        if line.startswith("|"):
            end = place
            while end < len(lines) and lines[end].startswith("|"):
                end += 1
            yield from _table(lines[place:end])
            place, blank = end, False
            continue
        if line or not blank:
            yield from wrapped(line)
        blank = not line
        place += 1


def _table(lines: Sequence[str]) -> Iterator[str]:
    cells = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    head, marks, *rows = cells
    right = [mark.endswith(":") for mark in marks]
    shown = aligned([head, *rows], right)
    yield _row(shown[0])
    rule = (f"{'-' * (width(cell) + 1)}:" if to_right else f":{'-' * (width(cell) + 1)}"
            for cell, to_right in zip(shown[0], right, strict=True))  # fmt: skip
    yield f"|{'|'.join(rule)}|"
    yield from map(_row, shown[1:])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def wrapped(line: str, most: int = LINE_WIDTH) -> Iterator[str]:
    """Yield a long line in several, indented so that they stay one paragraph or list item."""
    if width(line) <= most or line.startswith(_KEPT):
        yield line
        return
    found = _ITEM.match(line)
    assert found is not None, "every line matches, if only with nothing"
    indent = found[1] + ("    " if (found[2] or "").startswith("[") else " " * len(found[2] or ""))
    rest = line[found.end() :].split(" ")
    current = line[: found.end()] + rest[0]
    columns = width(current)
    for word in rest[1:]:
        added = width(word) + 1
        if columns + added > most and _BREAKABLE.match(word):
            yield current
            current, columns = indent + word, len(indent) + added - 1
        else:
            current, columns = f"{current} {word}", columns + added
    yield current
