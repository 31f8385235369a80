"""python -m report: what it writes, prints and returns."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from report.output import site
from report.page import build
from tests.report.benches import made, many, one, row
from tests.report.building import record, write

ROOT = Path(__file__).parents[2]
Capture = pytest.CaptureFixture[str]
PAGE = "pages/2017-08-05_Model-Comparison.markdown"
ASSETS = "pages/2017-08-05_Model-Comparison"
AR = f"{ASSETS}/gtx-box/gtx1080/ar.cpu.json"
TUNED = f"{ASSETS}/gtx-box/gtx1080/tuning/lstm.cpu.json"


@pytest.fixture(scope="module", name="bench")
def bench_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of the published computer."""
    return write(tmp_path_factory.mktemp("one"), *one())


@pytest.fixture(scope="module", name="fleet")
def fleet_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of several computers."""
    return write(tmp_path_factory.mktemp("many"), *many())


@pytest.fixture(name="folder")
def site_folder(bench: Path, tmp_path: Path, capsys: Capture) -> Path:
    """A site with the page about the bench."""
    folder = tmp_path / "site"
    assert made(bench, folder) == 0
    capsys.readouterr()
    return folder


def test_the_page_and_what_it_links_to_are_written(bench: Path, folder: Path) -> None:
    """The page in Korean, as Markdown and as one file, every record beside it, pictures and tables."""
    assert "title: 딥러닝 모델 비교 분석" in (folder / PAGE).read_text(encoding="utf-8")
    assert '<html lang="ko">' in (folder / "index.html").read_text(encoding="utf-8")
    names = {path.relative_to(folder / ASSETS).as_posix() for path in (folder / ASSETS).rglob("*") if path.is_file()}
    records = {path.relative_to(bench).as_posix() for path in bench.rglob("*.json")}
    assert records < names
    assert {"results.csv", "results.json", "results.parquet", "gtx-box/gtx1080/forecasts.svg"} < names
    assert (folder / AR).read_bytes() == (bench / "gtx-box/gtx1080/ar.cpu.json").read_bytes()
    assert not [name for name in names if Path(name).name.startswith(".")]


def test_the_terminal_shows_the_same_figures_in_the_users_language(
    bench: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the page's language is; the last line names the file to open."""
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    for language, said in (
        ("en_US.UTF-8", "Of the 31 figures"),
        ("ko_KR.UTF-8", "2017년 8월 5일 블로그 글의 수치 31개 가운데 "),
    ):
        monkeypatch.setenv("LANG", language)
        assert made(bench, tmp_path, "--locale", "en") == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[0].startswith(said)
        assert any(line.startswith("lstm  ") and "0.00128 ±4 %" in line for line in lines)
        assert len(lines) <= 30
        assert str(bench) in lines[-2]
        assert str(tmp_path / "index.html") in lines[-1]


def test_hostile_text_does_not_reach_the_terminal(tmp_path: Path, capsys: Capture) -> None:
    """Escape sequences of a record or a file name do not act on the terminal."""
    record = row("lstm", machine="m")
    record["environment"]["cpu"] = "\x1b[31mred \u202e"
    results = write(tmp_path / "results", record)
    (results / "m" / "gtx1080" / "\x1b[2Jx.json").write_text("{}")
    assert made(results, tmp_path / "site", "--locale", "en") == 1
    said = capsys.readouterr()
    assert "\ufffd[31mred \ufffd" in said.out
    assert "\x1b" not in said.out + said.err


def test_unusable_results_cost_a_status_and_not_the_page(
    tmp_path: Path, bench: Path, folder: Path, capsys: Capture
) -> None:
    """The page is made of what is left, each problem goes to stderr, and the status is 1."""
    results = shutil.copytree(bench, tmp_path / "results")
    (results / "gtx-box" / "gtx1080" / "ar.cpu.json").write_text("{")
    assert made(results, folder) == 1
    said = capsys.readouterr()
    assert said.err.startswith("report: gtx-box/gtx1080/ar.cpu.json: is not JSON")
    assert "delete it and measure again" in said.err
    assert "gtx-box/gtx1080/ar.cpu.json" in (folder / PAGE).read_text(encoding="utf-8")
    assert not (folder / AR).exists()  # what the page no longer links to is gone


@pytest.mark.parametrize("content", [None, "", "{"])
def test_without_a_usable_result_nothing_is_touched(
    bench: Path, tmp_path: Path, folder: Path, content: str | None, capsys: Capture
) -> None:
    """A missing, an empty and a broken results folder: status 2, a cure, and the old page as it was."""
    before = (folder / PAGE).read_bytes()
    results = tmp_path / "results"
    if content is not None:
        results.mkdir()
    if content:
        (results / "ar.cpu.json").write_text(content)
    assert made(results, folder) == 2
    assert "measure first (make bench), or name" in capsys.readouterr().err
    assert (folder / PAGE).read_bytes() == before
    assert (folder / AR).exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--locale", "fr"], "invalid choice: 'fr'"),
        (["--machine", "other"], "no result of machine other; there is gtx-box"),
        (["--stack", "cpu"], "no result of stack cpu; there is gtx1080"),
        (["--machine", ","], "argument --machine: no name in ','"),
        (["--stack", ""], "argument --stack: no name in ''"),
        (["--colour"], "unrecognized arguments: --colour"),
    ],
)
def test_a_bad_argument_is_one_clear_message(
    bench: Path, tmp_path: Path, options: list[str], said: str, capsys: Capture
) -> None:
    """Status 2, the culprit and what there is instead, and nothing written."""
    try:
        status = made(bench, tmp_path / "site", *options)
    except SystemExit as left:  # argparse
        status = int(left.code or 0)
    assert status == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "site").exists()


