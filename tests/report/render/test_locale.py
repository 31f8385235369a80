"""The page's sentences in both languages, and those for what the runners state as keys."""

import ast
import re
import string
from pathlib import Path
from typing import Any

import pytest

from report.records.common import PhaseWarning, Reason
from report.render.locale import Locale, locale, user_language
from report.sentences import NOTES, REASONS, WARNINGS, fields, said, warned
from report.text import Number, joined, message
from tests.report.catalog import catalog, sentences

ROOT = Path(__file__).parents[3]


def test_every_sentence_has_its_translation_and_nothing_else_has() -> None:
    """ko.po is complete, not fuzzy, and fills the same values; python -m tests.report.catalog brings it up to date."""
    entries = {str(entry.id): entry for entry in catalog() if entry.id}
    assert sorted(set(sentences()) - set(entries)) == []
    assert sorted(set(entries) - set(sentences())) == []
    assert [sentence for sentence, entry in entries.items() if not entry.string or entry.fuzzy] == []
    assert [key for key, entry in entries.items() if set(fields(key)) != set(fields(str(entry.string)))] == []
    assert [key for key, entry in entries.items() if key.count("**") != str(entry.string).count("**")] == []


def test_no_sentence_is_translated_twice() -> None:
    """Of two entries the reader would silently keep one."""
    text = (ROOT / "report/locale/ko.po").read_text(encoding="utf-8")
    found = re.findall(r"^msgid (.+?)^msgstr", text, re.MULTILINE | re.DOTALL)
    assert sorted({one for one in found if found.count(one) > 1}) == []


def test_braces_hold_names_and_nothing_else() -> None:
    """What fills a sentence is looked up by name: no attribute, index or format of it can be reached."""
    for sentence in sentences():
        for _, name, spec, conversion in string.Formatter().parse(sentence):
            assert name is None or (re.fullmatch("[a-z_0-9]+", name) and not spec and not conversion), sentence


def declarations(path: Path) -> dict[str, dict[str, tuple[str, ...]]]:
    """Return the tables of keys in a module, read as text: the report imports neither runners nor fleet."""
    return {
        target.id: ast.literal_eval(node.value)
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id in ("REASONS", "NOTES", "WARNINGS", "ENDED_BADLY")
    }


CONTRACT = declarations(ROOT / "runners" / "contract.py")
ENDED_BADLY = declarations(ROOT / "fleet" / "results" / "missing.py")["ENDED_BADLY"]
CONTRACT["REASONS"] |= {key: ("text",) for _, key in ENDED_BADLY.values()}
CONTRACT["REASONS"] |= declarations(ROOT / "erabench" / "eras" / "engine.py")["REASONS"]
"""Key -> names of values, as the runners, the fleet and the driver declare them."""
WARNED = {key: sentence for key, (_, sentence) in WARNINGS.items()}


@pytest.mark.parametrize(("table", "ours"), [("REASONS", REASONS), ("NOTES", NOTES), ("WARNINGS", WARNED)])
def test_the_report_has_a_sentence_for_all_that_the_runners_state(table: str, ours: dict[str, str]) -> None:
    """No key is missing or left over, and no sentence wants a value that the runners do not give."""
    declared = CONTRACT[table]
    assert set(ours) - {"text"} == set(declared)
    assert {key for key, names in declared.items() if not set(fields(ours[key])) <= set(names)} == set()


@pytest.mark.parametrize(
    ("key", "values", "text"),
    [
        ("time-limit", {"seconds": 60}, "stopped at the time limit of 60 s"),
        ("too-slow-on-cpu", {"batches": 45395}, "one epoch has 45,395 training steps, days on a CPU"),
        ("device-not-offered", {"framework": "NumPy", "device": "gpu"}, "NumPy does not run on the GPU"),
        ("lstm-aug-here", {"powers": [0.8, 1, 1.2]}, "raised to the powers 0.800, 1, 1.20, with"),
        ("novel", {"b": 1, "a": [True, None]}, "novel (a: True, None, b: 1)"),
        ("novel", {}, "novel"),
        ("killed", {}, "killed"),
        ("text", {"text": "of version 1"}, "of version 1"),
        ("exception", {"type": "ValueError", "message": {"x": {"y": 1}}}, "ValueError: x: y: 1"),
    ],
)
def test_a_statement_becomes_a_sentence(key: str, values: dict[str, Any], text: str) -> None:
    """An unknown key, or one whose values are missing, is shown with what there is."""
    assert text in locale("en").plain(said(Reason(key, values)))


def test_a_reason_within_a_reason_is_translated_too() -> None:
    """As when a confirmation failed for a reason of its own."""
    inner = {"key": "time-limit", "values": {"seconds": 9}}
    outer = Reason("repeat-failed", {"side": "tuned", "reason": inner})
    assert locale("ko").markdown(said(outer)) == "다시 실행했을 때 튜닝 쪽이 실패함: 제한 시간 9초가 지나 중단함"
    assert locale("en").plain(said(None)) == "no reason was recorded"


def test_a_warning_without_figures_is_shown_as_it_is() -> None:
    """Version 1 had sentences."""
    known = PhaseWarning("unstable", "train", {"percent": 20.13})
    assert locale("en").plain(warned(known)) == "the middle half of the samples spans 20 % of the median"
    assert locale("en").plain(warned(PhaseWarning("unstable", "train", {"text": "spans 20 %"}))) == "spans 20 %"


def test_values_in_a_sentence_are_escaped_and_the_sentence_is_not() -> None:
    """What fills a sentence cannot act on the page; on a terminal it stays as it is."""
    sentence = message("{status}: {reason}", status=message("failed"), reason="<b> | {{ x }}")
    assert locale("en").markdown(sentence) == "failed: &#60;b&#62; &#124; &#123;&#123; x &#125;&#125;"
    assert locale("ko").plain(sentence) == "실패: <b> | {{ x }}"
    assert locale("en").markdown(joined(["a", "b", "a", Number(0.5)], "; ")) == "a; b; 0.500"


def test_korean_words_are_clear() -> None:
    """No score is not an accuracy that nobody measured, what is left stands first, and one thing has one name."""
    korean = locale("ko")
    assert korean.plain(message("not scored")) == "점수 없음"
    more = korean.plain(message("and {count} more times, on the page", count="7"))
    assert more == "그 밖의 시간 7개는 페이지에 있습니다"
    assert [text for text in korean.translations.values() if "그레이디언트" in text] == []


def test_a_missing_translation_is_shown_in_english() -> None:
    """Rather than nothing at all."""
    assert Locale("ko", {}).markdown(message("failed")) == "failed"


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LANG": "ko"}, "ko"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({}, "en"),
        ({"LANG": "ko_KR.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "ko_KR.UTF-8", "LC_ALL": ""}, "ko"),
    ],
)
def test_the_terminal_speaks_the_users_language(environment: dict[str, str], language: str) -> None:
    """LC_ALL before LC_MESSAGES before LANG, as POSIX has it."""
    assert user_language(environment) == language
