"""The page as one HTML file to open, made from the same Markdown: no network, no script needed, pictures inside."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape, unescape
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.front_matter import front_matter_plugin

from report.render.markdown import fill
from report.render.pictures import Picture
from report.text import Safe, unused

_STYLE = Path(__file__).parents[1] / "jekyll" / "_sass" / "_report.scss"
_TITLE = re.compile(r"^title: *(.*)$", re.MULTILINE)


def page(markdown: str, language: str, pictures: Iterable[Picture]) -> str:
    """Return the document with ``pictures`` in it; it lies beside ``pages/``, into which its links lead."""
    title = _TITLE.search(markdown)
    style = "\n".join(line for line in _STYLE.read_text("utf-8").splitlines() if not line.startswith("//"))
    return fill(
        "page.html.j2",
        language=language,
        say=str,
        title=Safe(escape(title[1] if title else "")),
        style=Safe(style),
        body=Safe(_body(markdown, {picture.file: picture.svg for picture in pictures})),
    )


def _body(markdown: str, pictures: Mapping[str, str]) -> str:
    reader = MarkdownIt("commonmark", {"html": True}, renderer_cls=_Renderer).enable("table")
    reader.use(front_matter_plugin).use(footnote_plugin)
    reader.add_render_rule("footnote_caption", _Renderer.footnote_number)  # [2] a second time too, and not [2:1]
    tokens = reader.parse(markdown)
    _name_tables(tokens)
    return str(reader.renderer.render(tokens, reader.options, {"pictures": pictures}))


def _name_tables(tokens: Sequence[Token]) -> None:
    """Give each table the nearest heading, summary or bold line above it as its name, and each name once."""
    above, taken = "", set[str]()
    for place, token in enumerate(tokens):
        if token.type == "html_block" and (summary := re.search(r"<summary>(.*?)[:<]", token.content)):
            above = unescape(summary[1])
        elif token.type == "inline" and (tokens[place - 1].type == "heading_open" or token.content.startswith("**")):
            above = "".join(child.content for child in token.children or () if child.type == "text").partition(":")[0]
        elif token.type == "table_open":
            token.meta["name"] = unused(above, taken, "{} ({})")
            taken.add(token.meta["name"])


class _Renderer(RendererHTML):
    """What differs from plain Markdown: tables scroll in a box of their own, pictures are within the page."""

    def table_open(self, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
        name = escape(tokens[place].meta["name"])
        return f'<div class="table" role="region" tabindex="0" aria-label="{name}">\n<table>\n'

    def table_close(self, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
        return "</table>\n</div>\n"

    def th_open(self, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
        return f'<th scope="col"{_alignment(tokens[place])}>'

    def td_open(self, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
        kept = ' class="figure"' if "±" in tokens[place + 1].content else ""
        return f"<td{_alignment(tokens[place]) or kept}>"

    def link_open(self, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
        target = str(tokens[place].attrs["href"])
        inside = "/" in target and not target.startswith("https:")  # neither a place on the page nor a page beside it
        return f'<a href="{escape(f"pages/{target}" if inside else target)}">'

    def footnote_number(self, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
        return f"[{tokens[place].meta['id'] + 1}]"

    def html_block(self, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
        return tokens[place].content.replace(' markdown="1"', "")

    def paragraph_open(self, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
        return "" if _is_picture(tokens[place + 1]) else self.renderToken(tokens, place, options, env)

    def paragraph_close(self, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
        return "\n" if _is_picture(tokens[place - 1]) else self.renderToken(tokens, place, options, env)

    def image(self, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
        alt = escape(self.renderInlineAsText(tokens[place].children, options, env))
        svg = env["pictures"][str(tokens[place].attrs["src"])]
        return f'<figure>{svg.strip().replace("<svg ", f"""<svg role="img" aria-label="{alt}" """, 1)}</figure>'


def _alignment(token: Token) -> str:
    return ' class="right"' if "right" in str(token.attrs.get("style", "")) else ""


def _is_picture(token: Token) -> bool:
    return token.type == "inline" and [child.type for child in token.children or ()] == ["image"]