def test_one_machine_or_stack_can_be_chosen(fleet: Path, tmp_path: Path) -> None:
    """Only what was asked for is on the page and beside it."""
    folder = tmp_path / "site"
    assert made(fleet, folder, "--machine", "laptop,cloud", "--stack", "cpu") == 0
    assert sorted(path.parent.parent.name for path in (folder / ASSETS).rglob("*.cpu.json")) == ["cloud", "laptop"]
    assert made(fleet, folder, "--machine", "cloud") == 0
    assert {path.parent.name for path in (folder / ASSETS).rglob("*.cpu.json")} == {"cpu", "current"}
    assert "laptop" not in (folder / PAGE).read_text(encoding="utf-8")


def test_a_machine_without_the_stack_is_said(fleet: Path, tmp_path: Path, capsys: Capture) -> None:
    """Both exist, but not together."""
    assert made(fleet, tmp_path, "--machine", "laptop", "--stack", "current") == 2
    assert "no result of machine laptop with stack current; leave one of them out" in capsys.readouterr().err


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EACCES])
def test_a_disk_that_takes_nothing_leaves_the_old_page(
    bench: Path, folder: Path, error: int, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Full or forbidden: status 2, one message, the old page whole and no scraps beside it."""
    before = (folder / PAGE).read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(error, os.strerror(error), str(folder / PAGE))

    monkeypatch.setattr(os, "fsync", full)
    assert made(bench, folder, "--locale", "en") == 2
    assert f"cannot be written ({os.strerror(error)}); what was there is still there" in capsys.readouterr().err
    assert (folder / PAGE).read_bytes() == before
    assert not [path for path in folder.rglob("*") if path.name.startswith(".")]


def test_the_same_results_leave_the_page_alone(bench: Path, folder: Path) -> None:
    """A second report writes the page only if its content changed."""
    os.utime(folder / PAGE, ns=(1, 1))
    assert made(bench, folder) == 0
    assert (folder / PAGE).stat().st_mtime_ns == 1


def test_a_page_that_is_up_to_date_passes_the_check(bench: Path, folder: Path, capsys: Capture) -> None:
    """Everything is made again elsewhere and found the same."""
    assert made(bench, folder, "--check") == 0
    assert capsys.readouterr().out == f"{folder / PAGE} is up to date.\n"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (PAGE, b"x\n", "-x"),
        (PAGE, None, f"missing: {{}}/{PAGE}"),
        (AR, b"{}", f"differs: {{}}/{AR}"),
        (TUNED, b"{}", f"differs: {{}}/{TUNED}"),
        (TUNED, None, f"missing: {{}}/{TUNED}"),
        (f"{ASSETS}/results.csv", b"", f"differs: {{}}/{ASSETS}/results.csv"),
        ("index.html", b"", "differs: {}/index.html"),
        (f"{ASSETS}/gtx-box/gtx1080/losses.svg", None, f"missing: {{}}/{ASSETS}/gtx-box/gtx1080/losses.svg"),
        (f"{ASSETS}/old/cpu/ar.cpu.json", b"{}", f"no longer belongs to the page: {{}}/{ASSETS}/old/cpu/ar.cpu.json"),
        ("eras.html", b"", "no longer belongs to the page: {}/eras.html"),  # of a report without years
    ],
)
def test_a_stale_page_fails_the_check(
    bench: Path, folder: Path, name: str, content: bytes | None, said: str, capsys: Capture
) -> None:
    """A page, record, table or picture that is not what the results say is named, and nothing is repaired."""
    path = folder / name
    path.unlink(missing_ok=True)
    if content is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    assert made(bench, folder, "--check") == 1
    error = capsys.readouterr().err
    assert said.format(folder) in error.splitlines()
    assert "regenerate it (make page RESULTS=" in error
    assert path.read_bytes() == content if content is not None else not path.exists()


def test_a_check_shows_how_the_page_differs(bench: Path, folder: Path, capsys: Capture) -> None:
    """A unified diff of the page against what the results say."""
    page = folder / PAGE
    page.write_text(page.read_text(encoding="utf-8").replace("# Models\n", "# Old\n"), encoding="utf-8")
    assert made(bench, folder, "--check") == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == [f"--- {page}", "+++ made from the results"]
    assert "-## Old" in lines
    assert "+## Models" in lines


@pytest.mark.parametrize("inside", [ASSETS, f"{ASSETS}/deeper"])
def test_results_within_the_pages_own_folder_are_refused(tmp_path: Path, inside: str, capsys: Capture) -> None:
    """That folder gets emptied of what the page does not link to: results would be lost there."""
    results = write(tmp_path / inside, one()[0])
    (results / "notes.json").write_text("{}")
    assert made(results, tmp_path) == 2
    assert "gets emptied: keep the results elsewhere" in capsys.readouterr().err
    assert (results / "notes.json").exists()


def test_a_link_in_place_of_the_pages_folder_is_refused(bench: Path, tmp_path: Path, capsys: Capture) -> None:
    """Nothing is written or deleted through a link that leads out of the site."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious.json").write_text("{}")
    (tmp_path / "site" / "pages").mkdir(parents=True)
    (tmp_path / "site" / ASSETS).symlink_to(outside)
    assert made(bench, tmp_path / "site") == 2
    assert "keep the results elsewhere" in capsys.readouterr().err
    assert [path.name for path in outside.iterdir()] == ["precious.json"]


