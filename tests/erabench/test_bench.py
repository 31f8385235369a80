"""The bench: what is prepared, what goes on without it, and the exit status."""

from __future__ import annotations

import sys
from argparse import Namespace

import pytest
from made_up import Bench

from erabench import page
from erabench.bench import run as module
from erabench.choose import Choice
from erabench.containers.image import BaseUnavailable
from images.stack import Problem


def test_every_framework_runs_its_rows_and_the_page_is_made(made: Bench) -> None:
    """The runners get what was asked for and what the machine is."""
    assert made.run(MODEL="lstm,ar,ar-ols", DEVICE="cpu", PROFILE="smoke", MACHINE="here", THREADS="2") == 0
    assert sorted(made.engines["docker"].ran) == ["classical", "keras"]
    given = " ".join(made.engines["docker"].ran["classical"])
    assert "--rows ar,ar-ols" in given
    for option in ("--devices cpu", "--profile smoke", "--machine here", "--threads 2", "--stack cpu"):
        assert option in given
    assert "--engine docker" in given
    assert (made.fetched, made.pages) == (["airline"], 1)


def test_a_base_that_cannot_be_had_leaves_the_work_to_virtual_environments(
    made: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line reports it."""
    made.engines["docker"].refuses = {"classical": BaseUnavailable("python:3.11 cannot be pulled: EOF\nset BASE", "")}
    assert made.run(MODEL="ar") == 0
    assert "erabench: python:3.11 cannot be pulled: EOF; continuing with ENGINE=venv\n" in capsys.readouterr().err
    assert not made.engines["docker"].ran
    assert "--engine venv" in " ".join(made.engines["venv"].ran["classical"])


def test_virtual_environments_in_place_of_containers_may_be_of_another_stack(
    made: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A GPU of the era without its Python, for one: the results are those of the stack that was measured."""
    stacks = {"": "gtx1080", "venv": "cpu"}
    monkeypatch.setattr(module, "choose", lambda engine, _: Choice(engine or "docker", "why", stacks[engine], "why"))
    made.engines["docker"].refuses = {"classical": BaseUnavailable("python:3.6 cannot be pulled", "")}
    assert made.run(MODEL="ar") == 0
    assert "--stack cpu --engine venv" in " ".join(made.engines["venv"].ran["classical"])


def test_an_engine_that_was_asked_for_is_not_replaced(made: Bench) -> None:
    """Its problem is the answer."""
    made.engines["docker"].refuses = {"classical": BaseUnavailable("python:3.11 cannot be pulled", "")}
    with pytest.raises(BaseUnavailable):
        made.run(MODEL="ar", ENGINE="docker")
    assert not made.engines["venv"].ran


def test_a_framework_that_cannot_be_prepared_does_not_stop_the_others(
    made: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit status is 2, and the page is made."""
    made.engines["venv"].refuses = {"keras": Problem("the disk is full")}
    assert made.run(MODEL="lstm,ar", ENGINE="venv") == 2
    assert "erabench: the disk is full\n" in capsys.readouterr().err
    assert list(made.engines["venv"].ran) == ["classical"]
    assert made.pages == 1


@pytest.mark.parametrize(
    ("status", "expected"),
    [("ok", 0), ("skipped", 0), ("failed", 1), ("timeout", 1), ("out_of_memory", 1), ("interrupted", 130)],
)
def test_the_exit_status_tells_how_the_rows_ended_and_the_page_is_shown(
    made: Bench, status: str, expected: int
) -> None:
    """After Ctrl-C too."""
    made.engines["docker"].status = status
    assert made.run(MODEL="ar") == expected
    assert made.pages == 1


def test_failed_rows_are_listed_at_the_end(made: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """By row and device."""
    made.engines["docker"].status = "out_of_memory"
    made.run(MODEL="ar,ar-ols")
    said = "2 of 2 rows failed: ar cpu (out of memory), ar-ols cpu (out of memory); the page has the reasons\n"
    assert said in capsys.readouterr().err


def test_data_that_cannot_be_had_are_reported_and_the_rows_still_run(
    made: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each row then has the reason in its record."""
    made.problems = {"airline": "airline: no source answers"}
    assert made.run(MODEL="ar") == 0
    assert "erabench: airline: no source answers\n" in capsys.readouterr().err
    assert made.engines["docker"].ran


def test_tune_leaves_out_the_frameworks_that_have_nothing_to_tune(made: Bench) -> None:
    """And a message reports that nothing is left."""
    assert made.run(tune=True, MODEL="lstm,ar") == 0
    assert list(made.engines["docker"].ran) == ["keras"]
    assert "--tune" in made.engines["docker"].ran["keras"]
    with pytest.raises(Problem, match=r"MODEL=ar: nothing to tune; choose rows of: jax, keras, keras_torch, pytorch"):
        made.run(tune=True, MODEL="ar")


def test_a_stack_without_a_lock_for_a_framework_leaves_its_rows_out(
    made: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The others are measured."""
    monkeypatch.setattr(module, "frameworks", lambda _: ["classical"])
    assert made.run(MODEL="lstm,ar") == 2
    assert "erabench: stack cpu has no lock for keras; its rows are left out\n" in capsys.readouterr().err
    assert list(made.engines["docker"].ran) == ["classical"]


def test_a_report_that_a_signal_ended_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As when the memory is full: never exit status 0."""
    program = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    monkeypatch.setattr(page.locks, "host", lambda: Namespace(interpreter=sys.executable))
    assert page.report("-c", program) == 2
    assert "SIGKILL ended the report" in capsys.readouterr().err
