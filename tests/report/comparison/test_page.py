"""The comparison as a page, on the terminal, and as a command."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.report.building import loaded, record, tuning, write
from tests.report.comparison.folders import GOLDEN, golden, page, run, two_folders


def test_the_page_and_the_terminal_are_as_the_golden_files_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both complete, with every verdict and reason. After a change that is meant: python -m tests.report.comparison."""
    for name, content in golden(tmp_path).items():
        assert content == (GOLDEN / name).read_text(encoding="utf-8"), name
    assert capsys.readouterr().err == ""


def test_every_number_links_to_its_json(tmp_path: Path) -> None:
    """The records lie beside the page, unchanged, and what an earlier comparison left there is gone."""
    a, b = two_folders(tmp_path)
    site = tmp_path / "site"
    run(a, a, site)
    run(a, b, site)
    written = page(site)
    targets = dict(re.findall(r"^\[(.+?)\]: (.+)$", written, re.MULTILINE))
    assert targets["a/lstm.cpu"] == "comparison/a/box/cpu/lstm.cpu.json"
    assert set(re.findall(r"\]\[(.+?)\]", written)) == set(targets)
    for target in targets.values():
        side, name = target.removeprefix("comparison/").split("/", 1)
        assert (site / "pages" / target).read_bytes() == ({"a": a, "b": b}[side] / name).read_bytes()
    assert not (site / "pages" / "comparison" / "b" / "box").exists()


def test_links_of_several_machines_have_labels_of_their_own(tmp_path: Path) -> None:
    """Rows of one name on two machines are told apart."""
    folder = write(tmp_path / "results", record(machine="x"), record(machine="y"))
    run(folder, folder, tmp_path / "site")
    assert "[a/lstm.cpu]: comparison/a/x/cpu/lstm.cpu.json" in page(tmp_path / "site")
    assert "[a/y/cpu/lstm.cpu]: comparison/a/y/cpu/lstm.cpu.json" in page(tmp_path / "site")
    assert re.findall(r"^\| (\S+) \| training", page(tmp_path / "site"), re.MULTILINE) == ["x/lstm.cpu", "y/lstm.cpu"]


@pytest.mark.parametrize(
    ("rows", "told"), [(("ar", "ar-ols", "lstm"), False), (("ar", "ar-ols", "lstm", "bilstm"), True)]
)
def test_the_drift_is_told_where_it_was_taken_out(tmp_path: Path, rows: tuple[str, ...], told: bool) -> None:
    """A row is no control of its own, so that of three rows none has enough others."""
    for seed, seconds in ((1, 0.01), (2, 0.011)):
        made = [record(row, train_s=[seconds] * 5, predict_s=[seconds] * 5) for row in rows]
        for process in (process for one in made for process in one["processes"]):
            process["order_seed"] = seed
        write(tmp_path / "ab"[seed - 1], *made)
    run(tmp_path / "a", tmp_path / "b", tmp_path / "site")
    assert ("B/A is without it" in " ".join(page(tmp_path / "site").split())) is told


def test_pairs_of_one_bench_are_marked(tmp_path: Path) -> None:
    """Two stacks that one bench measured in the same rounds, 3 % apart: told apart, and marked as paired."""
    rounds = [0.010, 0.012, 0.009, 0.011, 0.0105]
    slower = [1.03 * seconds for seconds in rounds]
    folder = tmp_path / "results"
    write(folder, record(stack="a", train_s=rounds), record(stack="b", train_s=slower))
    run(folder / "box" / "a", folder / "box" / "b", tmp_path / "site")
    assert "| slower (paired) " in page(tmp_path / "site")


