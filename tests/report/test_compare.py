"""Two folders of results held against each other."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from report import compare_page
from report.compare import main, noise_of
from report.comparison import Comparison, ComparisonImpossible, compare
from report.differences import QUALITY, breaks, differing
from tests.report.fixtures.build import tuned_lstm
from tests.report.fixtures.build import write as write_with_tunings
from tests.report.records import ROWS, failed, loaded, phase, record, write

GOLDEN = Path(__file__).parent / "golden"


def changed(made: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """``made`` with the field at a dotted path replaced."""
    *steps, last = path.split(".")
    part = made
    for step in steps:
        part = part[step]
    part[last] = value
    return made


def two_folders(folder: Path) -> tuple[Path, Path]:
    """Two machines with every verdict, a failure, a row without a partner and several differences."""
    old = [record(row) for row in ROWS] + [record("lstm", "gpu")]
    new = [record(row, machine="newbox") for row in ROWS if row != "densenet-24x3"]
    new[0]["timing"]["train"] = phase(0.005)
    new[0]["kernel_path"] = {"threads": 2, "oneDNN": True}
    new[1]["timing"]["train"] = phase(0.06)
    changed(new[2], "data.sha256", "e" * 64)
    changed(new[2], "timing.test_set", {"seconds": 4.0, "batches": 10, "how": "measured"})
    for made in new:
        changed(made, "environment.cpu", "Example CPU 4000 | {{ site.title }}")
    new.append(failed("densenet-24x3", "killed by the kernel: <b>out of memory</b> {% raw %}", machine="newbox"))
    write(folder / "new", *new)
    (folder / "new" / "newbox" / "cpu" / "calibration.json").write_text('{"schema_version": 1, "noise": {"cpu": 0.02}}')
    return write(folder / "old", *old), folder / "new"


def of(folder: Path, a: dict[str, Any], b: dict[str, Any]) -> Comparison:
    """The comparison of two records."""
    return compare(loaded(folder / "a", a), loaded(folder / "b", b), noise_of)


@pytest.mark.parametrize("locale", ["en", "ko"])
def test_the_page_is_as_the_golden_file_says(tmp_path: Path, locale: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole page, in Korean and English, with every verdict and reason."""
    a, b = two_folders(tmp_path)
    assert main(["--a", str(a), "--b", str(b), "--site", str(tmp_path / "site"), "--locale", locale]) == 0
    page = (tmp_path / "site" / "pages" / "comparison.markdown").read_text(encoding="utf-8")
    assert page == (GOLDEN / f"comparison.{locale}.markdown").read_text(encoding="utf-8")
    assert capsys.readouterr().err == ""


def test_every_number_links_to_its_json(tmp_path: Path) -> None:
    """The records lie beside the page, unchanged, and what an earlier comparison left there is gone."""
    a, b = two_folders(tmp_path)
    site = tmp_path / "site"
    main(["--a", str(a), "--b", str(a), "--site", str(site)])
    main(["--a", str(a), "--b", str(b), "--site", str(site)])
    page = (site / "pages" / "comparison.markdown").read_text(encoding="utf-8")
    links = set(re.findall(r"\]\(([^)]*)\)", page))
    assert "comparison/a/box/cpu/lstm.cpu.json" in links
    for link in links:
        side, name = link.removeprefix("comparison/").split("/", 1)
        assert (site / "pages" / link).read_bytes() == ({"a": a, "b": b}[side] / name).read_bytes()
    assert not (site / "pages" / "comparison" / "b" / "box").exists()


def test_the_terminal_shows_ratio_interval_and_verdict(tmp_path: Path) -> None:
    """The tables and the conclusion, whole, where the output is 100 characters wide."""
    a, b = two_folders(tmp_path)
    comparison = compare(loaded(a), loaded(b), noise_of)
    output = Console(file=io.StringIO(), width=100)
    compare_page.print_tables(comparison, "en", output)
    assert isinstance(output.file, io.StringIO)
    lines = "\n".join(line.rstrip() for line in output.file.getvalue().splitlines()) + "\n"
    assert lines == (GOLDEN / "comparison.en.txt").read_text(encoding="utf-8")


