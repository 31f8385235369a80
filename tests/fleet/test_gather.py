"""Gathering: which record is taken, what is refused, and what stands for a record that is missing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fake_scheduler import FakeScheduler, fleet_of, leave_attempt, started
from fleet_lab import ROOT
from stub_bench import record

from fleet.folder import Folder
from fleet.plan import make_plan
from fleet.results.gather import gather
from fleet.results.nodes import summary
from fleet.status import CellStatus, survey
from images.stack import Problem
from report.records.load import load_results


def gathered(run: Folder, scheduler: FakeScheduler, results: Path, said: list[str]) -> int:
    """Gather what there is."""
    return gather(run, survey(run, run.cells(), scheduler).cells, results, ROOT, said.append)


def test_the_newest_finished_record_wins_whatever_the_clocks_say(tmp_path: Path, said: list[str]) -> None:
    """Attempts are ordered by submission and restart; a failed record never replaces a finished one."""
    _, run, scheduler = started(tmp_path, "a", rows=["ar", "sarimax"])
    (cell,) = run.cells()
    old = leave_attempt(run, cell, 1, 0, changes={"engine": "docker"})
    new = leave_attempt(run, cell, 1, 1, changes={"engine": "podman"})
    broken = new / "results" / "a" / "cpu" / "sarimax.cpu.json"
    failed = record("a", "cpu", "sarimax", "cpu") | {"status": "failed", "reason": {"key": "killed"}}
    broken.write_text(json.dumps(failed))
    for path in old.rglob("*.json"):
        os.utime(path, (4e9, 4e9))  # its node lives in 2096
    gathered(run, scheduler, tmp_path / "results", said)
    engines = {
        path.name: json.loads(path.read_text())["engine"] for path in (tmp_path / "results").glob("a/cpu/*.json")
    }
    assert engines == {"ar.cpu.json": "podman", "sarimax.cpu.json": "docker"}


def test_a_broken_record_gives_way_to_an_older_one(tmp_path: Path, said: list[str]) -> None:
    """Cut, of another schema, or no record at all: named, and passed over."""
    _, run, scheduler = started(tmp_path, "a", rows=["ar"])
    (cell,) = run.cells()
    leave_attempt(run, cell, 1, 0)
    for restart, text in enumerate(('{"schema_version": 2, "sta', '{"schema_version": 99}', "[]"), 1):
        path = leave_attempt(run, cell, 1, restart) / "results" / "a" / "cpu" / "ar.cpu.json"
        path.write_text(text)
    gathered(run, scheduler, tmp_path / "results", said)
    assert json.loads((tmp_path / "results" / "a" / "cpu" / "ar.cpu.json").read_text())["status"] == "ok"
    assert sum("not a valid record; an older one is taken" in line for line in said) == 3


def test_records_of_a_profile_before_an_edit_are_not_taken(tmp_path: Path, said: list[str]) -> None:
    """The page shows what the fleet file asks for now."""
    _, run, scheduler = started(tmp_path, "a", rows=["ar"])
    (cell,) = run.cells()
    leave_attempt(run, cell, 1, 0)
    leave_attempt(run, cell, 1, 1, changes={"profile": "smoke"})
    gathered(run, scheduler, tmp_path / "results", said)
    assert json.loads((tmp_path / "results" / "a" / "cpu" / "ar.cpu.json").read_text())["profile"] == "quick"


def test_results_of_another_fleet_are_not_touched(tmp_path: Path, said: list[str]) -> None:
    """A machine's folder belongs to one run; other types are gathered."""
    _, run, scheduler = started(tmp_path, "a", "b", rows=["ar"])
    cells = run.cells()
    for task, cell in enumerate(cells):
        leave_attempt(run, cell, task + 1, job=str(task + 1))
    results = tmp_path / "results"
    theirs = results / "a" / "cpu" / "ar.cpu.json"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("mine")
    assert gathered(run, scheduler, results, said) == 1
    assert f"refused  {results / 'a'} holds results that no fleet gathered; choose another RESULTS" in said[0]
    assert theirs.read_text() == "mine"
    assert (results / "b" / "cpu" / "ar.cpu.json").exists()
    (results / "a" / ".fleet").mkdir()
    (results / "a" / ".fleet" / "run.json").write_text('{"run": "0123abcd"}')
    gathered(run, scheduler, results, said)
    assert "holds results of another fleet's run (0123abcd)" in said[-2]


