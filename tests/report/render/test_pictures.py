"""The pictures of the page."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from report.page.build import DETAILED_SECTIONS
from report.render.locale import locale
from report.render.pictures import Picture, draw
from report.render.pictures.svg import COLOURS, GREY, Scale, log_scale, tick
from tests.report.benches import gap, many, one, page_of, row, trained
from tests.report.building import Json, reason


def drawn(root: Path, *records: Json, language: str = "en") -> dict[str, Picture]:
    """The pictures of these records by kind."""
    return {picture.kind: picture for picture in draw(page_of(root, *records), locale(language))}


def texts(picture: Picture) -> list[str]:
    """Every text of a picture, as text."""
    tree = ElementTree.fromstring(picture.svg)
    return ["".join(element.itertext()) for element in tree.iter("{http://www.w3.org/2000/svg}text")]


def test_several_machines_share_an_overview(tmp_path: Path) -> None:
    """One picture of the page, beside those of each machine."""
    pictures = list(draw(page_of(tmp_path, *many()), locale("en")))
    assert (pictures[0].kind, pictures[0].place, pictures[0].name) == ("machines", None, "machines.svg")
    assert {"cloud, cpu", "cloud, current"} <= set(texts(pictures[0]))
    assert "laptop, cpu" not in texts(pictures[0])  # a smoke run
    assert {picture.place for picture in pictures[1:]} == {0, 1, 2}


def test_of_very_many_machines_only_the_overview_is_drawn(tmp_path: Path) -> None:
    """The time for pictures does not grow with their number."""
    records = [row("lstm", machine=f"m{number}") for number in range(DETAILED_SECTIONS + 1)]
    assert list(drawn(tmp_path, *records)) == ["machines"]


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", ["truth", "one step ahead", "published in 2017"]), ("ko", ["실제 값", "한 단계 앞", "2017년 게시 값"])],
)
def test_text_stays_text_in_either_language(tmp_path: Path, language: str, expected: list[str]) -> None:
    """Labels can be searched and copied, and every row is named once in the overview."""
    pictures = drawn(tmp_path, *one(), language=language)
    found = [text for picture in pictures.values() for text in texts(picture)]
    assert set(expected) <= set(found)
    names = texts(pictures["seconds"])
    assert all(names.count(name) == 1 for name in ("LSTM", "LSTM(AUG)", "AR", "Bi-LSTM", "DenseNet (3 x 24 dense)"))


def test_the_same_results_give_the_same_bytes(tmp_path: Path) -> None:
    """No date and no random name."""
    assert [p.svg for p in drawn(tmp_path, *one()).values()] == [p.svg for p in drawn(tmp_path, *one()).values()]


def test_nothing_is_drawn_of_nothing(tmp_path: Path) -> None:
    """Failures and rows without forecasts or losses leave no empty picture behind."""
    assert drawn(tmp_path / "a", gap("lstm", "cpu", "failed", reason("killed", signal="SIGSEGV"))) == {}
    assert list(drawn(tmp_path / "b", row("bilstm"))) == ["seconds", "samples"]


def test_a_record_that_is_gone_by_now_has_no_samples(tmp_path: Path) -> None:
    """The series are read again for the pictures; a bench may have removed a record since."""
    page = page_of(tmp_path, row("lstm", quality=trained(0.002, 0.9, 0.1)))
    (tmp_path / "gtx-box" / "gtx1080" / "lstm.cpu.json").unlink()
    assert [picture.kind for picture in draw(page, locale("en"))] == ["seconds"]


def test_only_valid_seconds_per_batch_are_shown(tmp_path: Path) -> None:
    """A time for a fit, and one of a model that was not training, have no dot."""
    cheat = {"median_s": 0.2, "valid": False, "reason": reason("loss-not-finite")}
    pictures = drawn(
        tmp_path, row("ar", train={"median_s": 9.0, "unit": "fit"}), row("lstm", train=cheat, predict=None)
    )
    labels = texts(pictures["seconds"])
    assert "CPU(P)" in labels
    assert "CPU(T)" not in labels


def contrast(one: str, other: str) -> float:
    """The contrast of two colours (WCAG 2.2, relative luminance and contrast ratio)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("background", ["#ffffff", "#14171b"])
def test_pictures_are_legible_in_light_and_dark(tmp_path: Path, background: str) -> None:
    """Every colour has a contrast of 3 to white and to a dark page, text of 4."""
    for picture in drawn(tmp_path, *one()).values():
        colours = set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]{6})"', picture.svg))
        assert colours <= {GREY, *COLOURS}
        assert min(contrast(colour, background) for colour in colours) >= 3
    assert contrast(GREY, background) >= 3.9


