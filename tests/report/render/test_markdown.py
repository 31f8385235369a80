"""The page as a whole: golden files in both languages, and a page that hostile results cannot touch."""

import copy
import json
import random
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from report.page.build import DETAILED_SECTIONS, build_page
from report.page.rows import groups
from report.records import Problem, load_results
from report.render.locale import locale
from report.render.markdown import render_page
from tests.report.benches import GOLDEN, golden, many, markdown_of, one, page_of, row, tuned_lstm, warning
from tests.report.building import Json, energy, write
from tests.report.page.test_models import HEADINGS
from tests.report.records.test_loading import JSON
from tests.report.render.test_escape import HOSTILE, hostile_text


def test_the_pages_are_the_golden_files(tmp_path: Path) -> None:
    """Every line of page and terminal; regenerate with python -m tests.report.benches."""
    made = golden(tmp_path)
    assert set(made) == {path.name for path in GOLDEN.iterdir()}
    for name, content in made.items():
        assert content == (GOLDEN / name).read_text(encoding="utf-8"), name


def test_the_front_matter_is_as_published(tmp_path: Path) -> None:
    """Keys and values of the page of 2017-08-05, in its order; the other language adds its own key."""
    assert markdown_of(tmp_path, row("lstm"), language="ko").splitlines()[:10] == [
        "---",
        "layout: page",
        "title: 딥러닝 모델 비교 분석",
        "date:   2017-08-05 01:00:00",
        'categories: "deep-learning"',
        "asset_path: /assets/images/",
        "tags: ['resnet', 'densenet']",
        "",
        "---",
        "",
    ]


def test_the_models_table_has_the_published_header(tmp_path: Path) -> None:
    """Eleven columns in their order, as many cells in every row, all aligned in the text."""
    page = markdown_of(tmp_path, *one())
    table = page[page.index("| Model ") :].split("\n\n")[0].splitlines()
    assert len(table) == 2 + 8
    assert [cell.strip() for cell in table[0].split("|")[1:-1]] == HEADINGS
    assert len({tuple(place for place, character in enumerate(line) if character == "|") for line in table}) == 1


def test_the_sections_come_answer_first(tmp_path: Path) -> None:
    """The summary before any heading; what explains is folded, each with a one-line summary."""
    page = markdown_of(tmp_path, *one())
    assert re.findall(r"^##+ (.*)|^<summary>(.*?)[:<,]", page, re.MULTILINE) == [
        ("System", ""), ("Models", ""), ("Reproduction", ""), ("", "All 31 published figures beside ours"),
        ("What cannot be right in the published table", ""), ("One protocol for all", ""), ("", "Measurements"),
        ("", "As written and tuned"), ("", "Provenance"), ("", "What is known of each published figure"),
    ]  # fmt: skip
    assert page.index("Of the 31 figures that the blog post") < page.index("## System")


def test_several_machines_begin_with_an_overview(tmp_path: Path) -> None:
    """Machines, legend and findings, then each machine folded, linked from the overview; the fastest in bold."""
    page = markdown_of(tmp_path, *many())
    headings = re.findall(r"^##? ?(\w.*)", page, re.MULTILINE)
    assert headings == ["Machines", "Legend", "What cannot be right in the published table", "Each machine"]
    assert re.findall(r'<details markdown="1" id="([^"]+)">', page) == re.findall(r"\]\(#([^)]+)\)", page)
    assert "| **0.00080 ±2 %** |" in page


def test_the_text_is_readable_as_it_is(tmp_path: Path) -> None:
    """No line over 200 characters outside tables and addresses, references at the end, no entity in plain texts."""
    for language in ("ko", "en"):
        page = markdown_of(tmp_path, *[made for made in one() if "odd-fan" not in json.dumps(made)], language=language)
        lines = [line for line in page.splitlines() if not line.startswith(("|", "["))]
        assert max(map(len, lines)) <= 120
        assert "&#" not in page
        body = page.split("\n[densenet]:")[0]
        assert "](" not in body
        assert "\n\n\n" not in page


def test_a_machine_without_a_gpu_needs_few_footnotes(tmp_path: Path) -> None:
    """At most nine, however restless it was, and System says once that there is no GPU."""
    records = []
    for made in one():
        if "attempts" not in made and made["device"] == "cpu":
            made["environment"] = {**(made["environment"] or row("lstm")["environment"]), "gpu": None}
            for process in made["processes"]:
                process["warnings"] = [warning("unstable", phase, percent=12.0) for phase in ("train", "predict")]
            records.append(made)
    page = markdown_of(tmp_path, *records)
    assert len(re.findall(r"^\[\^", page, re.MULTILINE)) <= 9
    assert page.count("none, so Memory and the GPU columns stay empty") == 1


