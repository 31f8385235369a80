"""Makes untrusted text harmless where it is shown: on the page and on the terminal.

The page is read by three languages one after another: Liquid, kramdown's Markdown (or GitHub's, or CommonMark), and
HTML. What any of them could act on becomes a character reference, which is text to all of them.
"""

from __future__ import annotations

import re

from report.text import Safe

SENTENCE = 1000
"""Characters of a reason or a note."""

_HARMLESS = re.compile(
    r"(?!\d+[.)](?:\s|\Z))(?!.*[Ww]{3}\.)[A-Za-z0-9(][A-Za-z0-9 ,;()/%]*(?:[.+-](?=[A-Za-z0-9 ])[A-Za-z0-9 ,;()/%]+)*",
    re.ASCII,
)
"""Most texts in results, recognized in one step."""

_BLANK = re.compile(r"[\s\x1c-\x1f\x85\u2028\u2029]+")
_IGNORED = re.compile(  # printable to Unicode, yet shown as nothing (Default_Ignorable_Code_Point) or as a blank
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_ACCENT = r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_ACCENTS = re.compile(rf"({_ACCENT}{{2}}){_ACCENT}+")
"""Piled up, they cover the lines above and below."""

_ACTIVE = re.compile(
    r"""[&<>{}|\\`*\[\]~^$]"""  # HTML, Liquid, tables, Markdown's inline marks
    r"|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"  # emphasis; within a word it is none
    r"|(?<=-)-|(?<=\.\.)\."  # dashes and ellipses that kramdown would draw
    r"|@(?=[A-Za-z0-9])"  # addresses and mentions
    r"|:(?=//)|(?<=\bmailto):|(?<=\bxmpp):|(?<![A-Za-z0-9]):(?=\S)|(?<=[A-Za-z]):(?=[\w+-]+:)"  # addresses, emoji
    r"|(?<=[Ww]{3})\."  # www.
    r"|\A(?:\d+[.)](?=\s|\Z)|[-+#=:!%\"'])",  # what makes a list, a heading or a definition of a line
    re.IGNORECASE | re.ASCII,
)


def text(value: object) -> Safe:
    """Return ``value`` as one line of inert Markdown of at most SENTENCE characters; ``Safe`` text as it is."""
    if isinstance(value, Safe):
        return value
    raw = str(value)
    if len(raw) <= SENTENCE and _HARMLESS.fullmatch(raw) and "  " not in raw and not raw.endswith(" "):
        return Safe(raw)
    return Safe(_ACTIVE.sub(_references, terminal(raw)))


def terminal(value: object, most: int = SENTENCE) -> str:
    """Return ``value`` as one visible line: control, format and zero-width characters become a replacement mark."""
    raw = str(value)
    line = _BLANK.sub(" ", raw[: 4 * most]).strip()
    if not line.isascii() or not line.isprintable():
        line = "".join(c if c.isprintable() else "\ufffd" for c in _IGNORED.sub("\ufffd", line))
        line = _ACCENTS.sub(r"\1", line)
    if len(line) > most or len(raw) > 4 * most:
        line = line[: most - 1].rstrip() + "…"
    return line


def _references(match: re.Match[str]) -> str:
    return "".join(f"&#{ord(character)};" for character in match.group())
