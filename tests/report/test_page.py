"""The page as a whole: golden files in both languages, and a page that hostile results cannot touch."""

import copy
import dataclasses
import json
import random
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from report.documents import Problem
from report.load import Result, load_results
from report.page import DETAILED_SECTIONS, Picture, build_page, render_page
from report.published import published_figures
from tests.report.fixtures.build import FOLDER, Record, energy, mark, memory, one, tuned_lstm, write
from tests.report.golden import make
from tests.report.test_escape import HOSTILE, hostile_text
from tests.report.test_load import JSON


@pytest.mark.parametrize(("fixture", "language"), make.PAGES)
def test_the_page_is_the_golden_file(fixture: str, language: str) -> None:
    """The whole page, front matter to last line; regenerate with python -m tests.report.golden.make."""
    golden = make.FOLDER / f"{fixture}.{language}.markdown"
    assert make.page(fixture, language) == golden.read_text(encoding="utf-8")


def test_the_front_matter_is_as_published() -> None:
    """Keys and values of the page of 2017-08-05, in its order."""
    assert make.page("one", "ko").splitlines()[:9] == [
        "---",
        "layout: page",
        "title: 딥러닝 모델 비교 분석",
        "date:   2017-08-05 01:00:00",
        'categories: "deep-learning"',
        "asset_path: /assets/images/",
        "tags: ['resnet', 'densenet']",
        "",
        "---",
    ]


def test_the_models_table_has_the_published_header() -> None:
    """Eleven columns in their order, and as many cells in every row."""
    page = make.page("one", "ko")
    header = "| Model | Params | Lib | Data | Loss | Accuracy | Memory | CPU(T) | CPU(P) | GPU(T) | GPU(P) |"
    table = page[page.index(header) :].split("\n\n")[0].splitlines()
    assert len(table) == 2 + 8
    assert {line.count("|") for line in table} == {12}


def test_every_figure_links_to_its_record_and_every_mark_to_its_note() -> None:
    """Each link leads to a record of the fixtures or to a place on the page, and each note is referred to."""
    page = make.page("one", "en")
    files = set(re.findall(r"\]\(2017-08-05_Model-Comparison/([^)]+)\)", page))
    tables = {"results.csv", "results.json", "results.parquet", "dictionary.json"}
    assert tables <= files
    files -= tables
    assert files <= {path.relative_to(FOLDER / "one").as_posix() for path in (FOLDER / "one").rglob("*.json")}
    assert (
        len(files) == 13 + 2
    )  # but the two that were skipped and the tuning that failed: no figure of theirs is shown
    anchors, marks = set(re.findall(r'<a id="([^"]+)">', page)), set(re.findall(r'<a href="#([^"]+)">', page))
    assert anchors == marks


def test_a_page_about_many_machines_is_brief() -> None:
    """More than six sections keep their tables and leave out what would bury them; the page says how to see it."""
    results = load_results(FOLDER / "many").results

    def machines(count: int) -> str:
        copies = [dataclasses.replace(results[0], machine=f"m{number}") for number in range(count)]
        return render_page(build_page(copies, published_figures()), "en")

    assert machines(DETAILED_SECTIONS).count("### Reproduction") == DETAILED_SECTIONS
    brief = machines(DETAILED_SECTIONS + 1)
    assert brief.count("### Models") == DETAILED_SECTIONS + 1
    assert brief.count("### Reproduction") == 0
    assert "With MACHINE=name, `make page` shows one machine with all of them." in brief


def test_pictures_stand_in_their_section_with_an_alt_text() -> None:
    """A picture is shown with its machine, and its texts are escaped."""
    pictures = [Picture("2017-08-05_Model-Comparison/gtx-box/gtx1080/a.svg", "a | b", "c <d>", "gtx-box", "gtx1080")]
    page = render_page(build_page(load_results(FOLDER / "one").results, published_figures(), (), pictures), "en")
    assert "\n![a &#124; b](2017-08-05_Model-Comparison/gtx-box/gtx1080/a.svg)\n\nc &#60;d&#62;\n" in page