def test_the_noise_of_the_noisier_machine_counts(tmp_path: Path) -> None:
    """Eight per cent are a finding between two machines of 2 % noise, and none if one of them has 9 %."""
    a, b = record(), changed(record(), "timing.train", phase(0.0108))
    expected = {(0.02, 0.02): "slower", (0.02, 0.09): "indistinguishable", (0.09, 0.02): "indistinguishable"}
    for number, (noises, word) in enumerate(expected.items()):
        folder = tmp_path / str(number)
        for side, noise in zip("ab", noises, strict=True):
            path = folder / side / "box" / "cpu" / "calibration.json"
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps({"schema_version": 1, "noise": {"cpu": noise}}))
        comparison = of(folder, a, b)
        assert comparison.times[0].word == word
        assert comparison.uncalibrated == ()


def test_without_calibration_the_page_says_so(tmp_path: Path) -> None:
    """Ten per cent are assumed, and the sentence and every row say that nobody measured them."""
    comparison = of(tmp_path, record(), changed(record(), "timing.train", phase(0.0108)))
    assert comparison.times[0].word == "indistinguishable"
    page = compare_page.render_page(comparison, ("a", "b"), "en")
    assert "- Not calibrated: box (CPU). A noise of 10 % is assumed there; `make calibrate` measures it." in page
    assert page.count("| 10 %, not calibrated |") == 2


@pytest.mark.parametrize(
    ("path", "value", "time", "quality"),
    [
        ("data.sha256", "e" * 64, True, True),
        ("data.synthetic", True, True, True),
        ("model.parameters", 7, True, True),
        ("model.details", {"units": 64}, True, True),
        ("settings", {"units": 64}, False, True),
        ("profile", "full", False, True),
        ("quality.protocol", "recursive", False, True),
        ("quality.loss_metric", "mae", False, True),
        ("engine", "docker", False, False),
        ("kernel_path", {"threads": 2, "cudnn": True}, False, False),
        ("environment.threads", 1, False, False),
        ("environment.versions", {"numpy": "1.13.3"}, False, False),
        ("environment.gpu", {"name": "A", "memory_bytes": 1, "driver": "1", "compute_capability": "6.1"}, False, False),
        ("provenance.image", "sha256:abc", False, False),
        ("provenance.lock_sha256", "2" * 64, False, False),
    ],
)
def test_each_field_has_its_effect(tmp_path: Path, path: str, value: Any, time: bool, quality: bool) -> None:
    """Other work makes figures incomparable; other circumstances are named as possible causes."""
    comparison = of(tmp_path, record(), changed(record(), path, value))
    (row,) = comparison.rows
    assert bool(row.time_broken_by) == time
    assert bool(row.quality_broken_by) == quality
    assert {found.word for found in row.times} == ({"incomparable"} if time else {"indistinguishable"})
    assert comparison.differences
    assert all(difference.field.startswith(path) for difference in comparison.differences)


def test_another_batch_size_breaks_only_its_own_time(tmp_path: Path) -> None:
    """Training with batches of 16 and of 32 cannot be compared; the predictions still can."""
    comparison = of(tmp_path, record(), changed(record(), "timing.train.batch_size", 16))
    assert [(time.phase, time.word) for time in comparison.times] == [
        ("train", "incomparable"),
        ("predict", "indistinguishable"),
    ]


def test_times_that_do_not_count_are_not_compared(tmp_path: Path) -> None:
    """A model that was not really training is not faster."""
    lazy = phase(0.001, counts=False, reason="the loss stood still")
    (time, _) = of(tmp_path, record(), changed(record(), "timing.train", lazy)).times
    assert time.word == "incomparable"
    assert compare_page.words("en").plain(time.reason) == "B was not really training"  # type: ignore[arg-type]


def test_one_measurement_is_no_verdict(tmp_path: Path) -> None:
    """A whole epoch measured once, and fewer than six samples, have a ratio but no interval and no verdict."""
    a, b = record(), record()
    for made, seconds in ((a, 10.0), (b, 30.0)):
        changed(made, "timing.epoch", {"seconds": seconds, "batches": 5, "how": "measured"})
        changed(made, "timing.train", phase(seconds, count=5, interval_s=None))
    train, _, epoch = of(tmp_path, a, b).times
    for time, reason in ((train, "fewer than 6 samples"), (epoch, "measured once")):
        assert time.ratio is not None
        assert time.ratio.value == pytest.approx(3)
        assert (time.ratio.low, time.word) == (None, "indistinguishable")
        assert compare_page.words("en").plain(time.reason) == reason  # type: ignore[arg-type]


