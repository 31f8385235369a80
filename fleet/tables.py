"""Values of a TOML file, each checked where it is read, with the line for the message."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Place = tuple[str | int, ...]  # ("node", 0, "type")

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"""\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*=""")


def lines_of(text: str) -> dict[Place, int]:
    """Return the line number of every table and key. Keys inside inline tables have their own key's line."""
    found: dict[Place, int] = {}
    counts: dict[Place, int] = {}
    where: Place = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            where = _parts(header[2])
            if header[1] == "[[":
                counts[where] = counts.get(where, -1) + 1
                where = (*where, counts[where])
            elif where[:1] in counts and len(where) > 1:  # [node.expect] belongs to the last [[node]]
                where = (where[0], counts[where[:1]], *where[1:])
            found.setdefault(where, number)
        elif key := _KEY.match(line):
            parts = (*where, *_parts(key[1]))
            for length in range(len(where) + 1, len(parts) + 1):
                found.setdefault(parts[:length], number)
    return found


def _parts(dotted: str) -> Place:
    return tuple(part.strip().strip("\"'") for part in re.findall(r"\"[^\"]*\"|'[^']*'|[^.\s]+", dotted))


class Reader:
    """One table: returns checked values, and gathers what is wrong in a list that all tables of a file share."""

    def __init__(self, path: Path, content: Mapping[str, Any], lines: Mapping[Place, int], place: Place) -> None:
        self.path, self.content, self.lines, self.place = path, content, lines, place
        self.problems: list[tuple[int, str]] = []
        self.title = f"[{'.'.join(str(part) for part in place)}]" if place else ""
        self._read: set[str] = set()

    def line(self, *keys: str | int) -> int:
        """Return the line of a key, or of the closest table around it."""
        place: Place = (*self.place, *keys)
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def wrong_at(self, line: int, problem: str) -> None:
        """Remember a problem at a line."""
        self.problems.append((line, f"{self.path}:{line}: {problem}"))

    def wrong(self, key: str, problem: str) -> None:
        """Remember a problem with a key of this table."""
        self.wrong_at(self.line(key), f"{self.title} {key}: {problem}".lstrip())

    def close(self) -> None:
        """Remember every key that nobody asked for."""
        for key in self.content:
            if key not in self._read:
                near = difflib.get_close_matches(key, sorted(self._read), 1)
                cure = f"did you mean '{near[0]}'?" if near else f"known keys: {', '.join(sorted(self._read))}"
                self.wrong(key, f"unknown key; {cure}")

    def table(self, key: str, required: bool = False) -> Reader:
        """Return a table of this one, empty if it is missing."""
        found = self._take(key, dict, "a table", {}, required)
        return self._child(found, (key,), f"[{key}]")

    def tables(self, key: str) -> list[Reader]:
        """Return an array of tables."""
        found = self._take(key, list, f"a list of tables; write [[{key}]]", [], False)
        if not all(isinstance(one, dict) for one in found):
            self.wrong(key, f"is not a list of tables; write [[{key}]]")
            return []
        return [self._child(one, (key, index), f"[[{key}]]") for index, one in enumerate(found)]

    def text(self, key: str, default: str = "", required: bool = False) -> str:
        """Return a string without NUL."""
        found: str = self._take(key, str, "a string", default, required)
        if "\0" in found:
            self.wrong(key, "holds a NUL character")
        return found

    def choice(self, key: str, choices: Iterable[str], default: str = "", required: bool = False) -> str:
        """Return a string that is one of the choices."""
        found = self.text(key, default, required)
        if key in self.content and found not in choices:
            self.wrong(key, f"'{found}' is not one of: {', '.join(choices)}")
        return found

    def flag(self, key: str, default: bool) -> bool:
        """Return true or false."""
        found: bool = self._take(key, bool, "true or false", default, False)
        return found

    def whole(self, key: str, default: int, least: int, most: int) -> int:
        """Return an integer within bounds."""
        found: int = self._take(key, int, "a whole number", default, False)
        if key in self.content and not least <= found <= most:
            self.wrong(key, f"{found} is not between {least} and {most}")
        return found

    def strings(
        self, key: str, default: tuple[str, ...], choices: Iterable[str] | None = None, required: bool = False
    ) -> tuple[str, ...]:
        """Return a list of strings without repetition, each one of the choices if there are any."""
        found = self._take(key, list, "a list of strings", list(default), required)
        if not all(isinstance(one, str) for one in found):
            self.wrong(key, "is not a list of strings")
            return default
        if key in self.content and not found and (choices is not None or required):
            self.wrong(key, "is empty")
        for one in found:
            if choices is not None and one not in choices:
                self.wrong(key, f"'{one}' is not one of: {', '.join(choices)}")
        return tuple(dict.fromkeys(found))

    def mapping(self, key: str, keys: Iterable[str] | None = None) -> dict[str, str]:
        """Return a table of strings; numbers are taken as written."""
        found = self._take(key, dict, "a table of strings", {}, False)
        for name, value in found.items():
            if keys is not None and name not in keys:
                self.wrong(key, f"unknown key '{name}'; known keys: {', '.join(keys)}")
            if isinstance(value, bool) or not isinstance(value, (str, int)):
                self.wrong(key, f"'{name}' is not a string")
        return {name: str(value) for name, value in found.items()}

    def nodes(self, key: str) -> str | tuple[str, ...]:
        """Return "any", "each", or a list of node names."""
        if not isinstance(self.content.get(key), list):
            return self.choice(key, ("any", "each"), "any")
        names = self.strings(key, (), None, True)
        for name in names:
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}", name):
                self.wrong(key, f"'{name}' is not a node's name")
        return names

    def _take(self, key: str, kind: type, kind_name: str, default: Any, required: bool) -> Any:
        self._read.add(key)
        if key not in self.content:
            if required:
                self.wrong(key, "is missing")
            return default
        found = self.content[key]
        if not isinstance(found, kind) or (kind is int and isinstance(found, bool)):
            self.wrong(key, f"is not {kind_name}")
            return default
        return found

    def _child(self, content: Mapping[str, Any], place: Place, title: str) -> Reader:
        child = Reader(self.path, content, self.lines, (*self.place, *place))
        child.problems, child.title = self.problems, title
        return child