def test_files_that_could_not_be_used_are_named_on_the_page() -> None:
    """A reader sees what is missing; of very many problems the first hundred."""
    problems = [Problem(f"m/s/{number}.json", "is | empty", "delete it") for number in range(150)]
    page = render_page(build_page(load_results(FOLDER / "one").results, published_figures(), problems), "en")
    assert "* **m/s/0.json**: is &#124; empty; delete it\n" in page
    assert page.count("is &#124; empty") == 100
    assert "* and 50 more\n" in page


LINES = ("title", "params", "library")
NOTES = ("quality notes", "quality reason", "mark reason", "score note", "baseline", "protocol", "metric")
TUNING = ("tuned title", "tuned params", "kept option", "other option", "tuning reason", "attempt reason", "odd mark")
HARDWARE = ("cpu", "gpu", "os", "driver", "python", "version", "energy source")
PLACES = (*LINES, *NOTES, *TUNING, *HARDWARE, "reason", "not training", "source", "image", "history")
PLAIN = dict.fromkeys(PLACES, "plain")


def placed(texts: Mapping[str, str]) -> list[Record]:
    """Three results and two tunings with ``texts`` wherever they take free text; each ends in words of its own."""

    def text(place: str, most: int) -> str:
        return texts[place][: most - 10] + f" p{PLACES.index(place)}"

    made = copy.deepcopy([r for r in one() if r["model"]["key"] in ("lstm", "densenet-24x3")][:3])
    lstm, other, image = made
    other.update(status="failed", reason=text("reason", 4000), log=text("reason", 20000))
    lstm["model"].update({name: text(name, 500) for name in LINES})
    quality = lstm["quality"]
    quality["notes"] = [text("quality notes", 4000)]
    quality["scores"][0].update(note=text("score note", 2000), protocol=text("protocol", 100))
    quality["scores"][-1]["name"] = text("baseline", 100)
    quality["loss_metric"] = quality["accuracy_metric"] = text("metric", 100)
    quality["history"] = {text("history", 100): [1.0]}
    image["quality"] = {**copy.deepcopy(quality), "scores": [], "reason": text("quality reason", 4000)}
    image["timing"]["train"].update(counts=False, reason=text("not training", 2000))
    lstm["marks"] = [
        mark("novel", "all", text("mark reason", 2000)),
        mark("throttled", "train", "x", reasons=text("mark reason", 10**6)),
    ]
    environment = lstm["environment"]
    environment.update(cpu=text("cpu", 500), os=text("os", 500), python=text("python", 100))
    environment["gpu"].update(name=text("gpu", 500), driver=text("driver", 100))
    environment["versions"] = {text("version", 100): text("version", 200)}
    lstm["data"]["source"] = text("source", 500)
    lstm["provenance"]["image"] = text("image", 500)
    lstm["energy"] = energy(text("energy source", 500), 1.5, 0.5)
    tuned = tuned_lstm()
    tuned["model"].update(title=text("tuned title", 500), params=text("tuned params", 500))
    tuned["chosen"] = [text("kept option", 100)]
    for attempt in tuned["attempts"][1:]:
        attempt.update(option=text("other option", 100), **{"with": tuned["chosen"]})
    tuned["attempts"][3]["reason"] = text("attempt reason", 4000)
    tuned["attempts"][4]["marks"] = tuned["pairs"]["as_written"]["marks"] = [
        mark("novel", "all", text("odd mark", 2000), reasons=text("odd mark", 2000))
    ]
    untold = {**copy.deepcopy(tuned), "device": "gpu", "pairs": None, "reason": text("tuning reason", 4000)}
    image["kernel_path"] = {"peak_memory": text("odd mark", 2000)}
    return [*made, tuned, untold]


def page_of(root: Path, records: list[Record], language: str = "en") -> str:
    """The page about these records, all of which must be valid."""
    loaded = load_results(write(root, records))
    assert loaded.problems == ()
    return render_page(build_page(loaded.results, published_figures(), tunings=loaded.tunings), language)


