"""Work in a second process: what it yields and raises arrives, and a report made with it is the same."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from report import beside as module
from report.beside import WORTH_IT, beside
from report.records import load_results
from report.records.series import Counted
from tests.report.benches import made
from tests.report.building import record, write

FEW_AND_MANY = pytest.mark.parametrize("results", [WORTH_IT - 1, WORTH_IT])


@FEW_AND_MANY
def test_what_the_work_yields_arrives_in_order(results: int) -> None:
    """More than a pipe holds, too."""
    with beside(lambda: ("x" * 100_000 + str(number) for number in range(5)), results) as found:
        assert [text.lstrip("x") for text in found] == ["0", "1", "2", "3", "4"]


def test_only_much_work_gets_a_process() -> None:
    """The block and the work differ in their process."""
    with beside(lambda: [os.getpid()], WORTH_IT - 1) as few, beside(lambda: [os.getpid()], WORTH_IT) as many:
        assert next(few) == os.getpid() != next(many)


@FEW_AND_MANY
def test_what_the_work_raises_is_raised_where_the_block_asks_for_it(results: int, tmp_path: Path) -> None:
    """With its file and reason, after what the work has yielded."""

    def work() -> Iterator[str]:
        yield "first"
        yield (tmp_path / "missing").read_text()

    with beside(work, results) as found:
        assert next(found) == "first"
        with pytest.raises(FileNotFoundError) as caught:
            next(found)
    assert caught.value.filename == str(tmp_path / "missing")


def test_an_error_of_the_block_does_not_wait_for_the_work() -> None:
    """The work's process is ended."""
    with pytest.raises(ZeroDivisionError), beside(lambda: [signal.pause()], WORTH_IT):
        raise ZeroDivisionError


def test_a_killed_process_is_an_error_with_its_fix() -> None:
    """As the kernel kills where memory is short."""
    killed = pytest.raises(ChildProcessError, match="was killed; free memory and try again")
    with beside(lambda: [os.kill(os.getpid(), signal.SIGKILL)], WORTH_IT) as found, killed:
        next(found)


def files(tmp_path: Path, site: str) -> dict[str, bytes]:
    """The files of the page, made of results of which some are unusable."""
    folder = tmp_path / site
    assert made(tmp_path / "results", folder) == 1
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_report_made_by_two_processes_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Records, problems, pictures and tables; the long series are dropped in both."""
    write(tmp_path / "results", *(record(row, machine=machine) for machine in "abc" for row in ("lstm", "ar-ols")))
    (tmp_path / "results" / "b" / "cpu" / "ar.cpu.json").write_text("{")
    (tmp_path / "results" / "c" / "cpu" / "ar.cpu.json").write_text("")
    alone, said_alone = files(tmp_path, "one"), capsys.readouterr()
    monkeypatch.setattr(module, "WORTH_IT", 2)
    assert files(tmp_path, "two") == alone
    said = capsys.readouterr()
    assert said.err == said_alone.err
    assert said.err.count("report: ") == 2
    process = load_results(tmp_path / "results").results[-1].processes[0]
    assert process.train is not None
    assert isinstance(process.train.samples_s, Counted)