@pytest.mark.parametrize("inside", ["", "newbox", "newbox/cpu"])
def test_a_folder_may_be_all_results_one_machine_or_one_stack(tmp_path: Path, inside: str) -> None:
    """Each level gives the same page; tunings beside the results are no results, and other machines are left out."""
    a, b = two_folders(tmp_path)
    write(b, tuning(machine="newbox"))
    if inside:
        write(b, record(machine="other"))
    assert run(a, b / inside, tmp_path / "site") == 0
    golden = (GOLDEN / "comparison.en.markdown").read_text(encoding="utf-8")
    written = page(tmp_path / "site")
    assert re.sub(r"\| Folder .*\n", "", written) == re.sub(r"\| Folder .*\n", "", golden)
    assert re.search(rf"\| Folder +\| old +\| {(b / inside).name} +\|", written)


def fails(capsys: pytest.CaptureFixture[str], a: Path, b: Path, site: Path) -> str:
    """What the command complains of when it ends with status 2."""
    capsys.readouterr()
    assert run(a, b, site) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err
    return said.err


def test_a_missing_folder_names_itself_and_the_cure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """So does one without results, and nothing is written."""
    a, _ = two_folders(tmp_path)
    (tmp_path / "empty").mkdir()
    cure = "name a folder with <machine>/<stack>/<row>.<device>.json, or one machine's or one stack's folder in it\n"
    for folder, what in (("nowhere", "is not a folder"), ("empty", "contains no results")):
        said = fails(capsys, a, tmp_path / folder, tmp_path / "site")
        assert said == f"compare: {tmp_path / folder} {what}; {cure}"
    assert not (tmp_path / "site").exists()


def test_an_unwritable_site_is_no_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file where the site's folder should be is named, with the option that helps."""
    a, b = two_folders(tmp_path)
    (tmp_path / "site").write_text("mine")
    said = fails(capsys, a, b, tmp_path / "site")
    assert str(tmp_path / "site") in said
    assert "--site" in said
    assert (tmp_path / "site").read_text() == "mine"


def test_results_in_the_page_s_own_folder_are_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The folder that the page empties is not taken for one of results."""
    a, b = two_folders(tmp_path)
    site = tmp_path / "site"
    run(a, b, site)
    before = sorted(path for path in site.rglob("*") if path.is_file())
    said = fails(capsys, site / "pages" / "comparison" / "b", b, site)
    assert "is the page's own folder and gets emptied: keep the results elsewhere" in said
    assert sorted(path for path in site.rglob("*") if path.is_file()) == before


def test_a_broken_result_is_named_and_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The others are compared, and the exit status is 1."""
    a, b = two_folders(tmp_path)
    (b / "newbox" / "cpu" / "ar.cpu.json").write_text("{")
    assert run(a, b, tmp_path / "site") == 1
    said = capsys.readouterr()
    assert said.err.startswith(f"compare: {b}: newbox/cpu/ar.cpu.json: is not JSON")
    assert "Results of A without a partner: 2" in said.out


def test_records_of_version_1_are_compared_too(tmp_path: Path) -> None:
    """Each is one process, so there are ratios and no verdict."""
    version_1 = Path(__file__).parents[1] / "records" / "version1"
    assert run(version_1, version_1, tmp_path / "site") == 0
    assert "indistinguishable: fewer than 3 processes on one side" in page(tmp_path / "site")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60), st.sampled_from([1e-11, 1e-6, 0.01, 4e8]))
def test_nothing_in_a_record_breaks_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, seconds: float
) -> None:
    """Any text and any time that a record may hold: one line per row, nothing active, no traceback."""
    made = record(train_s=[seconds] * 5, machine="b")
    made["settings"] = {"word": text}
    try:
        json.dumps(made).encode()
    except UnicodeEncodeError:
        return
    loaded(tmp_path / "a", record())
    loaded(tmp_path / "b", made)
    assert run(tmp_path / "a", tmp_path / "b", tmp_path / "site") == 0
    capsys.readouterr()
    written = page(tmp_path / "site")
    assert "{{" not in written
    assert "<" not in written.partition("## What differs")[2]
    assert written.count("\n| lstm.cpu ") == 3
