"""Languages: English sentences of the source, their translations from ``locale/*.po``, and texts in one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from report.render import escape, numbers
from report.text import Joined, Message, Number, Safe, Text

LOCALES = ("ko", "en")
FOLDER = Path(__file__).parents[1] / "locale"


@dataclass(frozen=True)
class Locale:
    """One language. The sentences are our own Markdown; only what fills them is escaped."""

    name: str
    translations: Mapping[str, str]

    def markdown(self, text: Text | int | None) -> Safe:
        """Return ``text`` in this language, for the page."""
        if isinstance(text, Message):
            filled = {name: self.markdown(value) for name, value in text.values}
            return Safe(self._translated(text.sentence).format_map(filled))
        if isinstance(text, Joined):
            return Safe(text.separator.join(map(self.markdown, text.parts)))
        if isinstance(text, Number):
            return Safe(numbers.shown(text))
        return Safe("") if text is None else escape.text(text)

    def plain(self, text: Text | int | None) -> str:
        """Return ``text`` in this language, for a terminal or a picture."""
        if isinstance(text, Message):
            sentence = self._translated(text.sentence).replace("**", "")
            return sentence.format_map({name: self.plain(value) for name, value in text.values})
        if isinstance(text, Joined):
            return text.separator.join(map(self.plain, text.parts))
        if isinstance(text, Number):
            return numbers.shown(text)
        return "" if text is None else escape.terminal(text)

    def _translated(self, sentence: str) -> str:
        return self.translations.get(sentence, sentence)


@cache
def locale(name: str) -> Locale:
    """Return the language ``name``, one of LOCALES."""
    if name == "en":
        return Locale(name, MappingProxyType({}))
    from babel.messages.pofile import read_po  # takes 50 ms to import, and English needs none

    with open(FOLDER / f"{name}.po", "rb") as file:
        catalog = read_po(file, locale=name)
    return Locale(name, {str(entry.id): str(entry.string) for entry in catalog if entry.id and entry.string})


def user_language(environment: Mapping[str, str]) -> str:
    """Return the language of LOCALES that the user's environment asks for; English for any other."""
    asked = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := environment.get(name))), "")
    language = asked.partition("_")[0].partition(".")[0].lower()
    return language if language in LOCALES else "en"
