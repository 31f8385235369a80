"""A TOML file against the keys that it may have: the values, and every mistake by name and line."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

Place = tuple[str | int, ...]  # ("node", 0, "type")
Check = Callable[[Any], Iterable[str]]  # returns what is wrong with a value

KINDS = {str: "a string", int: "a whole number", bool: "true or false", list: "a list of strings", dict: "a table"}
_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"""\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*=""")


@dataclass(frozen=True)
class Key:
    """What a key may hold. With ``object`` as kind, only ``check`` decides."""

    kind: type = str
    default: Any = ""
    check: Check = lambda _: ()
    required: bool = False

    def problems(self, value: Any) -> Iterable[str]:
        """Return what is wrong with a value."""
        if self.kind is not object and type(value) is not self.kind:
            return [f"is not {KINDS[self.kind]}"]
        parts = [value] if self.kind is str else value if self.kind is list else []
        if not all(isinstance(part, str) for part in parts):
            return [f"is not {KINDS[self.kind]}"]
        if any("\0" in part for part in parts):
            return ["holds a NUL character"]
        return self.check(value)


def key(kind: type = str, default: Any = "", check: Check = lambda _: (), required: bool = False) -> Any:
    """Return a dataclass's field that is read from the file."""
    return field(metadata={"key": Key(kind, default, check, required)})


def like(pattern: str, problem: str) -> Check:
    """Return the check for text of a form."""
    return lambda text: () if re.fullmatch(pattern, text) else (f"'{text}' {problem}",)


def one_of(*choices: str) -> Check:
    """Return the check for a choice."""
    return lambda value: () if value in choices else (f"'{value}' is not one of: {', '.join(choices)}",)


def some_of(*choices: str) -> Check:
    """Return the check for a list with at least one of the choices."""
    return lambda values: [found for one in values for found in one_of(*choices)(one)] if values else ["is empty"]


def between(least: int, most: int) -> Check:
    """Return the check for a number."""
    return lambda value: () if least <= value <= most else (f"{value} is not between {least} and {most}",)


def texts(*keys: str) -> Check:
    """Return the check for a table of strings or whole numbers, with any keys if none are given."""

    def check(value: dict[str, Any]) -> Iterable[str]:
        for name, text in value.items():
            if keys and name not in keys:
                yield f"unknown key '{name}'; known keys: {', '.join(keys)}"
            if type(text) not in (str, int):
                yield f"'{name}' is not a string"

    return check


class Reader:
    """A parsed file, and what is wrong with it."""

    def __init__(self, path: Path, text: str) -> None:
        """Parse. Raises TOMLDecodeError."""
        self.path, self.content, self._lines = path, tomllib.loads(text), lines_of(text)
        self.problems: list[tuple[int, str]] = []

    def line(self, *place: str | int) -> int:
        """Return the line of a key, or of the closest table around it."""
        while place and place not in self._lines:
            place = place[:-1]
        return self._lines.get(place, 1)

    def wrong(self, place: Place, problem: str) -> None:
        """Remember a problem at a place."""
        line = self.line(*place)
        self.problems.append((line, f"{self.path}:{line}: {problem}"))

    def table(self, content: Mapping[str, Any], place: Place, title: str, described: type) -> dict[str, Any]:
        """Return the values of the fields that a dataclass reads from the file."""
        keys = {one.name: one.metadata["key"] for one in fields(described) if "key" in one.metadata}
        return self.values(content, place, title, keys)

    def values(self, content: Mapping[str, Any], place: Place, title: str, keys: Mapping[str, Key]) -> dict[str, Any]:
        """Return a table's values; one that is missing or wrong is its default."""
        found = {}
        for name, rule in keys.items():
            problems = ["is missing"] if rule.required else []
            if name in content:
                problems = list(rule.problems(content[name]))
            for problem in problems:
                self.wrong((*place, name), f"{title} {name}: {problem}".lstrip())
            value = rule.default if problems else content.get(name, rule.default)
            found[name] = tuple(value) if rule.kind is list else value
        for name in content:
            if name not in keys:
                near = difflib.get_close_matches(name, keys, 1)
                hint = f"did you mean '{near[0]}'?" if near else f"known keys: {', '.join(sorted(keys))}"
                self.wrong((*place, name), f"{title} {name}: unknown key; {hint}".lstrip())
        return found


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
        elif assigned := _KEY.match(line):
            parts = (*where, *_parts(assigned[1]))
            for length in range(len(where) + 1, len(parts) + 1):
                found.setdefault(parts[:length], number)
    return found


def _parts(dotted: str) -> Place:
    return tuple(part.strip().strip("\"'") for part in re.findall(r"\"[^\"]*\"|'[^']*'|[^.\s]+", dotted))