LINK = re.compile(r"\]\(([^)\s]*)\)|href=\"([^\"]*)\"")
OURS = re.compile(
    r"#(?:note-\d+-\d+|section-\d+)|2017-08-05_Model-Comparison/[\w.-]+/[\w.-]+/(?:tuning/)?[\w.-]+\.json"
    r"|2017-08-05_Model-Comparison/(?:results\.(?:csv|json|parquet)|dictionary\.json)|https://arxiv\.org/abs/1608\.06993"
)
TAGS = re.compile(r"</?(?:div|sup|a|br)\b[^<>]*>")


def assert_untouched(page: str, plain: str) -> None:
    """The page has the same shape as one with plain words: hostile text added no line, cell, tag, link or command."""
    lines, expected = page.splitlines(), plain.splitlines()
    assert len(lines) == len(expected)
    for line, wanted in zip(lines, expected, strict=True):
        assert line.count("|") == wanted.count("|")
        assert line[:2] == wanted[:2]
    assert TAGS.findall(page) == TAGS.findall(plain)
    body = page.split("---", 2)[2]
    assert "<" not in TAGS.sub("", body)
    assert "{" not in body
    assert LINK.findall(page) == LINK.findall(plain)
    assert all(OURS.fullmatch(first or second) for first, second in LINK.findall(page))
    assert all(character.isprintable() or character == "\n" for character in page)
    assert len(page) < 400_000


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.fixed_dictionaries(dict.fromkeys(PLACES, hostile_text)), st.sampled_from(["ko", "en"]))
def test_hostile_text_acts_on_no_part_of_the_page(
    tmp_path_factory: pytest.TempPathFactory, texts: dict[str, str], language: str
) -> None:
    """Whatever stands in a record's texts, the page keeps its lines, its tables, its tags and its links."""
    page = page_of(tmp_path_factory.mktemp("hostile"), placed(texts), language)
    assert_untouched(page, page_of(tmp_path_factory.mktemp("plain"), placed(PLAIN), language))


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_each_hostile_string_everywhere_at_once(tmp_path: Path, number: int) -> None:
    """One string in every place that takes text."""
    hostile = page_of(tmp_path / "hostile", placed(dict.fromkeys(PLACES, HOSTILE[number])))
    assert_untouched(hostile, page_of(tmp_path / "plain", placed(PLAIN)))


def mutated(value: Any, replacement: Any, choose: random.Random) -> Any:
    """A copy with one leaf or branch, chosen at random, replaced."""
    if isinstance(value, dict) and value and choose.random() < 0.9:
        key = choose.choice(sorted(value))
        return {**value, key: mutated(value[key], replacement, choose)}
    if isinstance(value, list) and value and choose.random() < 0.7:
        place = choose.randrange(len(value))
        return [*value[:place], mutated(value[place], replacement, choose), *value[place + 1 :]]
    return replacement


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 14), JSON | st.floats(allow_nan=False, allow_infinity=False), st.randoms(use_true_random=False))
def test_any_record_that_is_valid_can_be_shown(
    tmp_path_factory: pytest.TempPathFactory, number: int, replacement: Any, choose: random.Random
) -> None:
    """A record with any one value changed to anything is refused with a problem, or makes a page in both languages."""
    made = mutated(one()[number], replacement, choose)
    root = tmp_path_factory.mktemp("mutated")
    original = one()[number]
    path = root / "gtx-box" / "gtx1080" / f"{original['model']['key']}.{original['device']}.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(made), encoding="utf-8")
    loaded = load_results(root)
    assert len(loaded.results) + bool(loaded.problems) == 1
    for language in ("ko", "en"):
        page = render_page(build_page(loaded.results, published_figures(), loaded.problems), language)
        assert page.startswith("---\nlayout: page\n")
        assert len(page) < 400_000


def measurements(page: str) -> list[dict[str, str]]:
    """The English Measurements table: heading to cell, a row a phase."""
    table = page[page.index("## Measurements") :].split('aria-label="Measurements">\n\n')[1].split("\n\n")[0]
    headings, _, *rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines())
    return [dict(zip(headings, row, strict=True)) for row in rows]


def first(**changes: Any) -> Record:
    """The fixtures' first result, changed."""
    return {**copy.deepcopy(one()[0]), **changes}