def test_links_and_footnotes_have_their_definitions(tmp_path: Path) -> None:
    """Each is defined once and used, and every record is linked."""
    page = markdown_of(tmp_path, *one())
    used, defined = re.findall(r"\]\[([^\]]+)\]", page), re.findall(r"^\[([^\]^]+)\]: (.*)$", page, re.MULTILINE)
    assert {label for label, _ in defined} == set(used)
    assert len(defined) == len({label for label, _ in defined})
    notes = re.findall(r"\[\^([\w-]+)\](:?)", page)
    assert sorted({name for name, colon in notes if not colon}) == sorted(name for name, colon in notes if colon)
    linked = {target.removeprefix("2017-08-05_Model-Comparison/") for _, target in defined}
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.json")} <= linked


def test_machines_whose_names_differ_in_case_have_links_of_their_own(tmp_path: Path) -> None:
    """Markdown takes [Box] and [box] for one label."""
    made = [{**row("lstm"), "machine": name} for name in ("Box", "box")]
    defined = re.findall(r"^\[([^\]^]+)\]: .*lstm\.cpu\.json$", markdown_of(tmp_path, *made), re.MULTILINE)
    assert len(defined) == len({label.casefold() for label in defined}) == 2


def test_a_page_about_many_machines_is_brief(tmp_path: Path) -> None:
    """More than six sections keep their tables and leave out what would bury them; the page says how to see it."""

    def machines(count: int) -> str:
        return markdown_of(tmp_path / str(count), *(row("lstm", machine=f"m{number}") for number in range(count)))

    assert machines(DETAILED_SECTIONS).count("### Reproduction") == DETAILED_SECTIONS
    brief = machines(DETAILED_SECTIONS + 1)
    assert brief.count("### Models") == DETAILED_SECTIONS + 1
    assert "### Reproduction" not in brief
    assert "`make page MACHINE=name STACK=name`" in brief


def test_files_that_could_not_be_used_are_named_on_the_page(tmp_path: Path) -> None:
    """A reader sees what is missing; of very many problems the first hundred."""
    problems = [Problem(f"m/s/{number}.json", "is | empty", "delete it") for number in range(150)]
    results = load_results(write(tmp_path, row("lstm"))).results
    page = render_page(build_page(groups(results), problems), locale("en"))
    assert "\n* **m/s/0.json**: is &#124; empty; delete it\n" in page
    assert page.count("is &#124; empty") == 100
    assert "* and 50 more\n" in page


LINES = ("title", "params", "library")
NOTES = ("note", "quality reason", "warning value", "baseline", "protocol", "metric", "dataset value")
TUNING = ("tuned title", "kept option", "other option", "tuning reason", "attempt reason")
HARDWARE = ("cpu", "gpu", "os", "driver", "python", "version", "energy source")
PLACES = (*LINES, *NOTES, *TUNING, *HARDWARE, "reason", "not training", "source", "image")
PLAIN = dict.fromkeys(PLACES, "plain")


def placed(texts: Mapping[str, str]) -> list[Json]:
    """Three results and two tunings with ``texts`` wherever they take free text; each ends in words of its own."""

    def text(place: str, most: int) -> str:
        return texts[place][: most - 10] + f" p{PLACES.index(place)}"

    def stated(key: str, place: str, most: int = 4000) -> Json:
        return {"key": key, "values": {"text": text(place, most), "reasons": text(place, most)}}

    lstm, other, image = copy.deepcopy([r for r in one() if r["model"]["key"] in ("lstm", "densenet-24x3")][:3])
    other.update(status="failed", reason=stated("novel", "reason"), log="x")
    lstm["model"].update({name: text(name, 500) for name in LINES})
    quality = lstm["quality"]
    quality["notes"] = [stated("text", "note"), stated("novel", "note")]
    quality["scores"][0].update(note=stated("novel", "note"), protocol=text("protocol", 100))
    quality["scores"][-1]["name"] = text("baseline", 100)
    quality["loss_metric"] = quality["accuracy_metric"] = text("metric", 100)
    image["quality"] = {**copy.deepcopy(quality), "scores": [], "reason": stated("text", "quality reason")}
    for process in image["processes"]:
        process["train"].update(valid=False, reason=stated("novel", "not training", 2000))
    for process in lstm["processes"]:
        process["warnings"] = [
            {"phase": "all", **stated("novel", "warning value")},
            {"phase": "train", **stated("throttled", "warning value")},
        ]
        process["energy"] = energy(1.5, 1, text("energy source", 500))
    environment = lstm["environment"]
    environment.update(cpu=text("cpu", 500), os=text("os", 500), python=text("python", 100))
    environment["gpu"].update(name=text("gpu", 500), driver=text("driver", 100))
    environment["versions"] = {text("version", 100): text("version", 200)}
    lstm["data"]["source"] = text("source", 500)
    lstm["provenance"]["image"] = text("image", 500)
    tuned = tuned_lstm()
    tuned["model"].update(key="bilstm", title=text("tuned title", 500))
    tuned["chosen"] = [text("kept option", 100)]
    for attempt in tuned["attempts"][1:]:
        attempt.update(option=text("other option", 100), **{"with": tuned["chosen"]})
    tuned["attempts"][3]["reason"] = stated("novel", "attempt reason")
    unconfirmed = {
        **copy.deepcopy(tuned),
        "device": "gpu",
        "confirmation": None,
        "reason": stated("text", "tuning reason"),
    }
    image["execution"] = {"peak_memory": text("dataset value", 2000)}
    return [lstm, other, image, tuned, unconfirmed]


