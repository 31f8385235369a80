"""Sentences that wait for a language: a key and its values now, words when the page is rendered."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from report import escape
from report.escape import Safe

LOCALES = ("ko", "en")

_FOLDER = Path(__file__).parent / "locale"


@dataclass(frozen=True, slots=True)
class Message:
    """``key`` names a sentence in ``locale/*.toml``; ``values`` fill it: numbers, untrusted texts, or messages."""

    key: str
    values: tuple[tuple[str, str | int | float | Message], ...] = ()


class Spoken(str):
    """A runner's own English sentence: as untrusted as any, and translated where a language has it among [[spoken]].

    What the runner filled in may be such a sentence in its turn.
    """

    __slots__ = ()


Text = str | Message
"""What a cell or a note says. A plain string is untrusted and will be escaped, unless it is Safe."""


def message(key: str, **values: str | int | float | Message) -> Message:
    """The sentence ``key``, filled with ``values``."""
    return Message(key, tuple(values.items()))


@dataclass(frozen=True, slots=True)
class Locale:
    """The sentences of one language. They are our own Markdown; only what fills them is escaped."""

    name: str
    sentences: Mapping[str, str]
    spoken: tuple[tuple[re.Pattern[str], str], ...] = ()

    def markdown(self, text: Text | int | float) -> Safe:
        """``text`` in this language, for the page. Raises KeyError for a key that the language lacks."""
        if isinstance(text, Message):
            filled = {name: self.markdown(value) for name, value in text.values}
            return Safe(self.sentences[text.key].format_map(filled))
        return escape.text(self._translated(text))

    def plain(self, text: Text | int | float) -> str:
        """``text`` in this language, for a terminal."""
        if isinstance(text, Message):
            return self.sentences[text.key].format_map({name: self.plain(value) for name, value in text.values})
        return escape.terminal(self._translated(text))

    def _translated(self, text: str | int | float) -> str | int | float:
        if isinstance(text, Spoken):
            for pattern, sentence in self.spoken:
                if found := pattern.fullmatch(text):
                    return sentence.format(*(self._translated(Spoken(part)) for part in found.groups()))
        return text


@cache
def locale(name: str) -> Locale:
    """The language ``name``, one of LOCALES."""
    tables = tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    spoken = tuple((_pattern(pair["runner"]), pair[name]) for pair in tables.pop("spoken", ()))
    return Locale(name, MappingProxyType(dict(_flat(tables, ""))), spoken)


def _pattern(template: str) -> re.Pattern[str]:
    """What a runner makes of a sentence with ``{}`` in it."""
    return re.compile("(.{0,1000}?)".join(map(re.escape, template.split("{}"))), re.DOTALL)


def _flat(table: Mapping[str, object], prefix: str) -> list[tuple[str, str]]:
    """Nested tables as dotted keys: ``[note] smoke = "…"`` is ``note.smoke``."""
    pairs: list[tuple[str, str]] = []
    for name, value in table.items():
        if isinstance(value, Mapping):
            pairs += _flat(value, f"{prefix}{name}.")
        else:
            pairs.append((prefix + name, str(value).strip()))
    return pairs