def test_energy_is_shown_where_it_was_counted(tmp_path: Path) -> None:
    """A column of joules a batch, empty where nobody counted, with a sentence that says what is in them."""
    made = [first(energy=energy("RAPL package counters", 1.23456, None)), first(device="gpu")]
    page = page_of(tmp_path, made)
    link = "(2017-08-05_Model-Comparison/gtx-box/gtx1080/lstm.cpu.json)"
    assert [row["Energy (J)"] for row in measurements(page)] == [f"[1.23]{link}", "", "", ""]
    assert (
        "\n* **Energy**: joules a batch (a fit for models without batches), from RAPL package counters. Counted is the "
        "whole graphics card (NVML) or the whole processor package (RAPL), with what it draws at rest and what other "
        "processes did meanwhile. An empty cell was not counted.\n"
    ) in page
    korean = page_of(tmp_path, made, "ko")
    assert "\n* **에너지**: 배치당(배치가 없는 모델은 맞춤당) 줄(J)입니다(출처: RAPL package counters)." in korean
    assert " | 에너지 (J) |\n" in korean


@pytest.mark.parametrize(
    "counted",
    [None, energy("RAPL package counters", None, None), energy("RAPL package counters", 0.0, -1.5)],
    ids=["nobody counted", "nothing counted", "a counter that stood still or ran backwards"],
)
def test_without_a_figure_there_is_no_energy_column(tmp_path: Path, counted: Record | None) -> None:
    """What was not counted is never a zero: neither column nor legend is there."""
    page = page_of(tmp_path, [first(energy=counted)])
    assert "Energy (J)" not in measurements(page)[0]
    assert "**Energy**" not in page


def test_no_energy_is_shown_of_what_was_no_training(tmp_path: Path) -> None:
    """Where the time does not count, neither do the joules."""
    made = first(energy=energy("RAPL package counters", 1.5, 0.25))
    made["timing"]["train"].update(counts=False, reason="the training loss was not finite")
    assert [row["Energy (J)"].partition("]")[0] for row in measurements(page_of(tmp_path, [made]))] == ["", "[0.250"]


@pytest.mark.parametrize(
    ("before", "peak", "shown"),
    [
        (90_000_000, 412_000_000, ("412MB", "322MB")),
        (None, 412_000_000, ("412MB", "")),
        (90_000_000, None, ("", "")),
        (90_000_000, 0, ("", "")),
        (500_000_000, 412_000_000, ("412MB", "")),
    ],
)
def test_resident_memory_is_shown_in_all_and_of_the_steps(
    tmp_path: Path, before: int | None, peak: int | None, shown: tuple[str, str]
) -> None:
    """The peak, and the peak less what was there before the steps; empty where either was not counted."""
    made = first(memory={**memory(), "resident_before_bytes": before, "peak_resident_bytes": peak})
    rows = measurements(page_of(tmp_path, [made]))
    assert {(row["Resident memory, peak"], row["Resident memory, steps alone"]) for row in rows} == {shown}


@pytest.mark.parametrize(
    ("device", "threads", "said"),
    [("cpu", 2, "CPU, 2 threads"), ("cpu", 1, "CPU, 1 thread"), ("cpu", None, "CPU"), ("gpu", 2, "GPU")],
)
def test_rows_of_the_cpu_say_how_many_threads_made_them(
    tmp_path: Path, device: str, threads: int | None, said: str
) -> None:
    """Nothing where the record does not say, or of the GPU; the legend speaks of threads where any row does."""
    made = first(device=device)
    made["environment"]["threads"] = threads
    page = page_of(tmp_path, [made])
    assert [row["Phase"] for row in measurements(page)] == [f"{said}, training", f"{said}, prediction"]
    assert ("\n* **Threads**: how many threads" in page) == (said not in ("CPU", "GPU"))


def card_memory(page: str) -> list[dict[str, str]]:
    """The English table of GPU memory: heading to cell, a row a model, without links."""
    table = page.split("## GPU memory\n")[1].split('aria-label="GPU memory">\n\n')[1].split("\n\n")[0]
    headings, _, *rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines())
    link = "](2017-08-05_Model-Comparison/gtx-box/gtx1080/lstm.gpu.json)"
    for row in rows:
        assert all(link in cell for cell in row[2:] if cell)
    return [dict(zip(headings, (cell.lstrip("[").replace(link, "") for cell in row), strict=True)) for row in rows]