def test_a_failed_side_differs_in_nothing_it_lacks(tmp_path: Path) -> None:
    """Scores and times that a failed run does not have are missing, not different."""
    (a,), (b,) = loaded(tmp_path / "a", record()), loaded(tmp_path / "b", failed("lstm", "out of memory"))
    assert differing((a, b)) == []


def test_two_machines_and_two_stacks_are_paired(tmp_path: Path) -> None:
    """One machine meets another one, and one stack another; several machines meet their namesakes."""

    def pairs(name: str, a: list[dict[str, Any]], b: list[dict[str, Any]]) -> list[tuple[str, str]]:
        found = compare(loaded(tmp_path / name / "a", *a), loaded(tmp_path / name / "b", *b), noise_of)
        return [(row.pair[0].file, row.pair[1].file) for row in found.rows]

    assert pairs("machines", [record(machine="x")], [record(machine="y")]) == [
        ("x/cpu/lstm.cpu.json", "y/cpu/lstm.cpu.json")
    ]
    assert pairs("stacks", [record(stack="cpu")], [record(stack="gtx1080")]) == [
        ("box/cpu/lstm.cpu.json", "box/gtx1080/lstm.cpu.json")
    ]
    several = [record(machine="x"), record(machine="y")]
    assert pairs("dates", several, [*several, record(machine="z")]) == [
        ("x/cpu/lstm.cpu.json", "x/cpu/lstm.cpu.json"),
        ("y/cpu/lstm.cpu.json", "y/cpu/lstm.cpu.json"),
    ]


def test_nothing_in_common_is_an_error(tmp_path: Path) -> None:
    """The message names what each side has, and the cure."""
    with pytest.raises(ComparisonImpossible) as raised:
        of(tmp_path, record("ar"), record("lstm"))
    assert str(raised.value) == (
        "no row is on both sides: A has box/cpu/ar.cpu, B has box/cpu/lstm.cpu; measure the same models on the same "
        "device, or name the folder of one machine or one stack on each side"
    )


@pytest.mark.parametrize("inside", ["", "newbox", "newbox/cpu"])
def test_a_folder_may_be_all_results_one_machine_or_one_stack(tmp_path: Path, inside: str) -> None:
    """Each level gives the same page, calibration included; tunings beside the results are no results."""
    a, b = two_folders(tmp_path)
    tuning = tuned_lstm(machine="newbox", stack="cpu")
    write_with_tunings(b, [tuning])
    write(tmp_path / "new", record(machine="other"))
    if not inside:
        b = write(tmp_path / "only", *(json.loads(path.read_text()) for path in (b / "newbox").glob("cpu/*.cpu.json")))
        (b / "newbox" / "cpu" / "calibration.json").write_text('{"schema_version": 1, "noise": {"cpu": 0.02}}')
        write_with_tunings(b, [tuning])
    site = tmp_path / "site"
    assert main(["--a", str(a), "--b", str(b / inside), "--site", str(site), "--locale", "en"]) == 0
    page = (site / "pages" / "comparison.markdown").read_text(encoding="utf-8")
    golden = (GOLDEN / "comparison.en.markdown").read_text(encoding="utf-8")
    assert page.replace(f"| Folder | old | {(b / inside).name} |", "| Folder | old | new |") == golden


