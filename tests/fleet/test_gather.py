"""Gathering: which record is taken, what is refused, and what stands for a record that is missing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fake_scheduler import Trial, leave_attempt, started
from fleet_lab import ROOT
from stub_bench import record

from fleet.plan import make_plan
from fleet.results.gather import gather
from fleet.results.nodes import summary
from fleet.status import CellStatus
from images.stack import Problem
from report.records.load import load_results


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Where results are gathered."""
    return tmp_path / "results"


def gathered(trial: Trial, results: Path) -> int:
    """Gather what there is."""
    return gather(trial.folder, trial.cells(), results, trial.said.append)


def shown(results: Path, row: str = "ar") -> dict[str, Any]:
    """Return the record of a row of type a."""
    found: dict[str, Any] = json.loads((results / "a" / "cpu" / f"{row}.cpu.json").read_text())
    return found


def test_the_newest_finished_record_wins_whatever_the_clocks_say(tmp_path: Path, results: Path) -> None:
    """Attempts are ordered by submission and restart; a failed record never replaces a finished one."""
    trial = started(tmp_path, "a", rows=["ar", "sarimax"])
    (cell,) = trial.folder.cells()
    old = leave_attempt(trial.folder, cell, 1, 0, changes={"engine": "docker"})
    new = leave_attempt(trial.folder, cell, 1, 1, changes={"engine": "podman"})
    broken = new / "results" / "a" / "cpu" / "sarimax.cpu.json"
    failed = record("a", "cpu", "sarimax", "cpu") | {"status": "failed", "reason": {"key": "killed"}}
    broken.write_text(json.dumps(failed))
    for path in old.rglob("*.json"):
        os.utime(path, (4e9, 4e9))  # its node lives in 2096
    gathered(trial, results)
    assert len(list(results.glob("a/cpu/*.json"))) == 2
    assert (shown(results)["engine"], shown(results, "sarimax")["engine"]) == ("podman", "docker")


def test_a_broken_record_gives_way_to_an_older_one(tmp_path: Path, results: Path) -> None:
    """Cut, of another schema, or no record at all: named, and passed over."""
    trial = started(tmp_path, "a", rows=["ar"])
    (cell,) = trial.folder.cells()
    leave_attempt(trial.folder, cell, 1, 0)
    for restart, text in enumerate(('{"schema_version": 2, "sta', '{"schema_version": 99}', "[]"), 1):
        path = leave_attempt(trial.folder, cell, 1, restart) / "results" / "a" / "cpu" / "ar.cpu.json"
        path.write_text(text)
    gathered(trial, results)
    assert shown(results)["status"] == "ok"
    assert sum("not a valid record; an older one is taken" in line for line in trial.said) == 3


def test_records_of_a_profile_before_an_edit_are_not_taken(tmp_path: Path, results: Path) -> None:
    """The page shows what the fleet file asks for now."""
    trial = started(tmp_path, "a", rows=["ar"])
    (cell,) = trial.folder.cells()
    leave_attempt(trial.folder, cell, 1, 0)
    leave_attempt(trial.folder, cell, 1, 1, changes={"profile": "smoke"})
    gathered(trial, results)
    assert shown(results)["profile"] == "quick"


def test_results_of_another_fleet_are_not_touched(tmp_path: Path, results: Path) -> None:
    """A machine's folder belongs to one run; other types are gathered."""
    trial = started(tmp_path, "a", "b", rows=["ar"])
    for task, cell in enumerate(trial.folder.cells()):
        leave_attempt(trial.folder, cell, task + 1, job=str(task + 1))
    theirs = results / "a" / "cpu" / "ar.cpu.json"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("mine")
    assert gathered(trial, results) == 1
    assert f"refused  {results / 'a'} holds results that no fleet gathered; choose another RESULTS" in trial.said[0]
    assert theirs.read_text() == "mine"
    assert (results / "b" / "cpu" / "ar.cpu.json").exists()
    (results / "a" / ".fleet").mkdir()
    (results / "a" / ".fleet" / "run.json").write_text('{"run": "0123abcd"}')
    gathered(trial, results)
    assert "holds results of another fleet's run (0123abcd)" in trial.said[-2]


