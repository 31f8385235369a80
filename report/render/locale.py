"""Languages: English sentences of the source, their translations from ``locale/*.po``, and texts in one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

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
        return Safe(self._filled(text, escape.text, "**"))

    def plain(self, text: Text | int | None) -> str:
        """Return ``text`` in this language, for a terminal or a picture."""
        return self._filled(text, escape.terminal, "")

    def _filled(self, text: Text | int | None, escaped: Callable[[object], str], bold: str) -> str:
        if isinstance(text, Message):
            sentence = self.translations.get(text.sentence, text.sentence).replace("**", bold)
            return sentence.format_map({name: self._filled(value, escaped, bold) for name, value in text.values})
        if isinstance(text, Joined):
            return text.separator.join(self._filled(part, escaped, bold) for part in text.parts)
        if isinstance(text, Number):
            return numbers.shown(text)
        return "" if text is None else escaped(text)


@cache
def locale(name: str) -> Locale:
    """Return the language ``name``, one of LOCALES."""
    if name == "en":
        return Locale(name, {})
    from babel.messages.pofile import read_po  # takes 50 ms to import, and English needs none

    with open(FOLDER / f"{name}.po", "rb") as file:
        catalog = read_po(file, locale=name)
    return Locale(name, {str(entry.id): str(entry.string) for entry in catalog if entry.id and entry.string})


def user_language(environment: Mapping[str, str]) -> str:
    """Return the language of LOCALES that the user's environment asks for; English for any other."""
    asked = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := environment.get(name))), "")
    language = asked.partition("_")[0].partition(".")[0].lower()
    return language if language in LOCALES else "en"
