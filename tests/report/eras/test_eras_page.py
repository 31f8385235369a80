"""The page of eras, made of records of several years."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from report.eras import page
from report.eras.picture import draw
from report.eras.years import Eras, Net, eras
from report.render.locale import locale
from tests.report.benches import made
from tests.report.building import Json, around, changed, failed, loaded, phase, reason, record, write
from tests.report.render.test_escape import HOSTILE

SAY = locale("en").plain
LSTM: Mapping[str, float] = {"2018": 0.012, "2019": 0.06, "2021": 0.016, "2026": 0.008}
VERSIONS = {"2018": "1.12.0", "2019": "2.0.0", "2021": "2.7.0", "2026": "2.21.0"}


def lstm(year: str, **changes: Any) -> Json:
    """The LSTM of a year: all of one bench, whose rounds measured every year."""
    seconds = LSTM[year]
    found = record("lstm", stack=year, train_s=around(seconds), predict_s=around(seconds / 4), **changes)
    for number, one in enumerate(found["processes"], 1):
        one["started"] = f"2026-11-24T{number:02}:{int(year) - 2000:02}:00Z"
    found["environment"]["python"] = "3.6.15" if year == "2018" else "3.8.18"
    found["environment"]["versions"] = {"tensorflow": VERSIONS[year], "numpy": "1.19.4"}
    found["execution"] = {"execution": "graph session" if year == "2018" else "tf.function", "onednn": None}
    return found


def twin(year: str) -> Json:
    """The same net in PyTorch."""
    found = lstm(year)
    found["model"] |= {"key": "lstm-pytorch", "library": "PyTorch", "order": 11}
    return {**found, "framework": "pytorch"}


def all_years() -> list[Json]:
    """Four years of Keras, one of them failed in AR, two of PyTorch."""
    skipped = failed("ar", stack="2018", status="skipped", reason=reason("python-missing", version="3.6"))
    return [*map(lstm, LSTM), twin("2018"), twin("2026"), skipped, record("ar", stack="2019")]


@pytest.fixture(name="found")
def found_eras(tmp_path: Path) -> Eras:
    """The years of one machine."""
    (found,) = eras(loaded(tmp_path, *all_years()))
    return found


def net(found: Eras, key: str) -> Net:
    """The net of that key."""
    return next(each for each in found.nets if each.key == key)


def test_the_rows_of_one_net_stand_together_by_year(found: Eras) -> None:
    """A twin in another framework belongs to the published row's net."""
    assert found.years == ("2018", "2019", "2021", "2026")
    assert [each.key for each in found.nets] == ["lstm", "ar"]
    lines = {line.name: [point.year for point in line.points] for line in net(found, "lstm").lines}
    assert lines == {"Keras": ["2018", "2019", "2021", "2026"], "PyTorch": ["2018", "2026"]}


def test_a_row_on_the_gpu_is_told_from_the_one_on_the_cpu(tmp_path: Path) -> None:
    """In the table and in the picture, by its name."""
    years = [lstm(year, device=device) for year in ("2018", "2019") for device in ("cpu", "gpu")]
    (found,) = eras(loaded(tmp_path, *years))
    assert sorted(line.name for line in found.nets[0].lines) == ["Keras", "Keras GPU"]


def test_each_year_is_compared_with_the_one_before_and_with_the_first(found: Eras) -> None:
    """In pairs within the rounds of their bench."""
    points = net(found, "lstm").lines[0].points
    assert points[0].before == points[0].first == {}
    before, first = points[2].before["train"], points[2].first["train"]
    assert before.ratio is not None
    assert first.ratio is not None
    assert before.ratio.value == pytest.approx(0.016 / 0.06)
    assert first.ratio.value == pytest.approx(0.016 / 0.012)
    assert (before.word, first.word, before.ratio.paired) == ("faster", "slower", True)


def test_a_year_that_failed_is_passed_over_and_named_with_its_reason(found: Eras) -> None:
    """The next one has nothing before it."""
    (line,) = net(found, "ar").lines
    assert [(point.year, bool(point.times), point.before) for point in line.points] == [
        ("2018", False, {}),
        ("2019", True, {}),
    ]
    assert [(each.stack, SAY(text)) for each, text in page.missing(found)] == [
        ("2018", "skipped: there is no Python 3.6 on this machine")
    ]


