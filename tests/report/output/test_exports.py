"""The merged table for other programs: CSV, JSON, Parquet and their dictionary."""

import csv
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from report.output.exports import dictionary, write_tables
from report.page.rows import Row
from tests.report.benches import NO_MEMORY, gap, page_of, row
from tests.report.building import Json, reason


def rows_of(root: Path, *records: Json) -> list[Row]:
    """The rows that these records make."""
    return [row for section in page_of(root, *records).sections for row in section.group.rows]


def tables(root: Path, rows: Iterable[Row]) -> tuple[list[dict[str, str]], list[Json], list[Json]]:
    """What the three files hold."""
    paths = write_tables(rows, root / "out")
    with open(paths[0], encoding="utf-8", newline="") as file:
        cells = list(csv.DictReader(file))
    return cells, json.loads(paths[1].read_bytes()), pyarrow.parquet.read_table(paths[2]).to_pylist()


def test_the_three_files_hold_the_same_raw_values(tmp_path: Path) -> None:
    """Seconds with their interval, counts, bytes and joules; nothing is formatted, a gap is empty or null."""
    each = {"memory": {**NO_MEMORY, "peak_allocated_bytes": 61_000_000}}
    each |= {"energy": {"train_joules_per_batch": 0.5, "predict_joules_per_batch": None, "source": "NVML"}}
    made = row("lstm", "gpu", 0.0104, 0.0051, each=each)
    absent = gap("lstm", "cpu", "failed", reason("killed", signal="SIGSEGV"))
    cells, objects, parquet = tables(tmp_path, rows_of(tmp_path / "in", made, absent))
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
    assert (cells[0]["gpu_train_s"], cells[0]["cpu_train_s"]) == ("0.0104", "")


def test_every_column_is_described(tmp_path: Path) -> None:
    """Name, type, unit and a sentence, in the dictionary and in the Parquet file itself."""
    names = [entry["name"] for entry in dictionary()]
    assert len(set(names)) == len(names)
    assert all(entry["description"] and entry["type"] for entry in dictionary())
    paths = write_tables(rows_of(tmp_path, row("lstm")), tmp_path)
    assert json.loads(paths[3].read_bytes()) == dictionary()
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
    cells, objects, parquet = tables(tmp_path, rows_of(tmp_path / "in", made))
    assert objects[0]["title"] == parquet[0]["title"] == text
    assert cells[0]["title"] == (text if text in ("'=1", "a=1", "3 x 24") else f"'{text}")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40), st.integers(0, 2**63 - 1))
def test_any_text_and_number_survives(tmp_path: Path, title: str, count: int) -> None:
    """Quotes, newlines and control characters come back from every file."""
    made = row("lstm")
    made["model"].update(title=title, parameters=count)
    cells, objects, parquet = tables(tmp_path, rows_of(tmp_path / "in", made))
    assert objects[0]["title"] == parquet[0]["title"] == title
    assert cells[0]["title"] in (title, f"'{title}")
    assert objects[0]["parameters"] == parquet[0]["parameters"] == count


def test_the_files_repeat_exactly_and_unchanged_ones_are_left_alone(tmp_path: Path) -> None:
    """The same rows give the same bytes; a second time nothing is written, and pyarrow is not asked."""
    rows = rows_of(tmp_path / "in", row("lstm"))
    one, two = (write_tables(rows, tmp_path / name) for name in ("one", "two"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    for path in one:
        os.utime(path, ns=(1, 1))
    write_tables(rows, tmp_path / "one")
    assert {path.stat().st_mtime_ns for path in one} == {1}
    two[2].unlink()
    write_tables(rows, tmp_path / "two")
    assert two[2].read_bytes() == one[2].read_bytes()


def test_no_rows_give_empty_tables(tmp_path: Path) -> None:
    """Without results the files are still what they should be: headings, an empty list, no rows."""
    assert tables(tmp_path, []) == ([], [], [])
