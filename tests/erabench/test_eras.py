"""`make eras`: rounds over the years that end the same whatever stops them, and a reason where a year cannot run."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from made_up import report

from erabench import data, page
from erabench.bench.rounds import Measured
from erabench.choose import Choice
from erabench.containers.image import ImageProblem
from erabench.engine import Ended
from erabench.environments import locks
from erabench.environments.build import Environment, mark
from erabench.eras import engine as module
from erabench.eras import plan, room, run
from erabench.eras.engine import Pace, brief, calls
from erabench.eras.run import eras
from erabench.options import OPTIONS
from images.stack import Problem

FULL = "cannot make '/home/me/.venvs/2020/keras' (step: install); the disk is full; free some space"


class Killed(BaseException):
    """As SIGKILL: no code of the driver runs after it."""


class Runners:
    """An engine for every year whose runners measure nothing: they add a process to a record, as the real ones do."""

    name = "venv"

    def __init__(self, folder: Path, year: str, lab: Lab) -> None:
        self.folder, self.year, self.lab = folder, year, lab

    def prepare(self, framework: str) -> None:
        """Make the environment's folder, or refuse."""
        edition = f"{self.year}/{framework}"
        self.lab.moment()
        if self.lab.refusals.get(edition):
            raise self.lab.refusals[edition].pop(0)
        others = [other for other in EDITIONS if other != edition and (self.lab.venvs / other).exists()]
        if edition in self.lab.full and others:
            self.lab.full.remove(edition)
            raise Problem(FULL)
        (self.lab.venvs / edition).mkdir(parents=True, exist_ok=True)
        mark(self.lab.venvs / edition).touch()

    def run(self, framework: str, arguments: Sequence[str]) -> Ended:
        """One more process for each row, unless it has one of this round or enough."""
        given = dict(pairwise(arguments))
        self.lab.calls.append((given["--round"], f"{self.year}/{framework}"))
        self.lab.moment()
        rows = []
        for row in given["--rows"].split(","):
            status = self.lab.statuses.get(f"{self.year}/{row}", "ok")
            found = {} if "--force" in given else self.lab.record(f"{self.year}/{row}") or {}
            processes = found.get("processes", []) if found.get("status") == "ok" else []
            process = [int(given["--order-seed"]), int(given["--round"])]
            if status == "ok" and process not in processes and len(processes) < 3:
                processes.append(process)
            path = self.folder / "m" / self.year / f"{row}.cpu.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"processes": processes, "status": status}))
            self.lab.moment()
            rows.append((row, status, len(processes), 3))
        failed = any(status != "ok" for _, status, _, _ in rows)
        return Ended(int(failed), report(*rows))


class Lab:
    """A machine with made-up engines: what they refuse, when they are killed, and what came of it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.results, self.venvs = folder / "results", folder / "venvs"
        self.refusals: dict[str, list[Problem]] = {}
        self.statuses: dict[str, str] = {}
        self.full: set[str] = set()  # editions for which the disk is full once, beside others
        self.calls: list[tuple[str, str]] = []
        self.moments, self.killed_at, self.pages = 0, 0, 0
        self.pythons: Callable[[str], bool] = lambda year: True
        monkeypatch.setenv("VENVS", str(self.venvs))
        for name in ("FORCE", "KEEP"):
            monkeypatch.delenv(name, raising=False)
        host = Environment(Path(sys.prefix), (), sys.executable)
        monkeypatch.setattr(locks, "host", lambda: host)
        monkeypatch.setattr(locks, "uv", lambda: Path("/bin/true"))
        monkeypatch.setattr(locks, "of_stack", lambda year, name: Environment(self.venvs / year / name, (), "python"))
        monkeypatch.setattr(module, "opened", lambda choice, *_: Runners(self.results, choice.stack, self))
        monkeypatch.setattr(module, "choose", lambda name, year: Choice(name or "venv", "", year, ""))
        monkeypatch.setattr(module, "has_python", lambda year: self.pythons(year))
        monkeypatch.setattr(module, "fetched_python", lambda year: False)
        monkeypatch.setattr(data, "fetch", lambda *_: {})
        monkeypatch.setattr(run, "datasets", lambda _: [])
        monkeypatch.setattr(run, "commit", lambda: "")
        monkeypatch.setattr(page, "make", self.page)

    def page(self, *_: object) -> int:
        """Count the pages."""
        self.pages += 1
        return 0

    def moment(self) -> None:
        """A moment at which the driver may be killed."""
        self.moments += 1
        if self.moments == self.killed_at:
            raise Killed

    def kill(self, moment: int) -> None:
        """Run `make eras` until it is killed."""
        self.killed_at = moment
        with pytest.raises(Killed):
            self.run()

    def record(self, name: str) -> dict[str, Any] | None:
        """The record of "2018/ar"."""
        year, _, row = name.partition("/")
        path = self.results / "m" / year / f"{row}.cpu.json"
        return json.loads(path.read_text()) if path.exists() else None

    def run(self, **variables: str) -> int:
        """The exit status of `make eras`."""
        asked = {**dict.fromkeys(OPTIONS, ""), "FORCE": False, "RESULTS": str(self.results), "MACHINE": "m"}
        return eras(Namespace(**{**asked, "ERA": "2018,2020", "NET": "lstm,ar,ar-ols", **variables}))


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A machine on which everything works."""
    return Lab(tmp_path, monkeypatch)


