"""Untrusted text: shown as what it is, and nothing to any language that reads the page."""

import html
import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from report.render import escape
from report.text import Safe

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "{{ site.github }} {% include ../../etc/passwd %} {%- raw -%}",
    "{: onclick='x'} {::nomarkdown}",
    "a | b || c",
    "one\ntwo\r\n\r\n# three\n| a | b |",
    "[click](javascript:alert(1)) [x][1] [^1] ![i](http://e.example/x.png)",
    "[1]: javascript:alert(1)",
    "<javascript:alert(1)> https://e.example www.e.example a@e.example @someone :smile:",
    "*em* **strong** _em_ __strong__ ~~gone~~ `code` $$x$$ x^2",
    "# heading",
    "1. item",
    "- item",
    "+ item",
    ": definition",
    "    code",
    "---",
    "===",
    "*[HTML]: Hyper",
    "\\| \\* \\",
    "&lt;b&gt; &amp; &#60;",
    "\u202egnp.exe\u202c \u200bzero\u200d\ufeffwidth\u00ad \u2066x\u2069",
    "\u115f\u3164\uffa0\u2800\u034f\ufe0f",
    "Z\u0310\u0311\u0312\u0313\u0314\u0315\u0316\u0317algo",
    "\x00\x07\x1b[31mred\x1b[0m\x9b31m",
    "\u2028line\u2029paragraph\u0085next\x0bvertical\x0cfeed",
    "\U000e0041\U000e0042 tags",
    "Ａ｜Ｂ fullwidth",
    "A" * 100_000,
    "{" * 100_000,
    " \n" * 100_000 + "end",
]
"""What a hostile machine might put into its results; used by the tests of the whole page too."""

hostile_text = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(max_size=40),
    st.text(st.sampled_from("<>{}%|[]()!*_`~#$^&;:@\\\"'/-+=.\n\r\t 1a\u202e\u200b"), max_size=40),
)

ACTIVE = re.compile(
    r"""[<>{}|\\`*\[\]~^$\n\r]|&(?!#\d+;)|--|\.\.\.|://|(?<!\w):(?=\S)|:[a-z]+:|@[A-Za-z0-9]|\A[-+#=:!%"']|\A\d+[.)](\s|\Z)"""
)


@given(hostile_text)
@example("")
@example("1.")
@example("0 ")
@example("a  b")
@example("a_b _c_ __d")
def test_a_reader_sees_the_text_and_no_language_sees_anything_else(value: str) -> None:
    """Nothing active is left, and with the references read the line is what a terminal shows."""
    shown = escape.text(value)
    assert ACTIVE.search(shown) is None
    assert html.unescape(shown) == escape.terminal(value)


@given(hostile_text)
@example("1) x")
@example("a:b:c")
def test_a_markdown_reader_finds_one_paragraph_of_text(value: str) -> None:
    """CommonMark with tables and strikethrough, by a library that is not ours, makes nothing else of it."""
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    tokens = reader.parse(escape.text(value))
    assert [token.type for token in tokens] in ([], ["paragraph_open", "inline", "paragraph_close"])
    found = {child.type for token in tokens for child in token.children or ()}
    assert found <= {"text", "text_special"}


@given(hostile_text)
def test_a_terminal_line_is_one_visible_line(value: str) -> None:
    """No control, format, private or zero-width character, no line break, nothing longer than asked for."""
    shown = escape.terminal(value, 120)
    assert len(shown) <= 120
    assert shown.isprintable()
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for c in shown)
    assert not any(c in "\u115f\u3164\uffa0\u2800\u034f\ufe0f" for c in shown)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("2 stacked LSTM", "2 stacked LSTM"),
        ("AR(OLS)", "AR(OLS)"),
        ("12 lags; 1 w, 1 b", "12 lags; 1 w, 1 b"),
        ("전기사용량", "전기사용량"),
        ("sw_power_cap", "sw_power_cap"),
        ("0.38", "0.38"),
        ("see www.example.com", "see www&#46;example.com"),
        ("a|b", "a&#124;b"),
        ("{{ x }}", "&#123;&#123; x &#125;&#125;"),
        ("-1", "&#45;1"),
        ("3. x", "&#51;&#46; x"),
        ("2026-11-24T14:02:51Z", "2026-11-24T14:02:51Z"),
        ("sha256:0123 isn't 0.5", "sha256:0123 isn't 0.5"),
        ("i7-6700K CPU @ 4.00GHz", "i7-6700K CPU @ 4.00GHz"),
        ("a@b.example", "a&#64;b.example"),
        ("http://x", "http&#58;//x"),
        ("line\nbreak", "line break"),
        ("\u202eevil", "\ufffdevil"),
        ("x" * 2000, "x" * 999 + "…"),
    ],
)
def test_plain_words_stay_plain(value: str, shown: str) -> None:
    """Escaping touches only what some language would act on."""
    assert escape.text(value) == shown


def test_what_is_safe_is_not_escaped_twice() -> None:
    """Our own Markdown passes as it is."""
    assert escape.text(Safe("**bold** &#124;")) == "**bold** &#124;"