def test_a_cell_that_ended_badly_has_records_that_the_page_can_show(tmp_path: Path, results: Path) -> None:
    """Each missing row becomes a failed record with a reason; the report accepts it, and no path is in it."""
    trial = started(tmp_path, "a")
    _, keras, pytorch = trial.folder.cells()
    leave_attempt(
        trial.folder, keras, task=1, outcome="timeout", reason="the time limit was reached", rows=["lstm.cpu"]
    )
    path = leave_attempt(
        trial.folder, pytorch, task=2, outcome="failed", reason="exit status 2: /home/me/x/y.py", rows=[]
    )
    (path / "log").write_text("erabench: cannot read /home/me/data/file.npy\n")
    trial.scheduler.jobs.clear()
    assert gathered(trial, results) == 0
    assert trial.said == ["gather   a: 1 records, and 8 rows without a result"]
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
    assert shown(results, "densenet-24x3")["model"]["title"] == "DenseNet"


def test_gathering_again_replaces_what_was_missing(tmp_path: Path, results: Path) -> None:
    """A row that was measured later takes the place of the record that stood for it."""
    trial = started(tmp_path, "a", rows=["ar"])
    trial.scheduler.jobs.clear()
    gathered(trial, results)
    assert shown(results)["status"] == "failed"
    leave_attempt(trial.folder, trial.folder.cells()[0])
    gathered(trial, results)
    assert shown(results)["status"] == "ok"


def test_nothing_to_gather_is_an_error(tmp_path: Path, results: Path) -> None:
    """Before any cell has a record or an end there is no page to make."""
    with pytest.raises(Problem, match="nothing to gather yet"):
        gathered(started(tmp_path, "a"), results)


def test_nodes_that_differ_are_named(tmp_path: Path, results: Path) -> None:
    """CPU, cores, GPU and driver must be equal, memory within 2 %; a copied record counts for its first node."""
    trial = started(tmp_path, "a", split="row", rows=["ar", "lstm", "bilstm"])
    cells = trial.folder.cells()
    for task, (cell, node, size) in enumerate(zip(cells, ("n1", "n2", "n3"), (100, 101, 80), strict=True)):
        environment = record("a", "cpu", "ar", "cpu")["environment"] | {"memory_bytes": size * 2**30}
        environment |= {"gpu": {"name": "H100", "driver": "1" if node != "n3" else "2"}}
        leave_attempt(trial.folder, cell, node=node, task=task, changes={"environment": environment})
    assert gathered(trial, results) == 1
    assert trial.said == [
        "refused  a: nodes differ in GPU driver: '1' on n1, n2; '2' on n3",
        "refused  a: nodes differ in memory: 80.0 GiB on n3; 101.0 GiB on n2",
    ]


def test_an_outlier_stands_apart_from_the_other_nodes() -> None:
    """It needs four nodes, 5 % and 3.5 robust deviations to be called one."""
    figures = {"n1": 1.0, "n2": 1.01, "n3": 0.99, "n4": 1.2, "n5": 1.02}
    assert summary(figures)["outliers"] == pytest.approx({"n4": 0.188}, abs=0.001)
    assert summary({name: 1 + number / 1000 for number, name in enumerate(figures)})["outliers"] == {}
    assert summary({"n1": 1.0, "n2": 2.0, "n3": 1.0})["outliers"] == {}