TAGS = re.compile(r"</?(?:details|summary|br)\b[^<>]*>")
DEFINITION = re.compile(r"\[[\w./-]+\]: (?:2017-08-05_Model-Comparison/[\w./-]+|https://arxiv\.org/abs/1608\.06993)")


def shape(page: str) -> list[Any]:
    """What hostile text must not change: blocks by their first characters, cells, tags, links and footnotes."""
    blocks = [block for block in page.split("---", 2)[2].split("\n\n") if block]
    # Not every line that begins with a bracket or asterisks: where a paragraph is wrapped depends on its words.
    firsts = [re.match(r"#+ |\* |\||\s+- |\[\^?[^\]]+\]: ", line) for block in blocks for line in block.splitlines()]
    return [
        [first[0][:2] for first in firsts if first],
        [line.count("|") for line in page.splitlines() if line.startswith("|")],
        TAGS.findall(page),
        re.findall(r"\]\[([^\]]*)\]|\]\(([^)]*)\)|\[\^([^\]]*)\]", page),
    ]


def assert_untouched(page: str, plain: str) -> None:
    """The page has the same shape as one with plain words: hostile text added no block, cell, tag, link or command."""
    assert shape(page) == shape(plain)
    body = page.split("---", 2)[2]
    assert "<" not in TAGS.sub("", body)
    assert "{" not in body
    assert all(DEFINITION.fullmatch(line) for line in page.splitlines() if re.match(r"\[[^^]", line) and "]: " in line)
    assert all(character.isprintable() or character == "\n" for character in page)
    assert len(page) < 400_000


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.fixed_dictionaries(dict.fromkeys(PLACES, hostile_text)), st.sampled_from(["ko", "en"]))
def test_hostile_text_acts_on_no_part_of_the_page(
    tmp_path_factory: pytest.TempPathFactory, texts: dict[str, str], language: str
) -> None:
    """Whatever a record's texts hold, the page keeps its blocks, its tables, its tags and its links."""
    page = markdown_of(tmp_path_factory.mktemp("hostile"), *placed(texts), language=language)
    assert_untouched(page, markdown_of(tmp_path_factory.mktemp("plain"), *placed(PLAIN), language=language))


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_each_hostile_string_everywhere_at_once(tmp_path: Path, number: int) -> None:
    """One string in every place that takes text."""
    hostile = markdown_of(tmp_path / "hostile", *placed(dict.fromkeys(PLACES, HOSTILE[number])))
    assert_untouched(hostile, markdown_of(tmp_path / "plain", *placed(PLAIN)))


def mutated(value: Any, replacement: Any, choose: random.Random) -> Any:
    """A copy with one leaf or branch, chosen at random, replaced."""
    if isinstance(value, dict) and value and choose.random() < 0.9:
        key = choose.choice(sorted(value))
        return {**value, key: mutated(value[key], replacement, choose)}
    if isinstance(value, list) and value and choose.random() < 0.7:
        place = choose.randrange(len(value))
        return [*value[:place], mutated(value[place], replacement, choose), *value[place + 1 :]]
    return replacement


EXTREME = st.sampled_from([5e-324, 1e-12, 1e9, 1e100, 1.7976931348623157e308])
RECORDS = [one()[0], one()[10], one()[12], tuned_lstm()]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(range(len(RECORDS))),
    JSON | st.floats(allow_nan=False, allow_infinity=False) | EXTREME,
    st.randoms(use_true_random=False),
)
def test_any_record_that_is_valid_can_be_shown(
    tmp_path_factory: pytest.TempPathFactory, number: int, replacement: Any, choose: random.Random
) -> None:
    """A record with any one value changed to anything is refused with a problem, or makes a page in both languages."""
    original = RECORDS[number]
    root = write(tmp_path_factory.mktemp("mutated"), row("lstm", "gpu"), original)
    (path,) = [path for path in root.rglob(f"{original['model']['key']}.{original['device']}.json") if path.is_file()]
    path.write_text(json.dumps(mutated(original, replacement, choose)), encoding="utf-8")
    loaded = load_results(root)
    for language in ("ko", "en"):
        page = render_page(build_page(groups(loaded.results), loaded.problems, loaded.tunings), locale(language))
        assert page.startswith("---\nlayout: page\n")
        assert len(page) < 400_000


def test_building_a_page_changes_nothing(tmp_path: Path) -> None:
    """The same results give the same page again, in whatever order they come."""
    results = load_results(write(tmp_path, *one())).results
    first = render_page(build_page(groups(results)), locale("ko"))
    assert render_page(build_page(groups(reversed(results))), locale("ko")) == first
    assert page_of(tmp_path).sections == page_of(tmp_path).sections
