"""The pictures of the page."""

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from report.load import Device
from report.plots import MOST_GROUPS, PhaseName, Picture, draw_pictures
from tests.report.records import ROWS, failed, loaded, phase, record

PUBLISHED: dict[tuple[str, Device, PhaseName], float] = {("densenet-24x3", "cpu", "train"): 120.0}
UNSTABLE = [{"key": "unstable", "phase": "train", "reason": "the middle half spans 12 % of the median"}]


def bench(**changes: Any) -> list[dict[str, Any]]:
    """A record of every row on the CPU, the first with an unstable training time."""
    return [record(row, **({"marks": UNSTABLE} if row == "lstm" else {}), **changes) for row in ROWS]


def drawn(folder: Path, *records: dict[str, Any], locale: str = "en") -> dict[str, Picture]:
    """The pictures of these records by kind."""
    results = loaded(folder / "results", *records)
    return {picture.kind: picture for picture in draw_pictures(results, PUBLISHED, folder / "pictures", locale)}


def texts(picture: Picture) -> list[str]:
    """Every text of a picture, as text."""
    tree = ElementTree.parse(picture.path)
    return ["".join(element.itertext()).strip() for element in tree.iter("{http://www.w3.org/2000/svg}text")]


def test_every_kind_is_drawn_where_its_data_are(tmp_path: Path) -> None:
    """A whole bench gives four pictures, each below its machine and stack, with a title and an alt text."""
    pictures = drawn(tmp_path, *bench())
    assert list(pictures) == ["forecasts", "seconds", "losses", "unstable"]
    for kind, picture in pictures.items():
        assert picture.path == tmp_path / "pictures" / "box" / "cpu" / f"{kind}.svg"
        assert picture.path.is_file()
    assert [(picture.title, picture.alt) for picture in pictures.values()] == [
        (
            "Forecasts of the 44 test months, box, cpu",
            "Line chart of the 44 airline test months on the scale 0 to 1, measured on box, cpu: the truth and the "
            "forecasts of LSTM, AR.",
        ),
        (
            "Seconds a batch, box, cpu",
            "Dot chart on a logarithmic scale of the median seconds a batch with 95 % intervals on box, cpu: LSTM "
            "(2 stacked LSTM), AR (12 lags), Bi-LSTM (2 stacked Bi-LSTM), DenseNet (3 x 24 dense).",
        ),
        (
            "Training loss, box, cpu",
            "Line charts of the loss after each epoch, measured on box, cpu: LSTM (2 stacked LSTM), Bi-LSTM (2 stacked "
            "Bi-LSTM), DenseNet (3 x 24 dense).",
        ),
        (
            "Samples over time of unstable rows, box, cpu",
            "Charts of every sample in the order of measurement, with the median as a line, of the rows marked "
            "unstable on box, cpu: LSTM, CPU, training.",
        ),
    ]


@pytest.mark.parametrize(
    ("locale", "expected"),
    [("en", ["truth", "test month", "published 2017"]), ("ko", ["실제 값", "테스트 월", "2017년 게시 값"])],
)
def test_text_stays_text_in_either_language(tmp_path: Path, locale: str, expected: list[str]) -> None:
    """Labels can be searched, copied and read out in Korean and in English, and name the models."""
    pictures = drawn(tmp_path, *bench(), locale=locale)
    found = [text for picture in pictures.values() for text in texts(picture)]
    assert set(expected) <= set(found)
    assert {"LSTM", "AR", "DenseNet", "CPU(T)", "CPU(P)"} <= set(found)


def test_the_same_results_give_the_same_bytes(tmp_path: Path) -> None:
    """No date, no version, no random name, and no setting of the person's own matplotlib gets into a picture."""
    one = drawn(tmp_path / "one", *bench())
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "black", "lines.linewidth": 9}):
        two = drawn(tmp_path / "two", *bench())
        assert matplotlib.rcParams["font.size"] == 30
    for kind in one:
        assert one[kind].path.read_bytes() == two[kind].path.read_bytes()
        assert not re.search(r"<dc:date>|Matplotlib v", one[kind].path.read_text(encoding="utf-8"))


def test_nothing_is_drawn_of_nothing(tmp_path: Path) -> None:
    """Failures and rows without forecasts, losses or marks leave no empty picture behind."""
    assert drawn(tmp_path, failed("lstm", "out of memory"), failed("ar", "no data")) == {}
    assert list(drawn(tmp_path, record("bi-lstm"))) == ["seconds", "losses"]