EDITIONS = [f"{year}/{framework}" for year in ("2018", "2020") for framework in ("classical", "keras", "pytorch")]
ROWS = [f"{year}/{row}" for year in ("2018", "2020") for row in ("ar", "ar-ols", "lstm", "lstm-pytorch")]


def test_every_round_measures_every_year_before_the_next_one_begins(lab: Lab) -> None:
    """In an order that changes from round to round, with one seed for all."""
    assert lab.run() == 0
    orders = [[edition for number, edition in lab.calls if number == str(turn)] for turn in (1, 2, 3)]
    assert [number for number, _ in lab.calls] == ["1"] * 6 + ["2"] * 6 + ["3"] * 6
    assert [sorted(order) for order in orders] == [EDITIONS] * 3
    processes = [lab.record(row)["processes"] for row in ROWS]
    assert all(each == processes[0] for each in processes)
    assert [number for _, number in processes[0]] == [1, 2, 3]
    assert lab.pages == 1


def test_only_the_frameworks_that_are_asked_for_are_measured(lab: Lab) -> None:
    """PyTorch's row of a net that Keras has too."""
    assert lab.run(NET="lstm", FRAMEWORK="pytorch") == 0
    assert {edition for _, edition in lab.calls} == {"2018/pytorch", "2020/pytorch"}
    assert len(lab.record("2020/lstm-pytorch")["processes"]) == 3
    assert lab.record("2020/lstm") is None


@pytest.mark.parametrize("killed_at", range(1, 43, 3))
def test_what_was_killed_at_any_moment_ends_as_if_it_had_not_been(lab: Lab, killed_at: int) -> None:
    """Every row has one process per round of one bench; what was finished is not called again."""
    lab.kill(killed_at)
    before = len(lab.calls)
    assert lab.run() == 0
    processes = [lab.record(row)["processes"] for row in ROWS]
    assert all(each == processes[0] for each in processes)
    assert len(processes[0]) == 3
    assert 18 <= len(lab.calls) <= 19
    assert len(lab.calls) - before < 19