def test_records_are_copied_where_links_are_not_possible(
    bench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On another file system the records are copied, with their times, and found again by these."""

    def elsewhere(source: Path, target: str) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "link", elsewhere)
    assert made(bench, tmp_path / "site") == 0
    original, copy = bench / "gtx-box/gtx1080/ar.cpu.json", tmp_path / "site" / AR
    assert copy.read_bytes() == original.read_bytes()
    assert (copy.stat().st_ino, copy.stat().st_mtime_ns) != (original.stat().st_ino, 0)
    assert copy.stat().st_mtime_ns == original.stat().st_mtime_ns


def test_a_changed_result_replaces_its_record(tmp_path: Path) -> None:
    """Measured again, the record beside the page is the new one."""
    results = write(tmp_path / "results", *one())
    folder = tmp_path / "site"
    assert made(results, folder) == 0
    records = one()
    next(r for r in records if r["model"]["key"] == "ar" and r["device"] == "cpu")["log"] = "41.5"
    shutil.rmtree(results)
    write(results, *records)
    os.link(results / "gtx-box/gtx1080/ar.cpu.json", folder / f"{AR}.part")  # as a report that was killed leaves it
    assert made(results, folder) == 0
    assert b"41.5" in (folder / AR).read_bytes()
    assert made(results, folder, "--check") == 0


def test_nothing_is_written_outside_the_site(bench: Path, tmp_path: Path) -> None:
    """Beside the site's folder there is nothing new."""
    assert made(bench, tmp_path / "site") == 0
    assert [path.name for path in tmp_path.iterdir()] == ["site"]
    assert sorted(path.name for path in (tmp_path / "site").iterdir()) == ["index.html", "pages"]


def test_run_as_a_program(bench: Path, tmp_path: Path) -> None:
    """python -m report works from the project's folder, on a pipe that is closed early too."""
    command = [sys.executable, "-m", "report", "--results", str(bench), "--site", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert str(tmp_path / "index.html") in done.stdout.splitlines()[-1]
    shell = " ".join(command) + " | head -1"
    cut = subprocess.run(["bash", "-c", shell], cwd=ROOT, capture_output=True, text=True, check=False)
    assert cut.stderr == ""
    missing = subprocess.run(
        [*command[:4], str(tmp_path / "no")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert missing.returncode == 2
    assert "Traceback" not in missing.stderr
    assert "measure first" in missing.stderr


def test_only_files_that_a_report_makes_are_deleted(bench: Path, folder: Path) -> None:
    """Of what lies in the page's folder, a person's own notes stay."""
    (folder / ASSETS / "notes.md").write_text("mine")
    assert made(bench, folder) == 0
    assert (folder / ASSETS / "notes.md").read_text() == "mine"
    assert site.ASSETS.as_posix() == ASSETS


def test_records_that_no_page_links_to_are_not_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of very many machines the page shows the first ones; the tables have all. Years are on a page of their own."""
    monkeypatch.setattr(build, "MOST_SECTIONS", 2)
    years = [record("lstm", machine="era", stack=year) for year in ("2018", "2020")]
    write(tmp_path / "results", *(record("lstm", machine=name) for name in ("a", "b", "c")), *years)
    assert made(tmp_path / "results", tmp_path / "site") == 0
    copied = {
        str(path.relative_to(tmp_path / "site" / ASSETS).parent) for path in tmp_path.rglob("site/**/lstm.cpu.json")
    }
    assert copied == {"a/cpu", "b/cpu", "era/2018", "era/2020"}
    assert "c,cpu" in (tmp_path / "site" / ASSETS / "results.csv").read_text()


def test_ctrl_c_is_one_line(bench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """And the exit status that shells expect."""
    monkeypatch.setattr(site, "make_site", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    assert made(bench, tmp_path / "site") == 130
    assert capsys.readouterr().err == "report: stopped; nothing is half written\n"


def test_a_column_that_is_described_anew_reaches_the_parquet_file(
    bench: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though no value has changed: its schema has the descriptions, and --check compares it."""
    found = [{**column, "description": "new"} for column in site.exports.columns()]
    monkeypatch.setattr(site.exports, "columns", lambda: found)
    assert made(bench, folder, "--check") == 1
    assert made(bench, folder) == 0
    assert made(bench, folder, "--check") == 0