def test_a_net_that_did_not_train_has_no_time_and_a_reason(tmp_path: Path) -> None:
    """In its cell, and under the rows without a time where it has none at all."""
    still = reason("parameters-unchanged")
    years = [lstm(year) for year in LSTM]
    for process in years[0]["processes"]:
        for name in ("train", "predict"):
            process[name] |= {"valid": False, "reason": still}
    (found,) = eras(loaded(tmp_path, *years))
    _, _, cells = next(page.table(found, net(found, "lstm")))
    assert SAY(cells[0]) == "training did not change the parameters"
    assert [SAY(text) for _, text in page.missing(found)] == ["training did not change the parameters"]


def test_years_are_in_order_even_if_a_row_s_place_among_the_rows_changed(tmp_path: Path) -> None:
    """A release that adds rows may renumber the others."""
    (found,) = eras(loaded(tmp_path, changed(lstm("2018"), "model.order", 9), lstm("2019")))
    assert [point.year for point in found.nets[0].lines[0].points] == ["2018", "2019"]


def test_what_one_of_two_years_did_not_record_is_no_change(tmp_path: Path) -> None:
    """An execution fact needs two values; a package may have been absent."""
    years = lstm("2018"), lstm("2019")
    years[0]["execution"]["lstm"] = "generic"
    years[1]["execution"]["onednn"] = True
    years[1]["environment"]["versions"]["keras"] = "2.2.4"
    (found,) = eras(loaded(tmp_path, *years))
    ((_, _, _, told),) = page.neighbours(found)
    assert SAY(told) == (
        "python 3.6.15 → 3.8.18, tensorflow 1.12.0 → 2.0.0, keras – → 2.2.4, execution graph session → tf.function"
    )


def test_the_largest_changes_are_told_with_what_changed_beside_them(found: Eras) -> None:
    """By the size of the ratio, whichever its direction; three of them."""
    told = [SAY(page.sentence(change)) for change in found.changes()]
    assert max(told[:2]) == (  # prediction changed as much
        "LSTM (2 stacked LSTM), Keras, training: 5.00 times slower from 2018 to 2019 (95 % interval 5.00 to 5.00). "
        "What changed with it: python 3.6.15 → 3.8.18, tensorflow 1.12.0 → 2.0.0, execution graph session → "
        "tf.function."
    )
    assert len(told) == 3
    assert "3.75 times faster from 2019 to 2021" in told[2]


def test_what_is_not_certain_is_no_change(tmp_path: Path) -> None:
    """An interval that has 1 in it, and figures of a smoke run, or compared with one."""
    noisy = [record("lstm", stack=year, train_s=[0.01, 0.02, 0.03], predict_s=[0.01, 0.02, 0.03]) for year in LSTM]
    smoke = [{**lstm(year, machine="other"), "profile": "smoke"} for year in LSTM]
    half = [{**lstm("2018", machine="third"), "profile": "smoke"}, lstm("2019", machine="third")]
    assert [found.changes() for found in eras(loaded(tmp_path, *noisy, *smoke, *half))] == [[], [], []]


def test_one_interval_among_many_may_exclude_1_by_chance(tmp_path: Path) -> None:
    """Alone it is a verdict; among twelve ratios that show nothing it is none, and no change that is told."""
    steady, later = [0.010, 0.0102, 0.0098, 0.0101, 0.0099], [0.0103, 0.0105, 0.0101, 0.0105, 0.0100]
    nothing = [0.010, 0.0098, 0.0102, 0.0099, 0.0101]

    def years(row: str, after: list[float]) -> list[Json]:
        found = [lstm(year) for year in ("2018", "2019")]
        for one, seconds in zip(found, (steady, after), strict=True):
            one["model"] |= {"key": row, "title": row}
            for process, each in zip(one["processes"], seconds, strict=True):
                process["train"] |= phase(each)
                process["predict"] |= phase(0.01)
        return found

    (alone,) = eras(loaded(tmp_path / "alone", *years("lstm", later)))
    many = [one for number in range(11) for one in years(f"same-{number}", nothing)]
    (among,) = eras(loaded(tmp_path / "among", *years("lstm", later), *many))
    shown = []
    for found in (alone, among):
        _, (_, _, cells) = page.table(found, net(found, "lstm"))
        shown.append((SAY(cells[1]).partition(") ")[2], len(found.changes())))
    assert shown == [("slower", 1), ("may be chance", 0)]


