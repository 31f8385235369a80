"""The page's sentences in both languages."""

import ast
import re
import string
import tomllib
from pathlib import Path

import pytest

from report.columns import COLUMNS
from report.marks import KNOWN
from report.messages import LOCALES, Spoken, locale, message
from report.tuned import OPTIONS

ROOT = Path(__file__).parents[2]


def fields(sentence: str) -> set[str]:
    """The names in a sentence's braces."""
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_both_languages_have_every_sentence() -> None:
    """No key is missing in one language, and each wants the same values."""
    korean, english = locale("ko").sentences, locale("en").sentences
    assert set(korean) == set(english)
    assert {key for key in korean if fields(korean[key]) != fields(english[key])} == set()


@pytest.mark.parametrize("name", LOCALES)
def test_every_sentence_that_the_code_asks_for_is_there(name: str) -> None:
    """Keys written out in the code and in the templates exist."""
    sources = [*(ROOT / "report").glob("*.py"), *(ROOT / "report" / "templates").glob("*.md.j2")]
    asked = set()
    for source in sources:
        if not source.name.startswith("compare"):  # the comparison has its own sentences
            asked |= set(re.findall(r'(?:message|\bt)\(\s*"([a-z0-9_.-]+\.[a-z0-9_-]+)"', source.read_text("utf-8")))
    asked |= {column.legend for column in COLUMNS}
    asked |= {f"{kind}.{key}" for key in KNOWN for kind in ("mark", "mark-reason")}
    asked |= {f"option.{key}" for key in OPTIONS}
    assert asked - set(locale(name).sentences) == set()
    assert len(asked) > 100


def test_each_column_has_its_own_legend_entry() -> None:
    """Eleven columns, eleven entries, all different."""
    assert len({column.legend for column in COLUMNS}) == 11


def test_values_in_a_sentence_are_escaped_and_the_sentence_is_not() -> None:
    """What fills a sentence cannot act on the page, on a terminal it stays as it is."""
    sentence = message("note.skipped", reason="<b> | {{ x }}")
    assert locale("en").markdown(sentence) == "Not measured: &#60;b&#62; &#124; &#123;&#123; x &#125;&#125;"
    assert locale("en").plain(sentence) == "Not measured: <b> | {{ x }}"


def test_a_runners_sentence_is_translated_with_its_values() -> None:
    """A sentence among [[spoken]] is said in Korean, any other in the runner's English."""
    known = Spoken("the child process was killed by SIGKILL")
    assert locale("ko").markdown(known) == "자식 프로세스가 SIGKILL 신호로 종료되었습니다"
    assert locale("en").markdown(known) == "the child process was killed by SIGKILL"
    assert locale("ko").markdown(Spoken("something | new")) == "something &#124; new"
    assert locale("ko").markdown(Spoken("the child process was killed by {{ x }} {0}")) == (
        "자식 프로세스가 &#123;&#123; x &#125;&#125; &#123;0&#125; 신호로 종료되었습니다"
    )


def test_a_sentence_within_a_sentence_is_translated_too() -> None:
    """What a runner filled in may be a reason of its own."""
    again = "failed when it was run again"
    said = f"tuned {again}: as written {again}: stopped after its time limit of 9 s"
    assert locale("ko").markdown(Spoken(said)) == (
        "다시 실행했을 때 튜닝 쪽이 실패했습니다: 다시 실행했을 때 원래 코드 쪽이 실패했습니다: "
        "제한 시간 9초가 지나 중단했습니다"
    )
    assert locale("en").markdown(Spoken(said)) == said
    endless = Spoken(f"tuned {again}: " * 100)
    assert len(locale("ko").markdown(endless)) < 5000


def texts(tree: ast.AST) -> set[str]:
    """The string constants below a node, as [[spoken]] writes them."""
    found = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return {re.sub(r"\{[^{}]*\}", "{}", text) for text in found if isinstance(text, str)}


TREES = [ast.parse(path.read_text("utf-8")) for path in (ROOT / "runners").rglob("*.py")]
SPOKEN = [pair["runner"] for pair in tomllib.loads((ROOT / "report/locale/ko.toml").read_text("utf-8"))["spoken"]]


def test_the_translated_sentences_are_those_that_the_runners_say() -> None:
    """Every [[spoken]] sentence stands in the runners' code, so that none is translated in vain."""
    said = set().union(*map(texts, TREES))
    assert [sentence for sentence in SPOKEN if sentence not in said] == []


def test_every_reason_for_which_an_option_is_not_tried_is_translated() -> None:
    """Such a sentence stands in every list of what was tried with a version that lacks the option."""
    calls = [node for tree in TREES for node in ast.walk(tree) if isinstance(node, ast.Call)]
    reasons = [texts(call) for call in calls if isinstance(call.func, ast.Name) and call.func.id == "OptionUnavailable"]
    assert len(reasons) > 5
    assert [reason for reason in reasons if reason.isdisjoint(SPOKEN)] == []
