"""The merged table for other programs: CSV, JSON, Parquet and their dictionary."""

import csv
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from report import beside
from report.output import tables as module
from report.output.exports import cells, columns
from report.page.rows import Row, groups
from report.records import load_results
from tests.report.benches import gap, page_of, row
from tests.report.building import Json, energy, memory, reason
from tests.report.building import write as json_files


def rows_of(root: Path, *records: Json) -> list[Row]:
    """The rows that these records make."""
    return [row for section in page_of(root, *records).sections for row in section.group.rows]


def write(rows: Iterable[Row], folder: Path) -> list[Path]:
    """Write the files, and return their paths."""
    module.write(columns(), map(cells, rows), folder)
    return [folder / name for name in module.FILES]


def tables(root: Path, rows: Iterable[Row]) -> tuple[list[dict[str, str]], list[Json], list[Json]]:
    """What the three files hold."""
    paths = write(rows, root / "out")
    with open(paths[0], encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    return found, json.loads(paths[1].read_bytes()), pyarrow.parquet.read_table(paths[2]).to_pylist()


def test_the_three_files_hold_the_same_raw_values(tmp_path: Path) -> None:
    """Seconds with their interval, counts, bytes and joules; nothing is formatted, a gap is empty or null."""
    each = {"memory": memory(peak_allocated_bytes=61_000_000), "energy": energy(0.5, 0.0)}  # a counter that stood still
    made = row("lstm", "gpu", 0.0104, 0.0051, each=each)
    absent = gap("lstm", "cpu", "failed", reason("killed", signal="SIGSEGV"))
    texts, objects, parquet = tables(tmp_path, rows_of(tmp_path / "in", made, absent))
    assert objects == parquet
    (found,) = objects
    expected: dict[str, Any] = {
        "machine": "gtx-box",
        "model": "lstm",
        "gpu_train_s": 0.0104,
        "gpu_train_processes": 5,
        "gpu_train_samples": 100,
        "gpu_train_joules": 0.5,
        "gpu_predict_joules": None,
        "gpu_peak_allocated_bytes": 61_000_000,
        "gpu_status": "ok",
        "cpu_status": "failed",
        "cpu_reason": "killed",
        "cpu_train_s": None,
        "cpu_file": "gtx-box/gtx1080/lstm.cpu.json",
    }
    assert {name: found[name] for name in expected} == expected
    assert found["gpu_train_low_s"] < 0.0104 < found["gpu_train_high_s"]
    assert found["gpu_train_detectable"] > 1
    assert 0.0101 < found["gpu_train_fastest_s"] < 0.0104
    assert (texts[0]["gpu_train_s"], texts[0]["cpu_train_s"]) == ("0.0104", "")


def test_every_column_is_described(tmp_path: Path) -> None:
    """Name, type, unit and a sentence, in the dictionary and in the Parquet file itself."""
    names = [entry["name"] for entry in columns()]
    assert len(set(names)) == len(names)
    assert all(entry["description"] and entry["type"] for entry in columns())
    paths = write(rows_of(tmp_path, row("lstm")), tmp_path)
    assert json.loads(paths[3].read_bytes()) == columns()
    schema = pyarrow.parquet.read_schema(paths[2])
    assert schema.names == names
    assert schema.field("cpu_train_s").metadata[b"unit"] == b"s"


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '=HYPERLINK("x")', " =1", "＝1", "'=1", "a=1", "3 x 24"],
)
def test_a_cell_never_begins_a_formula(tmp_path: Path, text: str) -> None:
    """What a spreadsheet would run gets an apostrophe in the CSV; JSON keeps the text as it was."""
    made = row("lstm")
    made["model"]["title"] = text
    texts, objects, parquet = tables(tmp_path, rows_of(tmp_path / "in", made))
    assert objects[0]["title"] == parquet[0]["title"] == text
    assert texts[0]["title"] == (text if text in ("'=1", "a=1", "3 x 24") else f"'{text}")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40), st.integers(0, 2**63 - 1))
def test_any_text_and_number_survives(tmp_path: Path, title: str, count: int) -> None:
    """Quotes, newlines and control characters come back from every file."""
    made = row("lstm")
    made["model"].update(title=title, parameters=count)
    texts, objects, parquet = tables(tmp_path, rows_of(tmp_path / "in", made))
    assert objects[0]["title"] == parquet[0]["title"] == title
    assert texts[0]["title"] in (title, f"'{title}")
    assert objects[0]["parameters"] == parquet[0]["parameters"] == count