def test_only_seconds_a_batch_that_count_are_shown(tmp_path: Path) -> None:
    """A time for a whole fit, and one of a model that was not really training, have no dot."""
    timing = {"train": phase(9.0, unit="fit"), "predict": phase(0.1), "epoch": None, "test_set": None}
    cheat = {"train": phase(0.2, counts=False, reason="the loss stood still"), "predict": None, "epoch": None}
    pictures = drawn(tmp_path, record("ar", timing=timing), record("lstm", timing={**cheat, "test_set": None}))
    labels = texts(pictures["seconds"])
    assert "AR" in labels
    assert "CPU(P)" in labels
    assert "CPU(T)" not in labels
    assert "LSTM" not in labels


def contrast(one: str, other: str) -> float:
    """The contrast of two colours (WCAG 2.2, relative luminance and contrast ratio)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("background", ["#ffffff", "#0d1117"])
def test_pictures_are_legible_in_light_and_dark(tmp_path: Path, background: str) -> None:
    """The background is transparent, and every colour has a contrast of 3 to white and to a dark page, text of 4."""
    for picture in drawn(tmp_path, *bench()).values():
        svg = picture.path.read_text(encoding="utf-8")
        colours = set(re.findall(r"(?:fill|stroke): ?(#[0-9a-f]{6})", svg))
        assert colours
        assert min(contrast(colour, background) for colour in colours) >= 3
        labels = set(re.findall(r"<text style=\"[^\"]*fill: ?(#[0-9a-f]{6})", svg))
        assert labels
        assert min(contrast(label, background) for label in labels) >= 4


def test_figures_that_no_axis_can_show_are_gaps(tmp_path: Path) -> None:
    """Missing, enormous and negative losses, and forecasts of another length, neither stop nor warn."""
    made = record("lstm")
    made["quality"]["history"] = {"loss": [1.0, None, 1e300, -3.0, 0.5], "val_loss": [], "accuracy": [0.1, 0.2]}
    made["quality"]["forecasts"]["recursive"] = [1e200] * 44
    made["quality"]["forecasts"]["one-step"] = [0.1] * 50
    pictures = drawn(tmp_path, made)
    assert "recursive: 44 months ahead from the train part" in texts(pictures["forecasts"])
    assert "one step ahead: each month from the 12 true ones before" not in texts(pictures["forecasts"])
    assert "loss" in texts(pictures["losses"])


def test_a_long_series_is_thinned(tmp_path: Path) -> None:
    """A million epochs do not make a picture of a hundred megabytes."""
    made = record("lstm")
    made["quality"]["history"] = {"loss": [1.0 + (epoch % 7) for epoch in range(200_000)]}
    assert drawn(tmp_path, made)["losses"].path.stat().st_size < 100_000


def test_of_many_machines_the_first_get_pictures(tmp_path: Path) -> None:
    """The time for pictures does not grow with the number of machines."""
    records = [record("densenet-24x3", machine=f"box{number}") for number in range(MOST_GROUPS + 2)]
    pictures = draw_pictures(loaded(tmp_path / "results", *records), PUBLISHED, tmp_path / "pictures", "en")
    assert {picture.machine for picture in pictures} == {f"box{number}" for number in range(MOST_GROUPS)}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_any_name_makes_a_valid_picture(tmp_path: Path, name: str) -> None:
    """Whatever a title, params or history key holds, the SVG is well-formed, inert and stays in its folder."""
    check_inert(tmp_path, name)


@pytest.mark.parametrize(
    "name", ["$x^{$", "<script>alert(1)</script>", "]]><!--", "\x00\x1b[31m\ufffe", "\u202egnp.exe", "a" * 500, "_"]
)
def test_hostile_names_are_text(tmp_path: Path, name: str) -> None:
    """Mathtext, markup, control and bidirectional characters are shown or dropped, never obeyed."""
    check_inert(tmp_path, name)


def check_inert(folder: Path, name: str) -> None:
    """Draws a row called ``name`` and looks at the picture's elements and attributes."""
    made = record("lstm", marks=UNSTABLE)
    made["model"].update(title=name, params=name)
    made["quality"]["history"] = {f"loss{name}"[:100]: [1.0, 0.5]}
    for picture in drawn(folder, made).values():
        assert picture.path.resolve().is_relative_to(folder.resolve())
        tags = {element.tag.rpartition("}")[2] for element in ElementTree.parse(picture.path).iter()}
        assert not tags & {"script", "a", "image", "foreignObject", "iframe"}
        assert not re.search("[\u202a-\u202e\u2066-\u2069\ufffe\uffff]", picture.path.read_text(encoding="utf-8"))
