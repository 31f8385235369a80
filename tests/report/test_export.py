"""The merged table for other programs."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from report.export import FIELDS, dictionary, write_tables
from report.load import Result
from tests.report.records import failed, loaded, phase, record


@dataclass(frozen=True)
class Row:
    """As the page merges results."""

    cpu: Result | None
    gpu: Result | None


def tables(folder: Path) -> tuple[list[dict[str, str]], list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows as CSV, JSON and Parquet hold them."""
    with open(folder / "results.csv", encoding="utf-8", newline="") as file:
        cells = list(csv.DictReader(file))
    parquet = pyarrow.parquet.read_table(folder / "results.parquet").to_pylist()
    return cells, json.loads((folder / "results.json").read_text(encoding="utf-8")), parquet


def test_the_three_files_hold_the_same_values(tmp_path: Path) -> None:
    """CSV, JSON and Parquet hold each row's raw figures, gaps included."""
    train = phase(0.25, median_s=0.25, interval_s=[0.24, 0.27])
    timing = {"train": train, "predict": None, "epoch": None, "test_set": None}
    cpu, gpu = loaded(tmp_path / "in", record(timing=timing), failed("lstm", "no card", device="gpu"))
    written = write_tables([Row(cpu, gpu), Row(cpu, None)], tmp_path / "out")
    assert [path.name for path in written] == ["results.csv", "results.json", "results.parquet", "dictionary.json"]
    cells, objects, parquet = tables(tmp_path / "out")
    assert objects == parquet
    assert [{name: "" if v is None else str(v) for name, v in row.items()} for row in objects] == cells
    expected = {
        "machine": "box",
        "model": "lstm",
        "title": "LSTM",
        "cpu_status": "ok",
        "cpu_loss": 0.0017,
        "cpu_accuracy": 0.923,
        "cpu_train_s": 0.25,
        "cpu_train_low_s": 0.24,
        "cpu_train_high_s": 0.27,
        "cpu_train_samples": 40,
        "cpu_predict_s": None,
        "cpu_file": "box/cpu/lstm.cpu.json",
        "gpu_status": "failed",
        "gpu_reason": "no card",
        "gpu_train_s": None,
    }
    assert {name: objects[0][name] for name in expected} == expected
    assert objects[1]["gpu_status"] is None


def test_the_dictionary_is_the_list_of_columns(tmp_path: Path) -> None:
    """Every column of every file stands in the dictionary, in order, with type and sentence, as in Parquet's schema."""
    (cpu,) = loaded(tmp_path / "in", record())
    write_tables([Row(cpu, None)], tmp_path)
    described = json.loads((tmp_path / "dictionary.json").read_text())
    assert described == dictionary()
    names = [entry["name"] for entry in described]
    assert len(set(names)) == len(names)
    assert all(entry["description"] and entry["type"] for entry in described)
    cells, objects, _ = tables(tmp_path)
    schema = pyarrow.parquet.read_schema(tmp_path / "results.parquet")
    assert names == list(cells[0]) == list(objects[0]) == schema.names == [field.name for field in FIELDS]
    assert schema.field("cpu_train_s").metadata == {
        b"unit": b"s",
        b"description": b"CPU: median time of a training step, in seconds per unit",
    }


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '=HYPERLINK("x")', " =1", "＝1", "'=1", "a=1", "3 x 24"],
)
def test_a_cell_never_begins_a_formula(tmp_path: Path, text: str) -> None:
    """What a spreadsheet would run gets an apostrophe in the CSV; JSON keeps the text as it was."""
    made = record()
    made["model"]["title"] = text
    (cpu,) = loaded(tmp_path / "in", made)
    write_tables([Row(cpu, None)], tmp_path)
    cells, objects, parquet = tables(tmp_path)
    assert objects[0]["title"] == parquet[0]["title"] == text
    assert cells[0]["title"] == (text if text in ("'=1", "a=1", "3 x 24") else f"'{text}")


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40), count=st.integers(0, 10**30))
def test_any_text_and_number_survives(tmp_path: Path, title: str, count: int) -> None:
    """Quotes, newlines and control characters come back from every file; a number too large for 64 bits is a gap."""
    made = record()
    made["model"].update(title=title, parameters=count)
    (cpu,) = loaded(tmp_path / "in", made)
    write_tables([Row(cpu, None)], tmp_path)
    cells, objects, parquet = tables(tmp_path)
    assert objects[0]["title"] == parquet[0]["title"] == title
    assert cells[0]["title"] in (title, f"'{title}")
    assert objects[0]["parameters"] == parquet[0]["parameters"] == (count if count < 2**63 - 512 else None)


def test_the_files_repeat_exactly(tmp_path: Path) -> None:
    """The same rows give the same bytes."""
    (cpu,) = loaded(tmp_path / "in", record())
    one, two = (write_tables([Row(cpu, None)], tmp_path / name) for name in ("one", "two"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def test_no_rows_give_empty_tables(tmp_path: Path) -> None:
    """Without results the files still are what they say: headings, an empty list, no rows."""
    write_tables([], tmp_path)
    assert tables(tmp_path) == ([], [], [])


def test_a_failure_leaves_the_old_files(tmp_path: Path) -> None:
    """If a row cannot be written, what was there before stays, and no half file is left."""
    (cpu,) = loaded(tmp_path / "in", record())
    written = write_tables([Row(cpu, None)], tmp_path / "out")
    before = {path: path.read_bytes() for path in written}
    with pytest.raises(ValueError, match="a row without results"):
        write_tables([Row(cpu, None), Row(None, None)], tmp_path / "out")
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
