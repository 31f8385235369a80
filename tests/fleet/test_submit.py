"""Submitting, surveying and cancelling with a scheduler that the test controls."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from fake_scheduler import Trial, fleet_of, leave_attempt, started
from fleet_lab import ROOT

from fleet.cli import main
from fleet.files import Unanswered, printable
from fleet.folder import NO_RUN, Folder, Submission
from fleet.plan import make_plan
from fleet.schedulers import Task, ask
from fleet.schedulers.slurm import _exit, _task
from fleet.schedulers.slurm_files import scratch_of, tail_script
from fleet.status import CellStatus, estimate, survey
from fleet.submit import dry_run
from fleet.table import render
from images.stack import Problem

NO_CGROUPS = "a job over its memory ends so where Slurm has no cgroups"


def test_a_second_submission_has_nothing_to_do(tmp_path: Path) -> None:
    """What is queued is left alone; what is done needs no answer from the scheduler."""
    trial = Trial(tmp_path, "a", "b")
    assert trial.submit() == 0
    assert trial.submit() == 0
    assert trial.queued() == 6
    for one in trial.folder.submissions():
        for task, cell in enumerate(cell for cell in trial.folder.cells() if cell.id in one.cells):
            leave_attempt(trial.folder, cell, one.number, job=one.job, task=task)
    trial.scheduler.calls.clear()
    trial.submit()
    assert trial.scheduler.calls == []
    assert trial.said[-1] == "rest     6 done"


def test_a_cancel_that_was_cut_off_is_carried_out_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The journal has its line before the scheduler is asked."""
    trial = started(tmp_path, "a")
    monkeypatch.setattr("fleet.cli._open", lambda asked: (trial.fleet, trial.folder, trial.scheduler))
    answer = trial.scheduler.cancel

    def no_answer(submissions: Sequence[Submission]) -> list[str]:
        raise Unanswered("scancel: timed out")

    monkeypatch.setattr(trial.scheduler, "cancel", no_answer)
    assert main(["fleet-cancel"]) == 2
    assert "scancel: timed out" in capsys.readouterr().err
    assert trial.queued() == 3
    asked: list[Submission] = []
    monkeypatch.setattr(trial.scheduler, "cancel", lambda them: asked.extend(them) or answer(them))
    assert main(["fleet-cancel"]) == 0
    assert ([one.number for one in asked], trial.queued()) == ([1], 0)


def test_arrays_are_no_larger_than_the_cluster_allows(tmp_path: Path) -> None:
    """Cells of one type are split over several jobs."""
    trial = started(tmp_path, "a", split="row", largest=4)
    assert [len(tasks) for tasks in trial.scheduler.jobs.values()] == [4, 4, 1]


@pytest.mark.parametrize(
    ("moment", "outcomes"),
    [("on_submit", ["submitted"] * 2), ("before_submit", ["abandoned", "submitted", "submitted"])],
    ids=["after the job arrived", "before it did"],
)
def test_a_crash_around_the_submission_neither_loses_nor_doubles(
    tmp_path: Path, moment: str, outcomes: list[str]
) -> None:
    """The intent was written first: the job is found by its name, or is forbidden to run and submitted again."""
    trial = Trial(tmp_path, "a", "b")
    setattr(trial.scheduler, moment, RuntimeError("killed"))
    with pytest.raises(RuntimeError):
        trial.submit()
    setattr(trial.scheduler, moment, None)
    trial.submit()
    assert trial.queued() == 6
    assert [one.outcome for one in trial.folder.submissions()] == outcomes
    assert (trial.folder.submission(1) / "abandoned").exists() is ("abandoned" in outcomes)
    trial.submit()
    assert trial.queued() == 6