def test_a_second_bench_measures_nothing_and_force_measures_everything_again(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `make bench` does."""
    lab.run()
    lab.run()
    assert len(lab.calls) == 18
    first = lab.record("2018/ar")
    monkeypatch.setenv("FORCE", "1")
    lab.run()
    assert len(lab.calls) > 18
    seed = json.loads((lab.results / "m" / plan.NAME).read_text())["seed"]
    assert seed != first["processes"][0][0]


def test_a_removed_record_is_measured_again(lab: Lab) -> None:
    """The journal alone proves nothing."""
    lab.run()
    (lab.results / "m" / "2018" / "lstm.cpu.json").unlink()
    lab.run()
    assert [edition for _, edition in lab.calls[18:]] == ["2018/keras"] * 3


def test_a_journal_without_a_field_continues_all_the_same(lab: Lab) -> None:
    """What it lacks counts as not asked for."""
    lab.run()
    journal = lab.results / "m" / plan.NAME
    content = json.loads(journal.read_text())
    del content["force"]
    journal.write_text(json.dumps(content))
    assert lab.run() == 0
    assert len(lab.calls) == 18


@pytest.mark.parametrize("content", ["", "{", "[]", '{"seed": 1}', '{"seed": "x", "done": {}}'])
def test_a_damaged_journal_begins_a_new_bench(lab: Lab, content: str) -> None:
    """No bench is refused for it."""
    (lab.results / "m").mkdir(parents=True)
    (lab.results / "m" / plan.NAME).write_text(content)
    assert lab.run() == 0


def test_a_year_whose_rows_fail_does_not_stop_the_others_and_is_tried_again_next_time(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    """Here a step that hangs until its time limit."""
    lab.statuses["2020/lstm"] = "timeout"
    assert lab.run() == 1
    assert "1 of 8 rows failed: 2020 keras lstm (timeout); the page has the reasons" in capsys.readouterr().err
    assert len(lab.record("2018/lstm")["processes"]) == 3
    assert [edition for _, edition in lab.calls].count("2020/keras") == 1
    lab.statuses.clear()
    assert lab.run() == 0
    assert len(lab.record("2020/lstm")["processes"]) == 3


@pytest.mark.parametrize("force", ["", "1"])
def test_a_row_that_is_tried_again_gets_all_its_processes_and_the_other_rows_keep_theirs(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, force: str
) -> None:
    """Of one edition, after the user made room for the one that failed and left FORCE out."""
    lab.statuses["2020/ar"] = "timeout"
    monkeypatch.setenv("FORCE", force)
    assert lab.run() == 1
    good, before = lab.record("2020/ar-ols"), len(lab.calls)
    assert len(good["processes"]) == 3
    lab.statuses.clear()
    monkeypatch.delenv("FORCE")
    assert lab.run() == 0
    assert len(lab.record("2020/ar")["processes"]) == 3
    assert lab.record("2020/ar-ols") == good
    assert lab.calls[before:] == [("1", "2020/classical"), ("2", "2020/classical"), ("3", "2020/classical")]


def test_a_bench_that_was_killed_after_a_row_failed_measures_all_of_both(lab: Lab) -> None:
    """The others are within their rounds when the failed one begins."""
    lab.statuses["2020/ar"] = "timeout"
    lab.kill(28)  # as round 3 begins
    lab.statuses.clear()
    assert lab.run() == 0
    assert [len(lab.record(row)["processes"]) for row in ROWS] == [3] * 8


def test_a_call_is_divided_where_rows_lack_other_devices() -> None:
    """So that no device of a row is measured twice."""
    words = ["--rows", "a,b,c", "--round", "2", "--devices", "cpu,gpu"]
    rows = [("x", row, device) for row in "abc" for device in ("cpu", "gpu")]
    assert calls(words, rows) == [words]
    assert calls(words, rows[1:]) == [
        ["--rows", "a", "--round", "2", "--devices", "gpu"], ["--rows", "b,c", "--round", "2", "--devices", "cpu,gpu"],
    ]  # fmt: skip


def test_a_year_that_cannot_be_installed_is_a_row_with_a_reason(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """The real runners write it, for the page; it names no folder of the machine."""
    lab.refusals["2020/keras"] = [Problem(FULL), Problem(FULL)]
    assert lab.run() == 1
    record = lab.record("2020/lstm")
    assert (record["status"], record["reason"]["key"]) == ("failed", "environment-failed")
    assert record["reason"]["values"]["text"].startswith("cannot make '.../keras' (step: install); the disk is full")
    assert len(lab.record("2020/ar")["processes"]) == 3
    assert f"erabench: 2020 keras: {FULL}" in capsys.readouterr().err


def test_a_year_whose_image_cannot_be_built_is_a_row_without_the_log(lab: Lab) -> None:
    """The message begins with it where standard error is no terminal."""
    problem = "Collecting numpy\nno space left\nerabench: building erabench/keras:2020 failed"
    lab.refusals["2020/keras"] = [ImageProblem(problem, "building erabench/keras:2020 failed")]
    assert lab.run() == 1
    assert lab.record("2020/lstm")["reason"]["values"] == {"text": "building erabench/keras:2020 failed"}


def test_a_year_that_fails_in_a_later_round_keeps_its_processes(lab: Lab) -> None:
    """They are good; only no more are added."""
    lab.kill(20)
    lab.refusals["2020/keras"] = [Problem(FULL)] * 9
    assert lab.run() == 1
    record = lab.record("2020/lstm")
    assert record["status"] == "ok"
    assert record["processes"]


def test_a_missing_python_is_a_skipped_row(lab: Lab) -> None:
    """Nothing is wrong with the code, so the exit status is 0."""
    lab.pythons = lambda year: year != "2018"
    assert lab.run() == 0
    record = lab.record("2018/ar")
    assert (record["status"], record["reason"]) == ("skipped", {"key": "python-missing", "values": {"version": "3.6"}})
    assert len(lab.record("2020/ar")["processes"]) == 3


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"ERA": "2017"}, r"ERA=2017: no such era; choose from: 2018, 2019, .*2026"),
        ({"NET": "resnet"}, r"NET=resnet: no such net; choose from: ar, .*lstm"),
        ({"FRAMEWORK": "caffe"}, r"FRAMEWORK=caffe: no such framework; choose from: .*pytorch"),
        ({"FRAMEWORK": "jax"}, r"ERA=2018,2020 NET=lstm,ar,ar-ols FRAMEWORK=jax: no framework with a lock"),
        ({"PROFILE": "slow"}, r"PROFILE=slow: no such profile"),
        ({"ENGINE": "dokcer"}, r"ENGINE=dokcer: no such engine; choose from: docker, podman, venv"),
        ({"ENGINE": "docker"}, r"ENGINE=docker: docker does not answer \(no daemon\); fix that, or choose ENGINE=venv"),
    ],
)
def test_a_wrong_word_is_named_before_anything_starts(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], message: str
) -> None:
    """With what there is; no row gets a record of a failure."""
    monkeypatch.setattr("erabench.choose.unusable", lambda name: f"{name} does not answer (no daemon)")
    with pytest.raises(Problem, match=message):
        lab.run(**variables)
    assert lab.calls == []
    assert not lab.results.exists()


def test_environments_are_kept_during_the_rounds_and_removed_at_the_end(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """KEEP=1 leaves them."""
    lab.run()
    assert not any((lab.venvs / edition).exists() for edition in EDITIONS)
    monkeypatch.setenv("KEEP", "1")
    lab.run(ERA="2020")
    assert [edition for edition in EDITIONS if (lab.venvs / edition).exists()] == EDITIONS[3:]


def test_a_disk_that_fills_makes_room_of_the_years_before_and_goes_on(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was removed is built again in the next round."""
    lab.full = {"2020/keras"}
    assert lab.run() == 0
    assert [len(lab.record(row)["processes"]) for row in ROWS] == [3] * 8
    assert "the disk is nearly full: removing the environment 20" in capsys.readouterr().err


def test_below_the_size_of_the_largest_environment_only_one_is_there(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nine years take 44 GB, one year at most 6.9."""
    monkeypatch.setattr(room, "free", lambda: int(room.LEAST_FREE) - 1)
    monkeypatch.setenv("KEEP", "1")
    assert lab.run() == 0
    assert [edition for edition in EDITIONS if (lab.venvs / edition).exists()] == [lab.calls[-1][1]]


def test_the_progress_names_year_framework_round_and_the_time_left() -> None:
    """An edition that was not seen yet takes as long as another year's of its framework."""
    pace = Pace(["2018/keras", "2020/keras", "2020/classical"])
    assert pace.line("2018/keras", "1") == "2018 keras, round 1"
    pace.note("2018/keras", "1", {("2018/keras", "lstm", "cpu"): Measured("ok", 1, 5, 9.0)}, 20.0)
    assert pace.line("2020/keras", "1") == "2020 keras, round 1 of 5; about 5 min left"
    pace.wanted["2020/keras"] = 0
    assert pace.line("2020/classical", "1") == "2020 classical, round 1 of 5; about 3 min left"


def test_a_reason_has_no_path() -> None:
    """Of several lines the first one, its folders cut to their last part."""
    assert brief(Problem("cannot write '/a/b/c': full\nmore")) == "cannot write '.../c': full"


@pytest.mark.parametrize("same", [True, False])
def test_room_is_made_of_what_the_next_year_does_not_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, same: bool
) -> None:
    """Without a name, `uv cache clean` would empty the user's whole cache."""
    uv = tmp_path / "uv"
    uv.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path / "log"}\n')
    uv.chmod(0o755)
    monkeypatch.setenv("VENVS", str(tmp_path / "venvs"))
    monkeypatch.setattr(locks, "uv", lambda: uv)
    monkeypatch.setattr(room, "free", lambda: 0)
    if same:
        monkeypatch.setattr(room, "packages", lambda edition: {("numpy", "1.14")})
    (tmp_path / "venvs/2018/classical").mkdir(parents=True)
    mark(tmp_path / "venvs/2018/classical").touch()
    assert room.Room(["2018/classical"]).make("2019/classical")
    assert not (tmp_path / "venvs/2018/classical").exists()
    asked = (tmp_path / "log").read_text().split() if (tmp_path / "log").exists() else []
    assert (asked[:2], "numpy" in asked[2:]) == (([], False) if same else (["cache", "clean"], True))