def on_gpu(path: Any = None, **counted: int | None) -> Record:
    """The LSTM on the GPU with these bytes counted."""
    return first(device="gpu", memory={**memory(), **counted}, kernel_path=path)


WHOLE_PROCESS = {"peak_memory": "of the whole process"}
COUNTED = {
    "peak_allocated_bytes": 61_000_000,
    "peak_reserved_bytes": 94_400_000,
    "device_before_bytes": 0,
    "device_after_bytes": 521_000_000,
    "device_total_bytes": 8 * 2**30,
}


@pytest.mark.parametrize(
    ("path", "behind"),
    [
        (WHOLE_PROCESS, " (whole process)"),
        ({"peak_memory": "since the last reset"}, ""),
        ({"peak_memory": ["of the whole process"]}, ""),
        ({}, ""),
        (None, ""),
    ],
)
def test_gpu_memory_is_shown_as_it_was_counted_three_ways(tmp_path: Path, path: Any, behind: str) -> None:
    """Allocated, reserved and the whole card, each linked; and whether the peaks are of the whole process."""
    page = page_of(tmp_path, [first(), on_gpu(path, **COUNTED)])
    assert card_memory(page) == [
        {
            "Model": "LSTM",
            "Params": "2 stacked LSTM",
            "Allocated, peak": f"61MB{behind}",
            "Reserved, peak": f"94MB{behind}",
            "Whole card, before": "0MB",
            "Whole card, after": "521MB",
            "Whole card, in all": "8590MB",
        }
    ]
    assert ("* **Whole process**: " in page) == bool(behind)
    for language, kinds in (("en", ("Allocated", "Reserved", "Whole card")), ("ko", ("할당", "예약", "카드 전체"))):
        page = page_of(tmp_path, [on_gpu(path, **COUNTED)], language)
        assert [f"\n* **{kind}**: " in page for kind in kinds] == [True] * 3


@pytest.mark.parametrize(
    ("counted", "shown"),
    [
        ({"peak_allocated_bytes": 61_000_000}, ["61MB (whole process)", "", "", "", ""]),
        ({"device_before_bytes": 310_000_000}, ["", "", "310MB", "", ""]),
        (
            {**COUNTED, "peak_allocated_bytes": 0, "device_total_bytes": 0},
            ["", "94MB (whole process)", "0MB", "521MB", ""],
        ),
    ],
)
def test_memory_that_was_not_counted_is_an_empty_cell(
    tmp_path: Path, counted: dict[str, int], shown: list[str]
) -> None:
    """A net that ran held something, so a peak of nothing was not counted; an empty card is thinkable."""
    (row,) = card_memory(page_of(tmp_path, [on_gpu(WHOLE_PROCESS, **counted)]))
    assert list(row.values())[2:] == shown


@pytest.mark.parametrize(
    "made",
    [on_gpu(), on_gpu(device_total_bytes=2**33), on_gpu(peak_allocated_bytes=0), first(device="gpu", memory=None)],
    ids=["nobody counted", "the card's size alone", "a peak of nothing", "no memory at all"],
)
def test_without_a_figure_there_is_no_table_of_gpu_memory(tmp_path: Path, made: Record) -> None:
    """Nor for what is not of a GPU."""
    page = page_of(tmp_path, [made, first(memory={**memory(), **COUNTED})])
    assert "GPU memory" not in page.split("## Measurements")[1]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "for the steps alone, what it held before the first one is taken off."),
        (
            "ko",
            "증가분은 여기서 첫 학습 단계 직전에 이미 차지하고 있던 만큼을 뺀 값으로, ",
        ),
    ],
)
def test_the_page_says_which_memory_is_meant(language: str, said: str) -> None:
    """Both figures of resident memory are defined above their table."""
    assert said in make.page("one", language)


def test_building_a_page_changes_nothing() -> None:
    """The same results give the same page again, in whatever order they come."""
    results: list[Result] = list(load_results(FOLDER / "one").results)
    first = render_page(build_page(results, published_figures()), "ko")
    assert render_page(build_page(reversed(results), published_figures()), "ko") == first