def test_a_cut_journal_line_is_an_action_that_did_not_follow(tmp_path: Path) -> None:
    """A writer killed within its line loses that line only, and its number is not used again."""
    trial = started(tmp_path, "a")
    trial.folder.append(event="intent", submission=2)  # of a version that wrote less
    whole = trial.folder.journal.read_bytes()
    intent = whole.splitlines(keepends=True)[0]
    trial.folder.submission(7).mkdir(parents=True)
    trial.folder.journal.write_bytes(whole + intent[: len(intent) // 2])
    trial.scheduler.jobs.clear()
    trial.submit()
    assert [one.number for one in trial.folder.submissions()] == [1, 8]
    assert trial.queued() == 3


def test_a_refusal_is_kept_with_its_message(tmp_path: Path) -> None:
    """The other types go on; the next run tries again."""
    trial = Trial(tmp_path, "a")
    trial.scheduler.refuses = "sbatch: Invalid account"
    assert trial.submit() == 1
    assert {(one.kind, one.reason) for one in trial.cells()} == {("refused", "sbatch: Invalid account")}
    trial.scheduler.refuses = ""
    assert trial.submit() == 0
    assert trial.queued() == 3


def test_what_the_scheduler_would_refuse_stops_everything(tmp_path: Path) -> None:
    """Nothing is submitted if one type cannot be."""
    trial = Trial(tmp_path, "a", "b")
    trial.scheduler.problems = ["fleet.toml:5: [[node]] 'b' time: too long"]
    with pytest.raises(Problem, match="too long"):
        trial.submit()
    assert trial.queued() == 0
    assert trial.folder.submissions() == []


def test_without_an_answer_nothing_is_changed(tmp_path: Path) -> None:
    """A silent scheduler leaves states unknown; nothing is called lost."""
    trial = started(tmp_path, "a")
    before = trial.folder.journal.read_bytes()
    trial.scheduler.answers = False
    for ask_it in (trial.submit, trial.cells):
        with pytest.raises(Unanswered):
            ask_it()
    assert trial.folder.journal.read_bytes() == before


def test_a_lost_cell_is_submitted_as_often_as_retries_allow(tmp_path: Path) -> None:
    """AGAIN goes beyond; a cancelled submission does not count."""
    trial = Trial(tmp_path, "a", rows=["ar"], retries=1)
    for _ in range(4):
        trial.submit()
        trial.scheduler.jobs.clear()
    assert len(trial.folder.submissions()) == 2
    assert trial.said[-2:] == [
        "rest     1 lost",
        "         AGAIN=1 submits the 1 without a result, also after 1 retries",
    ]
    trial.submit(again=True)
    assert len(trial.folder.submissions()) == 3
    trial.folder.append(event="cancel", submissions=[1, 2, 3])
    trial.scheduler.jobs.clear()
    (one,) = trial.cells()
    assert (one.kind, one.reason) == ("stopped", "cancelled before it started")
    trial.submit()
    assert len(trial.folder.submissions()) == 4


def test_an_edit_is_refused_while_its_cells_are_on_their_way(tmp_path: Path) -> None:
    """Cells that changed or went away must not be queued; afterwards they are measured as the file says now."""
    trial = started(tmp_path, "a", "b", rows=["ar"])
    trial.fleet = fleet_of(tmp_path, "a", rows=["ar"], profile="full")
    with pytest.raises(
        Problem, match=r"was edited, and cells of the earlier version .*: a/cpu.classical, b/cpu.classical"
    ):
        trial.submit()
    assert [cell.profile for cell in trial.folder.cells()] == ["quick", "quick"]
    trial.scheduler.set(Task("ended", "done"))
    trial.submit()
    assert [cell.profile for cell in trial.folder.cells()] == ["full"]
    assert len(trial.folder.submissions()) == 3


def test_a_run_stays_with_its_scheduler(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An edit that would look for jobs and results elsewhere is refused: all of them would seem lost."""
    trial = started(tmp_path, "a")
    file = trial.fleet.path
    file.write_text(file.read_text() + "[slurm]\nshared = false\n")
    for command in ("fleet", "fleet-status", "fleet-gather", "fleet-cancel"):
        assert main([command, "--fleet", str(file)]) == 2
        assert "was submitted through slurm, but the file now has slurm, scratch /tmp;" in capsys.readouterr().err
    (trial.folder.path / "run.json").write_text("{")
    assert main(["fleet-status", "--fleet", str(file)]) == 2
    assert "run.json: missing or damaged; restore it, or set another folder" in capsys.readouterr().err


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    """The run's folder must be empty or a fleet's, of this version."""
    trial = Trial(tmp_path, "a")
    folder = trial.folder.path
    folder.mkdir()
    (folder / "thesis.tex").write_text("x")
    with pytest.raises(Problem, match="is not a fleet's folder"):
        trial.submit()
    (folder / "thesis.tex").unlink()
    (folder / ".writing-x").touch()  # of a command that was killed
    trial.submit()
    (folder / "run.json").write_text('{"version": 2, "run": "0123abcd"}')
    with pytest.raises(Problem, match="written by another version"):
        trial.submit()


def test_a_file_that_cannot_be_used_is_named_with_the_cure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Here a file is where the run's folder belongs."""
    fleet = fleet_of(tmp_path, "a")
    fleet.folder.write_text("")
    assert main(["fleet", "--fleet", str(fleet.path)]) == 2
    assert capsys.readouterr().err == (
        f"erabench: {fleet.folder}: File exists; free some space or make it accessible, "
        "then run the same command again\n"
    )


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        ("fleet-status", 0, ""),
        ("fleet", 2, "erabench: stopped, since nothing reads the output; run the same command again to continue\n"),
    ],
)
def test_a_reader_of_the_output_may_go(tmp_path: Path, command: str, status: int, said: str) -> None:
    """Of a table it has seen enough; a command that changes something stops. Neither is a traceback."""
    trial = started(tmp_path, "a", rows=["ar"])
    leave_attempt(trial.folder, trial.folder.cells()[0])
    reader, writer = os.pipe()
    os.close(reader)
    words = [sys.executable, "-m", "fleet", command, "--fleet", str(trial.fleet.path)]
    environment = {**os.environ, "PYTHONUNBUFFERED": ""}  # with a buffer the error comes at the end
    done = subprocess.run(words, cwd=ROOT, env=environment, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert (done.returncode, done.stderr) == (status, said)


def test_a_dry_run_changes_nothing(tmp_path: Path) -> None:
    """It prints the commands, with or without a scheduler that answers."""
    trial = Trial(tmp_path, "a")
    dry_run(trial.fleet, trial.folder, trial.scheduler, trial.said.append)
    assert trial.said[-2:] == [f"submit erabench-{NO_RUN}-0001", "3 of 3 cells would be submitted"]
    assert not trial.folder.path.exists()


def test_a_requeued_cell_is_queued_whatever_its_first_attempt_left(tmp_path: Path) -> None:
    """The scheduler's newer restart wins over an older attempt's state, and the delay is ended."""
    trial = started(tmp_path, "a", rows=["ar"])
    leave_attempt(trial.folder, trial.folder.cells()[0], outcome="stopped", rows=[])
    trial.scheduler.set(Task("queued", reason="BeginTime", restart=1, held=True))
    (one,) = trial.cells()
    assert (one.kind, one.reason, one.restart) == ("queued", "BeginTime", 1)
    trial.submit()
    assert "release 1" in trial.scheduler.calls


def test_the_node_of_a_job_that_slurm_forgot_is_remembered(tmp_path: Path) -> None:
    """Without a shared disk its results are there."""
    trial = started(tmp_path, "a", rows=["ar"])
    trial.scheduler.set(Task("running", node="n7"))
    trial.submit()
    trial.scheduler.jobs.clear()
    (one,) = trial.cells()
    assert (one.kind, one.node) == ("lost", "n7")


def test_records_alone_do_not_make_a_cell_done(tmp_path: Path) -> None:
    """A record is there after its first process: without a final state the bench has to see what is missing."""
    trial = started(tmp_path, "a", rows=["ar"])
    leave_attempt(trial.folder, trial.folder.cells()[0], phase="running", outcome=None)
    trial.scheduler.jobs.clear()
    (one,) = trial.cells()
    assert (one.kind, one.reason) == ("lost", "started on n1, but the scheduler no longer knows its job")


def test_the_table_shows_types_against_frameworks(tmp_path: Path) -> None:
    """The whole text, with text from other machines made safe."""
    trial = started(tmp_path, "epyc", "p100")
    cells = trial.folder.cells()
    attempt = leave_attempt(trial.folder, cells[3], 2, job="2")
    done = trial.cells()[3]
    statuses = [
        CellStatus(cells[0], "done", seconds=100),
        CellStatus(cells[1], "running", node="cpu1", seconds=723),
        CellStatus(cells[2], "queued", "Resources"),
        done,
        CellStatus(cells[4], "failed", "exit status 3: \x1b[31mred\x1b[0m", "p100"),
        CellStatus(cells[5], "queued", "PartitionTimeLimit", restart=1, stuck=True),
    ]
    assert done.attempt.path == attempt
    assert render(statuses, "fleet.toml", "make fleet-status CELL=x") == (
        "fleet.toml\n"
        "\n"
        "TYPE  classical  keras               pytorch\n"
        "epyc  done       running cpu1 12:03  queued (Resources)\n"
        "p100  done       failed              queued (PartitionTimeLimit), attempt 1\n"
        "\n"
        "6 cells: 2 queued, 1 running, 2 done, 1 failed\n"
        "ends in about 1:40\n"
        "\n"
        "p100/cpu.keras: failed on p100: exit status 3: \\x1b[31mred\\x1b[0m\n"
        "p100/cpu.pytorch: queued and will not start as it is: PartitionTimeLimit\n"
        "\n"
        "a cell's log: make fleet-status CELL=x"
    )


def test_the_end_is_estimated_from_cells_that_are_done(tmp_path: Path) -> None:
    """Without any, the time limits bound it; nothing active has no end."""
    fleet = fleet_of(tmp_path, "a", "b", time="01:00:00")
    cells = make_plan(fleet, {})
    assert estimate([CellStatus(cells[0], "done", seconds=5)]) is None
    assert estimate([CellStatus(cells[0], "queued"), CellStatus(cells[1], "running", seconds=600)]) == (6600, True)
    known = [CellStatus(cells[0], "done", seconds=100), CellStatus(cells[3], "running", seconds=40)]
    assert estimate([*known, CellStatus(cells[4], "queued"), CellStatus(cells[5], "queued")]) == (260, False)


def test_a_thousand_cells_are_planned_in_2_s_and_surveyed_in_3_s(tmp_path: Path) -> None:
    """Processor time, since other work may share the machine; a third is done, a third runs, a third waits."""
    trial = Trial(tmp_path, *(f"type{number}" for number in range(112)), split="row")
    folder, scheduler = trial.folder, trial.scheduler
    began = time.process_time()
    trial.submit()
    planned = time.process_time() - began
    cells = folder.cells()
    assert len(cells) == 1008
    for number, one in enumerate(folder.submissions()):
        for task in range(len(one.cells)):
            if number % 3 == 0:
                leave_attempt(folder, cells[number * 9 + task], one.number, job=one.job, task=task)
        if number % 3 == 1:
            scheduler.jobs[one.name] = [Task("running", node="n", seconds=5)] * 9
    began = time.process_time()
    found = Folder(folder.path)
    text = render(survey(found, found.cells(), scheduler).cells, "title", "log")
    surveyed = time.process_time() - began
    print(f"1,008 cells: planned and submitted in {planned:.2f} s, surveyed in {surveyed:.2f} s")
    assert re.search(r"1008 cells: 333 queued, 333 running, 342 done", text)
    assert planned < 2
    assert surveyed < 3


def test_a_damaged_plan_is_told_with_the_cure(tmp_path: Path) -> None:
    """Status and gathering need it; `make fleet` writes it again."""
    folder = started(tmp_path, "a").folder
    for text in ("{", "[]", '{"cells": [{"type": "a"}]}'):
        (folder.path / "plan.json").write_text(text)
        with pytest.raises(Problem, match="run make fleet to write it again"):
            folder.cells()


def test_text_of_other_machines_is_made_printable() -> None:
    """No control character, no change of direction."""
    assert printable("a\x1b]0;x\x07\u202eb\né") == "a\\x1b]0;x\\x07\\u202eb\\né"


def test_a_command_that_hangs_or_is_absent_is_no_answer() -> None:
    """The submission is not counted as refused, and the message names the fix."""
    with pytest.raises(Unanswered, match=r"sleep gave no answer within 0 s; try again later"):
        ask(["sleep", "5"], timeout=0.1)
    with pytest.raises(Unanswered, match="sbatch-x: not found; run this where the scheduler's commands are"):
        ask(["sbatch-x"])


def test_the_newest_attempt_on_a_node_is_the_one_whose_log_is_read(tmp_path: Path) -> None:
    """The tenth restart comes after the ninth."""
    trial = started(tmp_path, "a")
    fleet = replace(trial.fleet, slurm=replace(trial.fleet.slurm, scratch=str(tmp_path)))
    for attempt in ("0001-5_0.9", "0001-5_0.10"):
        path = Path(scratch_of(fleet, trial.folder), "cells/a/cpu.keras", attempt, "log")
        path.parent.mkdir(parents=True)
        path.write_text(attempt)
    script = tail_script(fleet, trial.folder, "a/cpu.keras")
    assert subprocess.run(["sh", "-c", script], capture_output=True, text=True).stdout == "0001-5_0.10"


@pytest.mark.parametrize(
    ("state", "status", "used", "task"),
    [
        ("FAILED", "768", "1:05", Task("ended", "failed", "exit status 3", "n", 65)),  # squeue's
        ("FAILED", "3:0", "65", Task("ended", "failed", "exit status 3", "n", 65)),  # sacct's
        ("FAILED", "0:9", "0:05", Task("ended", "failed", f"killed by signal 9; {NO_CGROUPS}", "n", 5)),
        ("COMPLETED", "0", "1-00:00:01", Task("ended", "done", "", "n", 86_401)),
        ("CANCELLED", "0:15", "", Task("ended", "stopped", "", "n")),
        ("NODE_FAIL", "1:0", "0:09", Task("ended", "lost", "NODE_FAIL", "n", 9)),
        ("RUNNING", "0", "1:00:00", Task("running", "", "", "n", 3600)),
        ("NEW_IN_27", "0", "0:09", Task("running", "", "NEW_IN_27", "n", 9)),
    ],
)
def test_the_words_of_squeue_and_sacct_have_one_meaning(state: str, status: str, used: str, task: Task) -> None:
    """In the forms that versions of Slurm print; a state that is not known is one of a job that has not ended."""
    assert _task(state, "None", "n", used, _exit(status), 0) == task
