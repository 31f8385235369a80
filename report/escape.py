"""Makes untrusted text harmless where it is shown: on the page, in a link and on the terminal.

The page is read by three languages one after another: Liquid, kramdown's Markdown (or GitHub's), and HTML. What any
of them could act on becomes a character reference, which is text to all three.
"""

from __future__ import annotations

import re

LINE = 120
"""Characters of a name, a title or a table cell."""
SENTENCE = 1000
"""Characters of a reason or a note."""


class Safe(str):
    """Markdown of our own, or text that has been escaped."""

    __slots__ = ()


_HARMLESS = re.compile(
    r"(?!\d+[.)](?:\s|\Z))(?!.*[Ww]{3}\.)[A-Za-z0-9(][A-Za-z0-9 ,;()/%]*(?:[.+-](?=[A-Za-z0-9 ])[A-Za-z0-9 ,;()/%]+)*",
    re.ASCII,
)
"""Most of what results hold, let through after one look."""

_BLANK = re.compile(r"[\s\x1c-\x1f\x85\u2028\u2029]+")
_IGNORED = re.compile(  # printable by Unicode's word, yet shown as nothing (Default_Ignorable_Code_Point) or as a blank
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_ACCENT = r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_ACCENTS = re.compile(rf"({_ACCENT}{{2}}){_ACCENT}+")
"""Piled up, they cover the lines above and below."""

_ACTIVE = re.compile(
    r"""[&<>{}|\\`*\[\]~^$@"']"""  # HTML, Liquid, tables, Markdown's inline marks, mentions, curly quotes
    r"|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"  # emphasis; inside a word it is none
    r"|(?<=-)-|(?<=\.)\.|(?<=<)<"  # dashes and ellipses that kramdown would draw
    r"|:(?=\S)"  # addresses, emoji, definitions
    r"|(?<=[Ww]{3})\."  # www.
    r"|\A(?:\d+[.)](?=\s|\Z)|[-+#=:!%])"  # what makes a list, a heading or a definition of a line
)

_TARGET = re.compile(
    r"(?:\.\./)*(?:[A-Za-z0-9][A-Za-z0-9._-]*/)*[A-Za-z0-9][A-Za-z0-9._-]*(?:#[a-z0-9-]+)?|#[a-z0-9-]+"
)


def text(value: object, most: int = SENTENCE) -> Safe:
    """``value`` as one line of inert Markdown, at most ``most`` characters of it; what is ``Safe`` stays as it is."""
    if isinstance(value, Safe):
        return value
    raw = str(value)
    if len(raw) <= most and _HARMLESS.fullmatch(raw) and "  " not in raw and not raw.endswith(" "):
        return Safe(raw)
    return Safe(_ACTIVE.sub(_references, terminal(raw, most)))


def terminal(value: object, most: int = SENTENCE) -> str:
    """``value`` as one visible line: control, format, private and zero-width characters become a replacement mark."""
    raw = str(value)
    line = _BLANK.sub(" ", raw[: 4 * most]).strip()
    if not line.isascii() or not line.isprintable():
        line = "".join(c if c.isprintable() else "\ufffd" for c in _IGNORED.sub("\ufffd", line))
        line = _ACCENTS.sub(r"\1", line)
    if len(line) > most or len(raw) > 4 * most:
        line = line[: most - 1].rstrip() + "…"
    return line


def link(label: object, target: str) -> Safe:
    """A Markdown link to a relative path of plain names. Raises ValueError for any other target."""
    if not _TARGET.fullmatch(target):
        raise ValueError(f"link target {target!r}: only relative paths of plain names are linked to")
    return Safe(f"[{text(label, LINE)}]({target})")


def finalize(value: object) -> str:
    """What Jinja2 does with every value that a template prints: nothing gets onto the page unescaped."""
    return text(value)


def _references(match: re.Match[str]) -> str:
    return "".join(f"&#{ord(character)};" for character in match.group())
