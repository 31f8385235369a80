"""Rounds: each adds one fresh process to every row that lacks some, until none does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

import pytest
from machines import ROOT
from made_up import report

from erabench.bench.rounds import Measured, Outcome, duration, progress, run_rounds
from erabench.engine import Ended

CHOSEN = {"keras": ["lstm", "bilstm"], "pytorch": ["densenet-24x3"]}


class Runners:
    """An engine whose runners measure nothing: what each call was given, and how the rows stand."""

    def __init__(self, wanted: dict[str, int] | None = None, statuses: dict[str, str] | None = None) -> None:
        self.wanted, self.statuses = wanted or {}, statuses or {}
        self.processes: dict[str, int] = {}
        self.calls: list[tuple[str, list[str]]] = []
        self.ends: dict[int, Ended] = {}  # the number of a call -> how it ends instead

    def run(self, framework: str, arguments: Sequence[str]) -> Ended:
        """One more process for every row that lacks some."""
        self.calls.append((framework, list(arguments)))
        if len(self.calls) in self.ends:
            return self.ends[len(self.calls)]
        rows = []
        for row in arguments[arguments.index("--rows") + 1].split(","):
            status, wanted = self.statuses.get(row, "ok"), self.wanted.get(row, 3)
            lacks = self.processes.get(row, 0) < wanted
            self.processes[row] = self.processes.get(row, 0) + (lacks and status == "ok")
            rows.append((row, status, self.processes[row], wanted))
        failed = any(status != "ok" for _, status, _, _ in rows)
        return Ended(int(failed), f"display\n{report(*rows)}\n")


def measure(runners: Runners, seed: int = 1, force: bool = False) -> Outcome:
    return run_rounds(runners.run, CHOSEN, ["--profile", "quick"], seed, force)


def rounds(runners: Runners) -> list[tuple[str, str, str]]:
    """(framework, rows, round) of each call."""
    return [
        (name, words[words.index("--rows") + 1], words[words.index("--round") + 1]) for name, words in runners.calls
    ]


def test_every_row_gets_the_processes_that_it_wants() -> None:
    """A row that has them is left out of later rounds."""
    runners = Runners(wanted={"lstm": 2, "bilstm": 1, "densenet-24x3": 3})
    outcome = measure(runners)
    assert runners.processes == {"lstm": 2, "bilstm": 1, "densenet-24x3": 3}
    assert sorted(rounds(runners)) == [
        ("keras", "lstm", "2"),
        ("keras", "lstm,bilstm", "1"),
        ("pytorch", "densenet-24x3", "1"),
        ("pytorch", "densenet-24x3", "2"),
        ("pytorch", "densenet-24x3", "3"),
    ]
    assert outcome[1:] == ([], False)


@pytest.mark.parametrize("wanted", [0, 1], ids=["complete", "tuned"])
def test_what_is_complete_takes_one_call_per_framework(wanted: int) -> None:
    """It finds everything unchanged, or does all in this call, as `make tune` does."""
    runners = Runners(wanted=dict.fromkeys(["lstm", "bilstm", "densenet-24x3"], wanted))
    measure(runners)
    assert len(runners.calls) == 2


def test_a_seed_gives_one_order_of_frameworks_and_others_give_another() -> None:
    """The same bench can be run again in the same order."""

    def orders(seed: int) -> list[str]:
        runners = Runners(wanted=dict.fromkeys(["lstm", "bilstm", "densenet-24x3"], 8))
        measure(runners, seed)
        return [name for name, _ in runners.calls]

    assert orders(1) == orders(1)
    assert len({tuple(orders(seed)) for seed in range(5)}) > 1


def test_only_the_first_round_measures_again_what_is_complete() -> None:
    """FORCE=1 in each round would never end."""
    runners = Runners()
    measure(runners, force=True)
    assert {words[words.index("--round") + 1] for _, words in runners.calls if "--force" in words} == {"1"}


def test_a_failed_row_is_not_tried_again_and_the_others_go_on() -> None:
    """Its status is in the outcome."""
    runners = Runners(statuses={"lstm": "out_of_memory"})
    outcome = measure(runners)
    assert outcome.rows["keras", "lstm", "cpu"].status == "out_of_memory"
    assert runners.processes == {"lstm": 0, "bilstm": 3, "densenet-24x3": 3}
    assert [rows for name, rows, number in rounds(runners) if name == "keras" and number != "1"] == ["bilstm"] * 2


def test_a_row_that_gains_no_process_is_not_tried_for_ever() -> None:
    """Its further processes fail one after the other."""
    runners = Runners(wanted={"lstm": 9})
    runners.ends = dict.fromkeys(range(3, 30), Ended(0, report(("lstm", "ok", 1, 9))))
    run_rounds(runners.run, {"keras": ["lstm"]}, [], 1, False)
    assert len(runners.calls) <= 4


@pytest.mark.parametrize("output", ["", "no json\n", '{"rows": [{"row": "lstm"}]}\n', "[]\n"])
def test_a_runner_that_ends_without_a_report_is_named_and_the_others_go_on(
    output: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its framework is not started again."""
    runners = Runners()
    runners.ends[1] = Ended(139, output)
    outcome = measure(runners)
    (broken,) = outcome.broken
    assert f"erabench: {broken}: the runners ended with status 139 and no report" in capsys.readouterr().err
    assert [name for name, _ in runners.calls].count(broken) == 1
    assert len(runners.calls) == 4