def test_times_of_other_work_are_not_compared(tmp_path: Path) -> None:
    """A verdict says which field differs."""
    other = changed(lstm("2019"), "model.parameters", 5)
    (found,) = eras(loaded(tmp_path, lstm("2018"), other))
    _, (_, _, cells) = page.table(found, found.nets[0])
    assert SAY(cells[1]) == "not comparable: different model.parameters"
    assert found.changes() == []


def test_one_year_alone_makes_no_page(tmp_path: Path) -> None:
    """Nor do stacks that are no years."""
    assert eras(loaded(tmp_path, lstm("2018"), record("lstm", stack="cpu"), record("ar", stack="20181"))) == ()


def test_the_picture_has_a_line_and_a_band_for_each_framework_and_phase(found: Eras) -> None:
    """Its words are text, and its description has the ends of each line."""
    drawn = draw(found, net(found, "lstm"), SAY)
    assert drawn is not None
    tree = ElementTree.fromstring(drawn[0])
    paths = [path.attrib for path in tree.iter("{http://www.w3.org/2000/svg}path")]
    assert len([path for path in paths if path.get("fill-opacity")]) == 4
    assert len([path for path in paths if path.get("fill") == "none"]) == 4
    texts = ["".join(text.itertext()) for text in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert {"Keras: training", "PyTorch: prediction", "2018", "2019", "2021", "2026"} <= set(texts)
    assert "Keras, training: 0.012 s in 2018, 0.0080 s in 2026." in SAY(drawn[1])
    assert draw(found, net(found, "ar"), SAY) is None


@pytest.mark.parametrize(
    ("language", "legend"),
    [
        ("ko", "직전 연도는 그보다 앞선 연도 가운데 시간이 측정된 가장 최근 연도입니다. 비율은 프로세스마다 "),
        ("en", "A ratio compares the fastest sample of each process, which other programs disturb least, and need not"),
    ],
)
def test_the_site_has_the_page_and_the_main_page_links_to_it(tmp_path: Path, language: str, legend: str) -> None:
    """The main page is about the other stacks; its tables for programs have the years too."""
    results = write(tmp_path / "results", *all_years(), record("lstm"))
    site = tmp_path / "site"
    assert made(results, site, "--locale", language) == 0
    text = (site / "pages" / "eras.markdown").read_text("utf-8")
    assert legend in " ".join(text.split())
    assert "(eras.html)" in (site / "pages" / "2017-08-05_Model-Comparison.markdown").read_text("utf-8")
    assert 'href="eras.html"' in (site / "index.html").read_text("utf-8")
    assert "section-2" not in (site / "index.html").read_text("utf-8")
    assert "2019" in (site / "pages" / "2017-08-05_Model-Comparison" / "results.csv").read_text("utf-8")
    for target in [line.split(": ", 1)[1] for line in text.splitlines() if line.startswith("[box/")]:
        assert (site / "pages" / target).is_file()
    assert (site / "eras.html").read_text("utf-8").count("<svg ") == 1
    assert made(results, site, "--locale", language, "--check") == 0


def test_without_years_an_earlier_page_of_eras_is_removed(tmp_path: Path) -> None:
    """It would show results that are no longer there."""
    results = write(tmp_path / "results", *all_years(), record("lstm"))
    site = tmp_path / "site"
    assert made(results, site) == 0
    assert made(results, site, "--stack", "cpu") == 0
    left = {path.name for path in site.rglob("*") if path.is_file()}
    assert not left & {"eras.markdown", "eras.html", "eras-lstm.svg"}


def test_if_there_are_only_years_the_main_page_has_them(tmp_path: Path) -> None:
    """One section each, as of any stack."""
    results = write(tmp_path / "results", *all_years())
    assert made(results, tmp_path / "site", "--locale", "en") == 0
    text = (tmp_path / "site" / "pages" / "2017-08-05_Model-Comparison.markdown").read_text("utf-8")
    assert text.count("<summary>box, stack 20") == 4


def test_hostile_text_in_a_record_does_nothing_on_the_page(tmp_path: Path) -> None:
    """Versions and libraries are text of other machines."""
    hostile = "".join(HOSTILE[:5])
    years = [changed(lstm(year), "model.library", hostile) for year in ("2018", "2019")]
    years[1]["environment"]["versions"]["tensorflow"] = hostile
    results = write(tmp_path / "results", *years)
    assert made(results, tmp_path / "site", "--locale", "en") == 0
    assert "<script>alert" not in (tmp_path / "site" / "eras.html").read_text("utf-8")