def fails(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """What the command complains of when it ends with status 2."""
    assert main([str(argument) for argument in arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err
    return said.err


def test_a_missing_folder_names_itself_and_the_cure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """So does one without results, and nothing is written."""
    a, _ = two_folders(tmp_path)
    (tmp_path / "empty").mkdir()
    cure = "name a folder with <machine>/<stack>/<model>.<device>.json, or one machine's or one stack's folder in it\n"
    for folder, what in (("nowhere", "is no folder"), ("empty", "holds no results")):
        said = fails(capsys, "--a", a, "--b", tmp_path / folder, "--site", tmp_path / "site")
        assert said == f"compare: {tmp_path / folder} {what}; {cure}"
    assert not (tmp_path / "site").exists()


def test_a_broken_calibration_stops_the_comparison(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A verdict without the noise that was measured would be a wrong one."""
    a, b = two_folders(tmp_path)
    (b / "newbox" / "cpu" / "calibration.json").write_text("{")
    said = fails(capsys, "--a", a, "--b", b, "--site", tmp_path / "site")
    assert said.startswith(f"compare: {b / 'newbox' / 'cpu' / 'calibration.json'}: cannot be read as JSON")
    assert not (tmp_path / "site").exists()


def test_an_unwritable_site_is_no_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file where the site's folder should be is named, with the option that helps."""
    a, b = two_folders(tmp_path)
    (tmp_path / "site").write_text("mine")
    said = fails(capsys, "--a", a, "--b", b, "--site", tmp_path / "site")
    assert str(tmp_path / "site") in said
    assert "--site" in said
    assert (tmp_path / "site").read_text() == "mine"


def test_results_in_the_page_s_own_folder_are_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The folder that the page empties is not taken for one of results."""
    a, b = two_folders(tmp_path)
    site = tmp_path / "site"
    main(["--a", str(a), "--b", str(b), "--site", str(site)])
    before = sorted(path for path in site.rglob("*") if path.is_file())
    capsys.readouterr()
    said = fails(capsys, "--a", site / "pages" / "comparison" / "b", "--b", b, "--site", site)
    assert "is the page's own folder and gets emptied: keep the results elsewhere" in said
    assert sorted(path for path in site.rglob("*") if path.is_file()) == before


def test_a_broken_result_is_named_and_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The others are compared, and the exit status tells."""
    a, b = two_folders(tmp_path)
    (b / "newbox" / "cpu" / "ar.cpu.json").write_text("{")
    assert main(["--a", str(a), "--b", str(b), "--site", str(tmp_path / "site"), "--locale", "en"]) == 1
    said = capsys.readouterr()
    assert said.err.startswith(f"compare: {b}: newbox/cpu/ar.cpu.json: the file is cut short or broken") or (
        said.err.startswith(f"compare: {b}: newbox/cpu/ar.cpu.json: is not JSON")
    )
    assert "lstm.cpu" in said.out


def test_an_unknown_locale_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The choices are named, with status 2."""
    with pytest.raises(SystemExit) as raised:
        main(["--a", "x", "--b", "y", "--locale", "fr"])
    assert raised.value.code == 2
    assert "invalid choice: 'fr'" in capsys.readouterr().err


def test_both_languages_have_the_same_sentences() -> None:
    """A sentence that one language lacks, or whose gaps differ, would be found only by its reader."""
    gaps = {
        language: {
            key: sorted(re.findall(r"{(\w+)}", sentence))
            for key, sentence in compare_page.words(language).sentences.items()
        }
        for language in ("ko", "en")
    }
    assert gaps["ko"] == gaps["en"]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_nothing_in_a_result_acts_on_the_page(tmp_path: Path, text: str) -> None:
    """Any title, reason, version, setting or processor leaves the tables in shape and the page without tags."""
    check_inert(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        "{{ site.title }}",
        "{% include x %}",
        "<script>x</script>",
        "a|b",
        "a\nb",
        "---\n",
        "[x](javascript:x)",
        "\u202eab",
    ],
)
def test_hostile_texts_are_shown_as_they_are(tmp_path: Path, text: str) -> None:
    """Liquid, HTML, pipes, newlines, links and turned text are text."""
    check_inert(tmp_path, text)


def check_inert(folder: Path, text: str) -> None:
    """Compares a result full of ``text`` with a harmless one and looks at every line of the page."""
    made = record()
    changed(made, "model.title", text)
    changed(made, "model.params", text)
    changed(made, "environment.cpu", text)
    changed(made, "environment.versions", {text: text})
    changed(made, "kernel_path", {text: text})
    changed(made, "settings", {text: [text]})
    comparison = of(folder, made, failed("lstm", text))
    page = compare_page.render_page(comparison, (text, text), "en")
    front, body = page.split("\n---\n", 1)
    assert front == '---\nlayout: page\ntitle: "Two measurements compared"\nlang: en'
    body = re.sub(r'<div style="overflow-x: auto" [a-z0-9="\- ]*aria-label="[A-Za-z ]*">|</div>', "", body)
    assert not re.search(r"[<>{}]|javascript:", body)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b-\u200f\x00-\x09\x0b-\x1f]", body)
    for table in re.findall(r"(?:^\|.*\n)+", body, re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1
    links = re.findall(r"\]\(([^)]*)\)", body)
    assert all(re.fullmatch(r"comparison/[ab]/box/cpu/lstm\.cpu\.json", link) for link in links)


def test_how_long_was_sampled_breaks_nothing() -> None:
    """The rule and the threads are conditions; any other setting changes what training gave."""
    assert breaks("settings.rule.budget_s") == breaks("settings.threads") == frozenset()
    assert breaks("settings.epochs") == QUALITY
