"""The Makefile: what a person types, and what a wrong word gets them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from erabench.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
TARGETS = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
VARIABLES = 5  # lines at the end of `make help`


def make(*words: str, folder: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    environment = {**clean, "PYTHON": sys.executable, "ENGINE": "venv", "STACK": "cpu", **variables}
    return subprocess.run(["make", *words], cwd=folder, env=environment, capture_output=True, text=True)


def messages(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What a person reads on standard error, without make's own last word."""
    return [line for line in done.stderr.splitlines() if not line.startswith("make")]


def test_help_has_a_line_for_every_target() -> None:
    """And the variables."""
    lines = make("help").stdout.splitlines()[:-VARIABLES]
    assert [line.split()[1] for line in lines] == TARGETS
    assert all(len(line.split()) > 3 for line in lines)


def test_make_alone_helps() -> None:
    """It does not start an hour of measuring."""
    assert make().stdout == make("help").stdout


def test_every_command_of_the_driver_is_a_target_of_that_name() -> None:
    """The Makefile decides nothing."""
    printed = make("--dry-run", *COMMANDS).stdout.splitlines()
    assert printed == [f'"$PYTHON" -s -m erabench {command}' for command in COMMANDS]


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_the_help_of_each_command_is_complete(command: str) -> None:
    """Options, examples and exit statuses."""
    words = [sys.executable, "-m", "erabench", *([command] if command else []), "--help"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    if command:
        assert all(
            part in done.stdout for part in ("options:", "examples:", "exit status:", COMMANDS[command].help[1:])
        )
    else:
        assert all(name in done.stdout for name in COMMANDS)


def test_clean_removes_the_environments_and_nothing_whose_name_is_a_part_of_theirs(tmp_path: Path) -> None:
    """A folder with a space in its name is one folder, and what lies beside environments stays."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("my", "venvs", "my venvs/host", "my venvs/cpu/keras", "results", "mixed/host", "mixed/mine"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("my venvs/host", "my venvs/cpu/keras", "mixed/host"):
        (tmp_path / name).with_name(f".{Path(name).name}.lock").touch()
    for name in ("erabench", "images", "runners"):
        (tmp_path / name).symlink_to(ROOT / name)
    for venvs in ("my venvs", "mixed"):
        assert make("clean", folder=tmp_path, VENVS=venvs).returncode == 0
    left = {path.name for path in tmp_path.iterdir() if not path.is_symlink()}
    assert left == {"Makefile", "my", "results", "venvs", "mixed"}
    assert [path.name for path in (tmp_path / "mixed").iterdir()] == ["mine"]


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"MODEL": "resnet"}, r"MODEL=resnet: no such row; choose from: ar, .*"),
        ({"MODEL": "$(touch oops); 'x"}, r"MODEL=\$\(touch: no such row; choose from: .*"),
        ({"DEVICE": "tpu"}, r"DEVICE=tpu: no such device; choose from: cpu, gpu"),
        ({"PROFILE": "slow"}, r"PROFILE=slow: no such profile; choose from: smoke, quick, full"),
        ({"STACK": "pascal"}, r"STACK=pascal: no such stack; choose from: .*cpu.*"),
        ({"ENGINE": "lxc"}, r"ENGINE=lxc: no such engine; choose from: docker, podman, venv"),
        ({"MACHINE": "../up"}, r"MACHINE=\.\./up: cannot name a folder; .*"),
        ({"THREADS": "0"}, r"THREADS=0: give a number from 1, or leave it out"),
        ({"RESULTS": "/proc/erabench"}, r"RESULTS=/proc/erabench: cannot be written .*; choose another RESULTS"),
    ],
)
@pytest.mark.parametrize("target", ["bench", "tune"])
def test_a_wrong_word_gets_one_message_and_exit_status_2(
    target: str, variables: dict[str, str], message: str, tmp_path: Path
) -> None:
    """Before anything is installed or measured."""
    done = make(target, **{"RESULTS": str(tmp_path / "results"), "VENVS": str(tmp_path / "venvs"), **variables})
    assert done.returncode == 2
    (line,) = messages(done)
    assert re.fullmatch("erabench: " + message, line), line
    assert not (tmp_path / "venvs").exists()


def test_with_nothing_named_engine_and_stack_are_chosen(tmp_path: Path) -> None:
    """As a newcomer types it: the first thing that is wrong here is that no environment can be written."""
    (tmp_path / "file").touch()
    done = make("bench", ENGINE="", STACK="", VENVS=str(tmp_path / "file/venvs"), RESULTS=str(tmp_path / "results"))
    chosen, *rest = messages(done)
    assert re.fullmatch(r"erabench: engine (venv|docker|podman) \(.*\), stack \w+ \(.*\)", chosen), chosen
    assert any("cannot write" in line for line in rest)
    assert done.returncode == 2


def test_an_old_python_is_named_with_the_cure() -> None:
    """Any interpreter before 3.11."""
    known = sorted(Path.home().glob(".pyenv/versions/[23].*/bin/python"))
    old = [path for path in known if not re.match(r"3\.1[1-9]", path.parents[1].name)]
    if not old:
        pytest.skip("there is no Python before 3.11 under ~/.pyenv")
    for python in old:
        done = make("bench", PYTHON=str(python))
        assert done.returncode == 2
        (line,) = messages(done)
        assert re.fullmatch(
            rf"erabench: {python} is Python \d\.\d+, and 3\.11 or later is needed; name one: make PYTHON=\S+", line
        )


def test_the_page_of_no_results_is_refused_with_the_cure(tmp_path: Path) -> None:
    """And no page is written."""
    done = make("page", RESULTS=str(tmp_path / "none"), SITE=str(tmp_path / "site"), STACK="")
    assert done.returncode == 2
    assert "make bench" in done.stderr
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize(
    ("target", "variables", "message"),
    [
        ("lock", {"STACK": "pascal"}, "STACK=pascal: no such stack; choose from: "),
        ("lock", {"STACK": ""}, "STACK is not set; run: make lock STACK=cpu"),
        ("compare", {"A": "results"}, "B is not set; run: make compare A=results/old B=results/new"),
        ("mirror", {}, "REGISTRY is not set; run: make mirror REGISTRY=..."),
        (
            "save",
            {"FILE": "images.tar"},
            "engine venv has no images; start Docker or Podman, or name it: ENGINE=docker",
        ),
        ("load", {}, "FILE is not set; run: make load FILE=..."),
    ],
)
def test_what_a_command_lacks_is_named(target: str, variables: dict[str, str], message: str) -> None:
    """With the command that has it."""
    done = make(target, **variables)
    assert done.returncode == 2
    assert messages(done)[0].startswith("erabench: " + message)