def test_a_cell_that_ended_badly_has_records_that_the_page_can_show(tmp_path: Path, said: list[str]) -> None:
    """Each missing row becomes a failed record with a reason; the report accepts it, and no path is in it."""
    _, run, scheduler = started(tmp_path, "a")
    cells = run.cells()
    by_name = {cell.framework: cell for cell in cells}
    leave_attempt(
        run, by_name["keras"], task=1, outcome="timeout", reason="the time limit was reached", rows=["lstm.cpu"]
    )
    path = leave_attempt(
        run, by_name["pytorch"], task=2, outcome="failed", reason="exit status 2: /home/me/x/y.py", rows=[]
    )
    (path / "log").write_text("erabench: cannot read /home/me/data/file.npy\n")
    scheduler.jobs.clear()
    results = tmp_path / "results"
    assert gathered(run, scheduler, results, said) == 0
    assert said == ["gather   a: 1 records, and 8 rows without a result"]
    loaded = load_results(results)
    assert loaded.problems == ()
    reasons = {result.model.key: (result.status, result.reason and result.reason.key) for result in loaded.results}
    assert reasons["lstm"] == ("ok", None)
    assert reasons["bilstm"] == ("timeout", "cell-time-limit")
    assert reasons["densenet-24x3"] == ("failed", "cell-failed")
    assert reasons["ar"] == ("failed", "cell-lost")
    text = (results / "a" / "cpu" / "densenet-24x3.cpu.json").read_text()
    assert "/home/me" not in text
    assert ".../file.npy" in text
    assert json.loads(text)["model"]["title"] == "DenseNet"


def test_gathering_again_replaces_what_was_missing(tmp_path: Path, said: list[str]) -> None:
    """A row that was measured later takes the place of the record that stood for it."""
    _, run, scheduler = started(tmp_path, "a", rows=["ar"])
    (cell,) = run.cells()
    scheduler.jobs.clear()
    gathered(run, scheduler, tmp_path / "results", said)
    path = tmp_path / "results" / "a" / "cpu" / "ar.cpu.json"
    assert json.loads(path.read_text())["status"] == "failed"
    leave_attempt(run, cell)
    gathered(run, scheduler, tmp_path / "results", said)
    assert json.loads(path.read_text())["status"] == "ok"


def test_nothing_to_gather_is_an_error(tmp_path: Path, said: list[str]) -> None:
    """Before any cell has a record or an end there is no page to make."""
    _, run, scheduler = started(tmp_path, "a")
    with pytest.raises(Problem, match="nothing to gather yet"):
        gathered(run, scheduler, tmp_path / "results", said)


def test_nodes_that_differ_are_named(tmp_path: Path, said: list[str]) -> None:
    """CPU, cores, GPU and driver must be equal, memory within 2 %; a copied record counts for its first node."""
    _, run, scheduler = started(tmp_path, "a", split="row", rows=["ar", "lstm", "bilstm"])
    cells = run.cells()
    for task, (cell, node, size) in enumerate(zip(cells, ("n1", "n2", "n3"), (100, 101, 80), strict=True)):
        environment = record("a", "cpu", "ar", "cpu")["environment"] | {"memory_bytes": size * 2**30}
        environment |= {"gpu": {"name": "H100", "driver": "1" if node != "n3" else "2"}}
        leave_attempt(run, cell, node=node, task=task, changes={"environment": environment})
    assert gathered(run, scheduler, tmp_path / "results", said) == 1
    assert said == [
        "refused  a: nodes differ in GPU driver: '1' on n1, n2; '2' on n3",
        "refused  a: nodes differ in memory: 80.0 GiB on n3; 101.0 GiB on n2",
    ]


