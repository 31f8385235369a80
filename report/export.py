"""The merged table for other programs: CSV, JSON and Parquet, and a dictionary that says what each column is.

``FIELDS`` is the only list of columns; the files and their dictionary are all made from it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import orjson
import pyarrow
import pyarrow.json
import pyarrow.parquet

from report.files import whole_file
from report.load import Phase, Result

Value = str | int | float | bool | None
TYPES = {
    "string": pyarrow.string(),
    "integer": pyarrow.int64(),
    "number": pyarrow.float64(),
    "boolean": pyarrow.bool_(),
}
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # spreadsheets of East Asian locales take the wide ones too
_CONTROLS = ("\t", "\r", "\n")


class Row(Protocol):
    """One model on one machine with one stack: its results on the CPU and on the GPU, one of them at least."""

    @property
    def cpu(self) -> Result | None: ...
    @property
    def gpu(self) -> Result | None: ...


@dataclass(frozen=True, slots=True)
class Field:
    """One column. ``unit`` is empty where a value has none."""

    name: str
    type: str  # a key of TYPES
    unit: str
    description: str
    value: Callable[[Row], Value]


def write_tables(rows: Iterable[Row], folder: Path) -> list[Path]:
    """Writes ``results.csv``, ``results.json``, ``results.parquet`` and ``dictionary.json`` to ``folder``.

    Seconds, bytes and joules, never formatted; a gap is an empty cell or null. JSON and Parquet hold texts as they
    are in the results. In the CSV file a text that a spreadsheet would run as a formula begins with an apostrophe.
    Raises OSError where ``folder`` cannot be written; every file is written whole or not at all.
    """
    names = [field.name for field in FIELDS]
    paths = [folder / name for name in ("results.csv", "results.json", "results.parquet", "dictionary.json")]
    schema = _schema()
    with (
        whole_file(paths[0]) as csv_file,
        whole_file(paths[1]) as json_file,
        whole_file(paths[2]) as parquet_file,
        pyarrow.parquet.ParquetWriter(parquet_file, schema) as parquet,
    ):
        text = io.TextIOWrapper(csv_file, encoding="utf-8", newline="")
        cells = csv.writer(text)  # its line ends, CR LF, are what RFC 4180 asks for and make it quote a lone CR
        cells.writerow(names)
        json_file.write(b"[")
        separator = b"\n"
        for some_rows in _chunks(rows):
            lines = []
            for row in some_rows:
                values = [_fitting(field.type, field.value(row)) for field in FIELDS]
                cells.writerow([_harmless(value) for value in values])
                lines.append(orjson.dumps(dict(zip(names, values, strict=True))))
            json_file.write(separator + b",\n".join(lines))
            separator = b",\n"
            parquet.write_table(_table(lines, schema))
        json_file.write(b"\n]\n")
        text.detach()  # flushes, and leaves the file open for whole_file to finish
    with whole_file(paths[3]) as dictionary_file:
        dictionary_file.write(orjson.dumps(dictionary(), option=orjson.OPT_INDENT_2) + b"\n")
    return paths


def dictionary() -> list[dict[str, str]]:
    """What each column holds: its name, type, unit and a sentence."""
    return [
        {"name": field.name, "type": field.type, "unit": field.unit, "description": field.description}
        for field in FIELDS
    ]


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """A thousand rows at a time: the files of 10,000 rows are made without holding them all."""
    remaining = iter(rows)
    while chunk := list(islice(remaining, 1000)):
        yield chunk


def _table(lines: Sequence[bytes], schema: pyarrow.Schema) -> pyarrow.Table:
    """Rows of JSON as a table. Made from Python's own lists it would import pandas, which takes a second and 50 MB."""
    text = b"\n".join(lines)
    reading = pyarrow.json.ReadOptions(use_threads=False, block_size=len(text) + 1)
    parsing = pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error")
    return pyarrow.json.read_json(pyarrow.BufferReader(text), reading, parsing).cast(schema)


