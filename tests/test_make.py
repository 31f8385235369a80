"""The Makefile: what a person types, and what a wrong word gets them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TARGETS = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)


def make(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    environment = {**clean, "ENGINE": "venv", "STACK": "cpu", **variables}
    return subprocess.run(["make", *words], cwd=ROOT, env=environment, capture_output=True, text=True)


def said(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What a person reads on standard error, without make's own last word."""
    return [line for line in done.stderr.splitlines() if not line.startswith("make")]


def test_help_names_every_target_with_a_line() -> None:
    """And the variables, in two lines."""
    lines = make("help").stdout.splitlines()
    assert [line.split()[1] for line in lines[:-2]] == TARGETS
    assert all(len(line.split()) > 3 for line in lines)


def test_make_alone_helps() -> None:
    """It does not start an hour of measuring."""
    assert make().stdout == make("help").stdout


def test_clean_removes_the_environments_and_nothing_whose_name_is_a_part_of_theirs(tmp_path: Path) -> None:
    """A folder with a space in its name is one folder."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("my", "venvs", "my venvs", "results"):
        (tmp_path / name).mkdir()
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    subprocess.run(["make", "clean"], cwd=tmp_path, env={**clean, "VENVS": "my venvs"}, check=True, capture_output=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Makefile", "my", "results", "venvs"]


def test_list_shows_the_eight_rows() -> None:
    """With no package installed but Python's own."""
    done = make("list")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) >= 9


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"MODEL": "resnet"}, r"erabench: there is no model 'resnet'; choose from: ar, .*"),
        ({"MODEL": "$(touch oops); 'x"}, r"erabench: there is no model '\$\(touch'; choose from: .*"),
        ({"DEVICE": "tpu"}, r"erabench: there is no device 'tpu'; choose from: cpu, gpu"),
        ({"PROFILE": "slow"}, r"erabench: there is no profile 'slow'; choose from: smoke, quick, full"),
        ({"STACK": "pascal"}, r"erabench: STACK=pascal: there is no such stack\. Take one of: .*cpu.*"),
        ({"ENGINE": "lxc"}, r"erabench: ENGINE=lxc: there is no such engine\. Take one of: docker, podman, venv\."),
        ({"MACHINE": "../up"}, r"erabench: the machine name '\.\./up' cannot name a folder; .*"),
        ({"RESULTS": "/proc/erabench"}, r"erabench: cannot write '/proc/erabench/.*; choose another RESULTS; .*"),
    ],
)
@pytest.mark.parametrize("target", ["bench", "calibrate", "tune"])
def test_a_wrong_word_gets_one_message_and_exit_status_2(
    target: str, variables: dict[str, str], message: str, tmp_path: Path
) -> None:
    """Before anything is installed or measured."""
    done = make(target, **{"RESULTS": str(tmp_path / "results"), "VENVS": str(tmp_path / "venvs"), **variables})
    assert done.returncode == 2
    (line,) = said(done)
    assert re.fullmatch(message, line), line
    assert not (tmp_path / "venvs").exists()


def test_a_row_that_is_no_net_cannot_be_tuned(tmp_path: Path) -> None:
    """It has no settings of a framework's."""
    done = make("tune", MODEL="ar,ar-ols", RESULTS=str(tmp_path), VENVS=str(tmp_path / "venvs"))
    assert done.returncode == 2
    assert said(done)[-1] == "erabench: of 'ar,ar-ols' no row is a neural model; there is nothing to tune"


def test_with_nothing_named_engine_and_stack_are_chosen(tmp_path: Path) -> None:
    """As a newcomer types it: the first thing that is wrong here is that no environment can be written."""
    (tmp_path / "file").touch()
    done = make("bench", ENGINE="", STACK="", VENVS=str(tmp_path / "file/venvs"), RESULTS=str(tmp_path / "results"))
    chosen, *rest = said(done)
    assert re.fullmatch(r"erabench: engine (venv|docker|podman) \(.*\), stack (cpu|current|gtx1080) \(.*\)", chosen), (
        chosen
    )
    assert any("cannot write" in line or "cannot be pulled" in line for line in rest)
    assert done.returncode == 2


def test_an_old_python_is_named_with_the_cure(tmp_path: Path) -> None:
    """Any interpreter that is no Python 3.11 or later."""
    old = tmp_path / "python3.8"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = make("bench", PYTHON=str(old))
    assert done.returncode == 2
    assert said(done) == [
        f"erabench: '{old}' is no Python 3.11 or later; name one: make PYTHON=/path/to/python3.11 …",
    ]


def test_the_page_of_no_results_is_refused_with_the_cure(tmp_path: Path) -> None:
    """And no page is written."""
    done = make("page", RESULTS=str(tmp_path / "none"), SITE=str(tmp_path / "site"))
    assert done.returncode == 2
    assert "make bench" in done.stderr
    assert not (tmp_path / "site").exists()


def test_lock_of_an_unknown_stack_is_refused() -> None:
    """It names those there are."""
    done = make("lock", STACK="pascal")
    assert done.returncode == 2
    assert "STACK=pascal" in done.stderr