@pytest.mark.parametrize(("batch_size", "published"), [(32, 4), (4, 2)])
def test_a_published_time_is_not_drawn_beside_one_of_other_batches(
    tmp_path: Path, batch_size: int, published: int
) -> None:
    """Those of the CPU, where nothing was measured, are drawn all the same."""
    sized = {"median_s": 0.1, "batch_size": batch_size}
    described = locale("en").plain(drawn(tmp_path, row("densenet-24x3", "gpu", sized, sized))["seconds"].alt)
    assert f"Hollow marks: {published} published times." in described


def test_the_median_of_a_process_is_that_of_all_its_samples(tmp_path: Path) -> None:
    """Only every third sample is drawn, here the fast ones; the line of the median still lies at the slow ones."""
    timed = {"median_s": 0.03, "samples_s": [0.01, 0.03, 0.03] * 83 + [0.01]}
    picture = drawn(tmp_path, row("lstm", train=timed, predict=None, count=1))["samples"]
    dots = {float(y) for y in re.findall(r"M[\d.]+ ([\d.]+)h0", picture.svg)}
    (median,) = re.findall(r'<path d="M[\d.]+ ([\d.]+)L[^"]+" stroke="[^"]+" stroke-width="1"/>', picture.svg)
    assert float(median) < min(dots)
    assert locale("en").plain(picture.alt).startswith("Dot charts of samples in seconds by process")
    assert locale("ko").plain(picture.alt).startswith("측정한 단계 1개의 표본(초)을")


def test_figures_that_no_axis_can_show_are_gaps(tmp_path: Path) -> None:
    """Missing, enormous and negative losses, and forecasts of another length, neither stop nor warn."""
    made = row("lstm", quality=trained(0.002, 0.9, 0.1))
    made["quality"]["history"] = {"loss": [1.0, None, 1e99, -3.0, 0.5], "val_loss": [], "accuracy": [0.1, 0.2]}
    made["quality"]["forecasts"].update(recursive=[1e99] * 44, **{"one-step": [0.1] * 50})
    made["quality"]["forecasts"]["truth"] = [0.0] * 43 + [5e-324]
    made["processes"][0]["train"]["samples_s"] = [1e-12, 1e9]
    pictures = drawn(tmp_path, made)
    assert list(pictures) == ["seconds", "forecasts", "samples", "losses"]
    for picture in pictures.values():
        assert not re.search("nan|inf", picture.svg)


def test_losses_are_described_by_the_training_loss(tmp_path: Path) -> None:
    """Beside it a record may have the loss on held-out data, which begins and ends elsewhere."""
    made = row("lstm")
    made["quality"]["history"] = {"held_out_loss": [3.0, 2.0], "loss": [1.0, None, 0.5]}
    assert "LSTM: from 1.0 to 0.50." in locale("en").plain(drawn(tmp_path, made)["losses"].alt)


def test_a_long_series_is_thinned(tmp_path: Path) -> None:
    """A hundred thousand epochs do not make a picture of ten megabytes."""
    made = row("lstm")
    made["quality"]["history"] = {"loss": [1.0 + (epoch % 7) for epoch in range(100_000)]}
    assert len(drawn(tmp_path, made)["losses"].svg) < 100_000


def test_scales_have_round_ticks() -> None:
    """Decades on a logarithmic axis, at most six of them; ones, twos and fives on a linear one."""
    assert list(log_scale([3e-6, 40.0], 0, 100).ticks()) == [1e-6, 1e-4, 1e-2, 1.0, 100.0]
    assert list(Scale(0.13, 0.94, 0, 1).ticks(3)) == pytest.approx([0.5])
    assert list(Scale(5.0, 5.0, 0, 1).ticks()) != []
    assert [list(Scale(low, 5e-324, 0, 1).ticks()) for low in (0.0, 5e-324)] == [[0.0], [0.0]]
    ticks = {0: "0", 1e-6: "10⁻⁶", 2.5e-7: "2.5·10⁻⁷", 1e-4: "0.0001", 0.5: "0.5", 1e6: "10⁶"}
    assert {value: tick(value) for value in ticks} == ticks


HOSTILE_NAMES = ("$x^{$", "<script>alert(1)</script>", "]]><!--", "\x00\x1b[31m\ufffe", "\u202egnp.exe", "a" * 500, '"')


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(HOSTILE_NAMES) | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_any_name_makes_a_valid_picture(tmp_path: Path, name: str) -> None:
    """Whatever a title, params or history key holds, it is shown or replaced, and the SVG is well-formed and inert."""
    made = row("lstm", quality=trained(0.002, 0.9, 0.1))
    made["model"].update(title=name, params=name)
    made["quality"]["history"] = {f"loss{name}"[:100]: [1.0, 0.5]}
    for picture in drawn(tmp_path, made).values():
        tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(picture.svg).iter()}
        assert tags <= {"svg", "text", "path", "circle"}
        assert not re.search("[\u202a-\u202e\u2066-\u2069\ufffe\uffff]", picture.svg)