def test_an_outlier_stands_apart_from_the_other_nodes() -> None:
    """It needs four nodes, 5 % and 3.5 robust deviations to be called one."""
    figures = {"n1": 1.0, "n2": 1.01, "n3": 0.99, "n4": 1.2, "n5": 1.02}
    assert summary(figures)["outliers"] == pytest.approx({"n4": 0.188}, abs=0.001)
    assert summary({name: 1 + number / 1000 for number, name in enumerate(figures)})["outliers"] == {}
    assert summary({"n1": 1.0, "n2": 2.0, "n3": 1.0})["outliers"] == {}


def test_each_node_keeps_its_records_and_the_middle_one_is_shown(tmp_path: Path, said: list[str]) -> None:
    """With nodes = "each" the type's record is that of the median node."""
    fleet, run = fleet_of(tmp_path, "a", rows=["ar"])
    *cells, bad = make_plan(fleet, {"a": ["n1", "n2", "n3", "n4"]})
    for cell, seconds in zip(cells, (0.3, 0.1, 0.2), strict=True):
        leave_attempt(run, cell, node=cell.node, changes=record("a", "cpu", "ar", "cpu", seconds=seconds))
    statuses = [*(CellStatus(cell, "done") for cell in cells), CellStatus(bad, "timeout")]
    gather(run, statuses, tmp_path / "results", ROOT, said.append)
    assert said[-1] == "warning  a@n4/cpu.classical: timeout; the page names the node and shows the others"
    shown = json.loads((tmp_path / "results" / "a" / "cpu" / "ar.cpu.json").read_text())
    assert shown["processes"][0]["train"]["median_s"] == 0.2
    (result,) = load_results(tmp_path / "results").results
    assert [(spread.phase, spread.nodes, spread.low_s, spread.high_s) for spread in result.nodes] == [
        ("train", 3, 0.1, 0.3), ("predict", 3, 0.1 / 3, 0.3 / 3),
    ]  # fmt: skip
    assert [dict(spread.without) for spread in result.nodes] == [{"n4": "timeout"}] * 2
    kept = sorted((tmp_path / "results" / "a" / ".fleet" / "nodes").glob("*/cpu/ar.cpu.json"))
    assert [path.parts[-3] for path in kept] == ["n1", "n2", "n3"]


def test_the_page_shows_the_spread_and_names_outliers_and_failures(tmp_path: Path, said: list[str]) -> None:
    """Six nodes of a type, one of them slow and one timed out, and a type whose job was out of memory."""
    fleet, run = fleet_of(tmp_path, "a", "b", rows=["ar"])
    *cells, late, bad = make_plan(fleet, {"a": [f"n{number}" for number in range(6)]})
    for number, cell in enumerate(cells):
        seconds = 0.1 * (1.3 if number == 3 else 1 + number / 1000)
        leave_attempt(run, cell, node=cell.node, changes=record("a", "cpu", "ar", "cpu", seconds=seconds))
    statuses = [
        *(CellStatus(cell, "done") for cell in cells),
        CellStatus(bad, "out of memory", "OutOfMemory"),
        CellStatus(late, "timeout"),
    ]
    assert gather(run, statuses, tmp_path / "results", ROOT, said.append) == 0
    command = [sys.executable, "-m", "report", "--results", str(tmp_path / "results"), "--site", str(tmp_path / "site")]
    subprocess.run([*command, "--locale", "en"], cwd=ROOT, check=False, capture_output=True)
    (page,) = (tmp_path / "site").rglob("*.markdown")
    text = re.sub(" +", " ", page.read_text())
    assert "| CPU, threads: 2, training | 5 | 0.100 | 0.130 | n3 (30 % slower) | n5: timeout |" in text
    assert "the job ran out of memory: OutOfMemory" in text