def _schema() -> pyarrow.Schema:
    return pyarrow.schema(
        [pyarrow.field(f.name, TYPES[f.type], metadata={"unit": f.unit, "description": f.description}) for f in FIELDS]
    )


def _fitting(kind: str, value: Value) -> Value:
    """The value in its column's type; None for a number that no 64 bits hold (the schema sets integers no limit)."""
    if value is None or kind in ("string", "boolean"):
        return value
    if kind == "number":
        return float(value)
    return int(value) if abs(float(value)) < 2**63 else None


def _harmless(value: Value) -> Value:
    """A cell that no spreadsheet runs: a text that begins like a formula gets an apostrophe (OWASP, CSV Injection)."""
    begins = isinstance(value, str) and (value[:1] in _CONTROLS or value.lstrip().startswith(_FORMULA))
    return f"'{value}" if begins else value


def _either(row: Row) -> Result:
    result = row.cpu or row.gpu
    if result is None:
        raise ValueError("a row without results")
    return result


def _of(device: str, value: Callable[[Result], Any]) -> Callable[[Row], Value]:
    """``value`` of the row's result on ``device``; None where there is no such result or no such part of it."""

    def found(row: Row) -> Value:
        result: Result | None = getattr(row, device)
        return None if result is None else value(result)

    return found


def _phase(name: str, value: Callable[[Phase], Any]) -> Callable[[Result], Any]:
    def found(result: Result) -> Any:
        phase = getattr(result.timing, name, None)
        return None if phase is None else value(phase)

    return found


def _part(part: str, name: str) -> Callable[[Result], Any]:
    """An attribute of a part of the record that may be missing."""
    return lambda result: getattr(getattr(result, part), name, None)


def _whole_seconds(name: str) -> Callable[[Result], Any]:
    return lambda result: getattr(getattr(result.timing, name, None), "seconds", None)


def _score(name: str) -> Callable[[Result], Any]:
    def found(result: Result) -> Any:
        score = result.quality.score(result.quality.protocol) if result.quality else None
        return getattr(score, name, None)

    return found


def _text_of(part: str, name: str) -> Callable[[Result], Any]:
    """A text of a part of the record; an empty one says nothing, like a missing one."""
    return lambda result: getattr(getattr(result, part), name, None) or None


def _phase_fields(device: str, name: str, words: str) -> Iterator[Field]:
    at = f"{device}_{name}"
    parts: list[tuple[str, str, str, str, Callable[[Phase], Any]]] = [
        ("s", "number", "s", f"median time of {words}, in seconds per unit", lambda p: p.median_s),
        ("low_s", "number", "s", "lower end of the median's 95 % interval", lambda p: p.interval_s and p.interval_s[0]),
        ("high_s", "number", "s", "upper end of that interval", lambda p: p.interval_s and p.interval_s[1]),
        ("iqr_s", "number", "s", "interquartile range of the samples", lambda p: p.iqr_s),
        ("samples", "integer", "", "how many samples were kept", lambda p: len(p.samples_s)),
        ("unit", "string", "", "what the seconds are for: batch, or fit for a model without batches", lambda p: p.unit),
        ("batch_size", "integer", "", "examples in a batch", lambda p: p.batch_size),
        ("stopped_by", "string", "", "what ended the sampling: precision, budget or count", lambda p: p.stopped_by),
        ("counts", "boolean", "", "false: it was not really training, so not a valid time", lambda p: p.counts),
    ]
    for suffix, kind, unit, description, value in parts:
        yield Field(f"{at}_{suffix}", kind, unit, f"{device.upper()}: {description}", _of(device, _phase(name, value)))