def test_a_runner_that_gives_up_in_the_middle_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """As on a full disk: its report has the rows before, and their statuses are good."""
    runners = Runners()
    runners.ends[1] = runners.ends[2] = Ended(2, report(("densenet-24x3", "ok", 3, 3)))
    assert sorted(measure(runners).broken) == ["keras", "pytorch"]
    assert "keras: the runners ended with status 2\n" in capsys.readouterr().err


def test_ctrl_c_ends_the_rounds() -> None:
    """Nothing is started after it."""
    runners = Runners()
    runners.ends[2] = Ended(130, report())
    assert measure(runners).interrupted
    assert len(runners.calls) == 2


def test_progress_counts_the_rounds_and_the_seconds_that_are_left() -> None:
    """Of every row the processes that it lacks, each as long as the last one."""
    rows = {
        ("keras", "lstm", "cpu"): Measured("ok", 1, 5, 10.0),
        ("pytorch", "densenet-24x3", "cpu"): Measured("ok", 1, 3, 100.0),
    }
    assert progress(rows, 1) == "round 1 of 5 is done; about 4 min left"


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.2, "1 s"), (89.0, "89 s"), (100.0, "2 min"), (5000.0, "83 min"), (9000.0, "2.5 h")]
)
def test_a_duration_has_the_unit_that_a_person_would_use(seconds: float, shown: str) -> None:
    """It is an estimate."""
    assert duration(seconds) == shown


CHILD = """
import signal, sys, time
count = 0
def stop(number, frame):
    global count
    count += 1
signal.signal(signal.SIGINT, stop)
print("ready", file=sys.stderr, flush=True)
while not count:
    time.sleep(0.05)
time.sleep(0.3)
print(count)
sys.exit(130)
"""
DRIVER = (
    f"from erabench.engine import supervise; import os; print(supervise(['{{}}', '-c', {CHILD!r}], dict(os.environ)))"
)


def test_nohup_keeps_a_bench_when_the_terminal_is_closed() -> None:
    """SIGHUP stays ignored if it was at the start."""
    code = (
        "import os, signal; from erabench.engine import stops_go_to; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "with stops_go_to(lambda: print('stopped')): os.kill(os.getpid(), signal.SIGHUP)\n"
        "print('goes on')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.stdout == "goes on\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("whole_group", [True, False], ids=["as from a terminal", "to the driver alone"])
def test_every_way_to_stop_reaches_the_runner_once(number: signal.Signals, whole_group: bool) -> None:
    """A second one would cut short what it still saves."""
    driver = subprocess.Popen(
        [sys.executable, "-c", DRIVER.replace("{}", sys.executable)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=lambda: [signal.signal(one, signal.SIG_DFL) for one in (signal.SIGINT, signal.SIGHUP)],
    )  # fmt: skip
    assert driver.stderr.readline() == "ready\n"
    time.sleep(0.1)
    if whole_group:
        os.killpg(driver.pid, number)
    else:
        driver.send_signal(number)
    output, _ = driver.communicate(timeout=30)
    assert output == "Ended(status=130, output='1\\n')\n"