def test_each_node_keeps_its_records_and_the_middle_one_is_shown(tmp_path: Path, results: Path) -> None:
    """With nodes = "each" the type's record is that of the median node."""
    trial = Trial(tmp_path, "a", rows=["ar"])
    *cells, bad = make_plan(trial.fleet, {"a": ["n1", "n2", "n3", "n4"]})
    for cell, seconds in zip(cells, (0.3, 0.1, 0.2), strict=True):
        leave_attempt(trial.folder, cell, node=cell.node, changes=record("a", "cpu", "ar", "cpu", seconds=seconds))
    statuses = [*(CellStatus(cell, "done") for cell in cells), CellStatus(bad, "timeout")]
    gather(trial.folder, statuses, results, trial.said.append)
    assert trial.said[-1] == "warning  a@n4/cpu.classical: timeout; the page names the node and shows the others"
    assert shown(results)["processes"][0]["train"]["median_s"] == 0.2
    (result,) = load_results(results).results
    assert [(spread.phase, spread.nodes, spread.low_s, spread.high_s) for spread in result.nodes] == [
        ("train", 3, 0.1, 0.3), ("predict", 3, 0.1 / 3, 0.3 / 3),
    ]  # fmt: skip
    assert [dict(spread.without) for spread in result.nodes] == [{"n4": "timeout"}] * 2
    kept = sorted((results / "a" / ".fleet" / "nodes").glob("*/cpu/ar.cpu.json"))
    assert [path.parts[-3] for path in kept] == ["n1", "n2", "n3"]


def test_a_node_without_a_figure_has_the_end_of_the_framework_that_lacks_it(tmp_path: Path, results: Path) -> None:
    """On n3 both frameworks ended, each in its own way; on n4 one of them waits."""
    trial = Trial(tmp_path, "a", rows=["ar", "lstm"])
    plan = {(cell.framework, cell.node): cell for cell in make_plan(trial.fleet, {"a": ["n1", "n2", "n3", "n4"]})}
    kinds = {("classical", "n3"): "timeout", ("keras", "n3"): "out of memory"}
    kinds |= {("classical", "n4"): "queued", ("keras", "n4"): "timeout"}
    for cell in (cell for key, cell in plan.items() if key not in kinds):
        leave_attempt(trial.folder, cell, node=cell.node)
    statuses = [CellStatus(cell, kinds.get(key, "done")) for key, cell in plan.items()]
    gather(trial.folder, statuses, results, trial.said.append)
    loaded = {result.model.key: result for result in load_results(results).results}
    without = {row: [dict(spread.without) for spread in result.nodes] for row, result in loaded.items()}
    assert without == {"ar": [{"n3": "timeout"}] * 2, "lstm": [{"n3": "out_of_memory", "n4": "timeout"}] * 2}


def test_the_page_shows_the_spread_and_names_outliers_and_failures(tmp_path: Path, results: Path) -> None:
    """Six nodes of a type, one of them slow and one timed out, and a type whose job was out of memory."""
    trial = Trial(tmp_path, "a", "b", rows=["ar"])
    *cells, late, bad = make_plan(trial.fleet, {"a": [f"n{number}" for number in range(6)]})
    for number, cell in enumerate(cells):
        seconds = 0.1 * (1.3 if number == 3 else 1 + number / 1000)
        leave_attempt(trial.folder, cell, node=cell.node, changes=record("a", "cpu", "ar", "cpu", seconds=seconds))
    statuses = [
        *(CellStatus(cell, "done") for cell in cells),
        CellStatus(bad, "out of memory", "OutOfMemory"),
        CellStatus(late, "timeout"),
    ]
    assert gather(trial.folder, statuses, results, trial.said.append) == 0
    command = [sys.executable, "-m", "report", "--results", str(results), "--site", str(tmp_path / "site")]
    subprocess.run([*command, "--locale", "en"], cwd=ROOT, check=False, capture_output=True)
    (page,) = (tmp_path / "site").rglob("*.markdown")
    text = re.sub(" +", " ", page.read_text())
    assert "| CPU, threads: 2, training | 5 | 0.100 | 0.130 | n3 (30 % slower) | n5: timeout |" in text
    assert "the job ran out of memory: OutOfMemory" in text
