"""`python -m experiments.era_causes`: which cases exist, what they are compared with, and what an operation took."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("numpy")

from experiments import era_cases, era_causes

ANSWER = {"train": 2.0, "predict": 1.0, "operations": 3, "longest": []}


def answered(monkeypatch: pytest.MonkeyPatch, status: int) -> list[str]:
    """Let every case answer but "old layer", which ends with this status; gives the cases that ran."""
    ran: list[str] = []

    def run(command: list[str], **_options: Any) -> subprocess.CompletedProcess[str]:
        ran.append(command[-1])
        bad = command[-1] == "old layer"
        return subprocess.CompletedProcess(command, bad * status, json.dumps(ANSWER), "Traceback\nwhy" * bad)

    monkeypatch.setattr(subprocess, "run", run)
    return ran


@pytest.mark.parametrize(
    ("status", "message"),
    [(era_cases.SKIPPED, "2018 old layer: does not exist: why\n"), (1, "2018 old layer: exit status 1: why\n")],
)
def test_a_case_without_an_answer_is_left_out_and_a_crash_is_no_missing_case(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], status: int, message: str
) -> None:
    """It says once which of the two it is; the others run in every round."""
    ran = answered(monkeypatch, status)
    found = era_causes.measured("keras", ["2018"], Path("venvs"), 2)
    cases = set(era_cases.CASES["keras"][1])
    assert {case: len(answers) for (_, case), answers in found.items()} == dict.fromkeys(cases - {"old layer"}, 2)
    assert ran.count("old layer") == 1
    assert capsys.readouterr().err == message


def test_a_case_is_compared_with_the_one_as_written_and_with_no_other() -> None:
    """By the medians over the processes of both; without it there is no ratio."""
    found = [{**ANSWER, "train": seconds} for seconds in (4.0, 5.0, 9.0)]
    assert era_causes.line("2018", "unrolled", found, [ANSWER] * 3) == (
        "2018  unrolled                train   5.000 ms (4.000 to 9.000) x2.50"
        "  predict   1.000 ms (1.000 to 1.000) x1.00  3 operations"
    )
    assert "x" not in era_causes.line("2018", "unrolled", found, [])


@pytest.mark.parametrize(
    ("event", "microseconds"),
    [
        ({"self_cpu_time_total": 0.0, "cpu_time_total": 9.0}, 0.0),
        ({"self_cpu_time_total": 4.0, "cpu_time_total": 9.0}, 4.0),
        ({"cpu_time_total": 9.0}, 9.0),
        ({}, 0.0),
    ],
)
def test_an_operation_has_not_the_time_of_those_it_called(event: dict[str, float], microseconds: float) -> None:
    """Not even where it took none of its own; only where PyTorch did not tell them apart they are in it."""
    assert era_cases._self_us(SimpleNamespace(**event)) == microseconds


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "required: FRAMEWORK"),
        (["jax", "as written"], "invalid choice: 'jax'"),
        (["keras"], "required: CASE"),
        (["keras", "one thread"], "invalid choice: 'one thread' (choose from "),
    ],
)
def test_a_case_that_nobody_knows_is_refused_with_the_choices(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    """And exit status 2; 3 means that a version does not have it."""
    monkeypatch.setattr("sys.argv", ["era_cases", *arguments])
    with pytest.raises(SystemExit, match="2"):
        era_cases.main()
    assert message in capsys.readouterr().err