def _device_fields(device: str) -> Iterator[Field]:
    def field(name: str, kind: str, unit: str, description: str, value: Callable[[Result], Any]) -> Field:
        return Field(f"{device}_{name}", kind, unit, f"{device.upper()}: {description}", _of(device, value))

    yield field("status", "string", "", "ok, failed, timeout, out_of_memory or skipped", lambda r: r.status)
    yield field("reason", "string", "", "why the status is not ok", lambda r: r.reason)
    yield field("engine", "string", "", "what isolated the framework: venv, docker, podman or none", lambda r: r.engine)
    yield field("profile", "string", "", "smoke, quick or full", lambda r: r.profile)
    yield field("started", "string", "", "when the measurement began, UTC", lambda r: r.started)
    yield field("protocol", "string", "", "how loss and accuracy were scored", _text_of("quality", "protocol"))
    yield field("loss", "number", "", "loss on the test part", _score("loss"))
    yield field("loss_metric", "string", "", "what the loss is", _text_of("quality", "loss_metric"))
    yield field("accuracy", "number", "", "accuracy on the test part", _score("accuracy"))
    yield field("accuracy_metric", "string", "", "what the accuracy is", _text_of("quality", "accuracy_metric"))
    yield from _phase_fields(device, "train", "a training step")
    yield from _phase_fields(device, "predict", "a prediction")
    yield field("epoch_s", "number", "s", "time of a whole epoch", _whole_seconds("epoch"))
    yield field("test_set_s", "number", "s", "time to predict the whole test set", _whole_seconds("test_set"))
    for name, words in (
        ("peak_allocated_bytes", "most memory that the framework had allocated on the device"),
        ("peak_reserved_bytes", "most memory that the framework had reserved on the device"),
        ("resident_before_bytes", "resident set of the process before the first step"),
        ("peak_resident_bytes", "largest resident set of the process during the steps"),
    ):
        yield field(name, "integer", "B", words, _part("memory", name))
    for name, words in (("train_joules_per_batch", "a training step"), ("predict_joules_per_batch", "a prediction")):
        yield field(name, "number", "J", f"energy of {words}", _part("energy", name))
    yield field("threads", "integer", "", "threads the framework was told to use", _part("environment", "threads"))
    yield field("marks", "string", "", "warnings, as phase:key, separated by blanks", _marks)
    yield field("data_sha256", "string", "", "checksum of the data", _part("data", "sha256"))
    yield field("data_synthetic", "boolean", "", "true: made-up data for want of real ones", _part("data", "synthetic"))
    yield field("git_commit", "string", "", "commit of the code that measured", _part("provenance", "git_commit"))
    yield field("git_clean", "boolean", "", "false: the code had uncommitted changes", _part("provenance", "git_clean"))
    yield field("lock_sha256", "string", "", "checksum of the framework's lock", _part("provenance", "lock_sha256"))
    yield field("image", "string", "", "image digest, or the environment's identity", _part("provenance", "image"))
    yield field("file", "string", "", "the JSON below the results folder that this is from", lambda r: r.file)


def _marks(result: Result) -> str | None:
    return " ".join(f"{mark.phase}:{mark.key}" for mark in result.marks) or None


FIELDS: tuple[Field, ...] = (
    Field("machine", "string", "", "name of the machine", lambda row: _either(row).machine),
    Field("stack", "string", "", "name of the software stack", lambda row: _either(row).stack),
    Field("framework", "string", "", "folder of the framework", lambda row: _either(row).framework),
    Field("model", "string", "", "key of the model", lambda row: _either(row).model.key),
    Field("title", "string", "", "the model as the page names it", lambda row: _either(row).model.title),
    Field("params", "string", "", "its size as the page gives it", lambda row: _either(row).model.params),
    Field("library", "string", "", "library as the page names it", lambda row: _either(row).model.library),
    Field("dataset", "string", "", "key of the data set", lambda row: _either(row).model.dataset),
    Field("position", "integer", "", "place of the row on the page", lambda row: _either(row).model.position),
    Field("parameters", "integer", "", "trainable parameters", lambda row: _either(row).model.parameters),
    *_device_fields("cpu"),
    *_device_fields("gpu"),
)