def test_the_files_repeat_exactly_and_unchanged_ones_are_left_alone(tmp_path: Path) -> None:
    """The same rows give the same bytes; a second time nothing is written, and pyarrow is not asked."""
    rows = rows_of(tmp_path / "in", row("lstm"))
    one, two = (write(rows, tmp_path / name) for name in ("one", "two"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    for path in one:
        os.utime(path, ns=(1, 1))
    write(rows, tmp_path / "one")
    assert {path.stat().st_mtime_ns for path in one} == {1}
    two[2].unlink()
    write(rows, tmp_path / "two")
    assert two[2].read_bytes() == one[2].read_bytes()


def test_no_rows_give_empty_tables(tmp_path: Path) -> None:
    """Without results the files are still what they should be: headings, an empty list, no rows."""
    assert tables(tmp_path, []) == ([], [], [])


ROOT = Path(__file__).parents[3]
SAMPLE = [{"name": "s", "type": "number", "unit": "s", "description": "seconds"}]


def children() -> set[int]:
    """The processes that this one has started."""
    found = Path(f"/proc/{os.getpid()}/task/{threading.get_native_id()}/children").read_text()
    return set(map(int, found.split()))


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> int:
    """So many results that a second process writes the tables."""
    monkeypatch.setattr(beside, "WORTH_IT", 1)
    return 1


def test_a_second_process_writes_the_same_files(tmp_path: Path, many: int) -> None:
    """Byte for byte, also where a row is larger than a pipe."""
    names = [{**SAMPLE[0], "name": "text", "type": "string"}, *SAMPLE]
    rows = [["x" * 200_000, 0.1], ["=1", None], ["\n가", 1e-300]]
    module.write(names, rows, tmp_path / "one")
    with module.written(names, rows, tmp_path / "two", many):
        pass
    for name in module.FILES:
        assert (tmp_path / "two" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()


def test_rows_of_other_frameworks_are_in_the_tables(tmp_path: Path) -> None:
    """On the page they have tables of their own."""
    twin = row("lstm")
    twin["model"] |= {"key": "lstm-jax", "twin_of": "lstm"}
    loaded = load_results(json_files(tmp_path / "in", row("lstm"), twin))
    (group,) = groups(loaded.results)
    assert [len(group.rows), [cells(one)[3] for one in group.every_row]] == [1, ["lstm", "lstm-jax"]]


def test_what_a_second_process_cannot_write_is_raised_here(tmp_path: Path, many: int) -> None:
    """With its reason and file."""
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError) as caught, module.written(SAMPLE, [[0.5]], tmp_path / "file", many):
        pass
    assert caught.value.filename == str(tmp_path / "file")


def test_a_second_process_that_is_killed_is_an_error_with_its_fix(tmp_path: Path, many: int) -> None:
    """As the kernel kills where memory is short; what it would have written is not there."""
    before = children()

    def rows() -> Iterator[list[float]]:
        (child,) = children() - before
        os.kill(child, signal.SIGKILL)
        yield [0.5]

    killed = pytest.raises(ChildProcessError, match="was killed; free memory and try again")
    with killed, module.written(SAMPLE, rows(), tmp_path / "out", many):
        pass
    assert not (tmp_path / "out").exists()


def test_an_error_of_the_block_leaves_no_second_process(tmp_path: Path, many: int) -> None:
    """It is ended at once, not waited for."""
    before = children()
    with pytest.raises(ZeroDivisionError), module.written(SAMPLE, [[0.5]], tmp_path / "out", many):
        raise ZeroDivisionError
    assert children() <= before


def test_a_table_that_ends_too_early_is_not_written(tmp_path: Path) -> None:
    """Whoever sent it was killed: half a table would replace the complete one."""
    command = [sys.executable, "-m", module.__name__, str(tmp_path / "out")]
    sent = json.dumps(SAMPLE) + "\n[0.5]\n"
    assert subprocess.run(command, input=sent, text=True, cwd=ROOT, check=False).returncode == 1
    assert not (tmp_path / "out").exists()
