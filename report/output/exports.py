"""The merged table for other programs: CSV, JSON and Parquet, and a dictionary that describes each column.

``FIELDS`` is the only list of columns; the files and their dictionary are all made from it.
"""

from __future__ import annotations

import csv
import io
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from report.output import files
from report.page.models import peak_memory
from report.page.rows import Row
from report.records import Device, PhaseName, Result, figure, total

Value = str | int | float | bool | None
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # spreadsheets of East Asian locales take the wide ones too
_CONTROLS = ("\t", "\r", "\n")


@dataclass(frozen=True, slots=True)
class Field:
    """One column. ``unit`` is empty where a value has none."""

    name: str
    type: str  # string, integer, number or boolean
    unit: str
    description: str
    value: Callable[[Row], Value]


def write_tables(rows: Iterable[Row], folder: Path) -> list[Path]:
    """Write ``results.csv``, ``results.json``, ``results.parquet`` and ``dictionary.json`` to ``folder``.

    Seconds, bytes and joules, never formatted; a gap is an empty cell or null. JSON and Parquet hold texts as they
    are in the results. In the CSV file a text that a spreadsheet would run as a formula begins with an apostrophe.
    Raises OSError where ``folder`` cannot be written; every file is written completely or not at all.
    """
    text = io.StringIO()
    cells = csv.writer(text)  # its line ends, CR LF, are what RFC 4180 asks for and make it quote a lone CR
    cells.writerow([field.name for field in FIELDS])
    lines = []
    for row in rows:
        values = {field.name: _fitting(field.type, field.value(row)) for field in FIELDS}
        cells.writerow(map(_harmless, values.values()))
        lines.append(msgspec.json.encode(values))
    paths = [folder / name for name in ("results.csv", "results.json", "results.parquet", "dictionary.json")]
    document = b"[\n" + b",\n".join(lines) + b"\n]\n"
    if not (paths[1].is_file() and paths[2].is_file() and paths[1].read_bytes() == document):
        _write_parquet(lines, paths[2])
    files.write(paths[0], text.getvalue())
    files.write(paths[1], document)
    files.write(paths[3], msgspec.json.format(msgspec.json.encode(dictionary())) + b"\n")
    return paths


def dictionary() -> list[dict[str, str]]:
    """Return what each column holds: its name, type, unit and a sentence."""
    names = ("name", "type", "unit", "description")
    return [{name: getattr(field, name) for name in names} for field in FIELDS]


def _write_parquet(lines: Sequence[bytes], path: Path) -> None:
    import pyarrow  # takes 0.3 s to import, and is not needed where no figure has changed
    import pyarrow.json
    import pyarrow.parquet

    types = {
        "string": pyarrow.string(),
        "integer": pyarrow.int64(),
        "number": pyarrow.float64(),
        "boolean": pyarrow.bool_(),
    }
    schema = pyarrow.schema(
        [pyarrow.field(f.name, types[f.type], metadata={"unit": f.unit, "description": f.description}) for f in FIELDS]
    )
    # Made from JSON: from Python's own lists pyarrow would import pandas, which takes a second and 50 MB.
    text = b"\n".join(lines)
    reading = pyarrow.json.ReadOptions(use_threads=False, block_size=len(text) + 1)
    parsing = pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error")
    table = pyarrow.json.read_json(pyarrow.BufferReader(text), reading, parsing) if lines else schema.empty_table()
    with files.atomic_write(path) as file:
        pyarrow.parquet.write_table(table.cast(schema), file)


def _fitting(kind: str, value: Value) -> Value:
    return float(value) if kind == "number" and value is not None else value


def _harmless(value: Value) -> Value:
    """Return a cell that no spreadsheet runs: a text that begins like a formula gets an apostrophe (OWASP)."""
    begins = isinstance(value, str) and (value[:1] in _CONTROLS or value.lstrip().startswith(_FORMULA))
    return f"'{value}" if begins else value


def _phase_fields(device: Device, phase: PhaseName, words: str) -> Iterator[Field]:
    """The columns of one timed phase."""

    def of_figure(name: str) -> Callable[[Result], Any]:
        return lambda result: getattr(figure(result, phase), name, None)

    def first(name: str) -> Callable[[Result], Any]:
        return lambda result: next((getattr(timed, name) for timed in result.phases(phase)), None)

    def spread(result: Result) -> float | None:
        found = [timed.iqr_s for timed in result.phases(phase)]
        return statistics.median(found) if found else None

    def joules(result: Result) -> float | None:
        counted = [getattr(p.energy, f"{phase}_joules_per_batch") for p in result.processes if p.energy]
        found = [value for value in counted if value is not None]
        return statistics.median(found) if found else None

    parts: tuple[tuple[str, str, str, str, Callable[[Result], Any]], ...] = (
        ("s", "number", "s", f"time of {words}: median over the processes, in seconds per unit", of_figure("median_s")),
        ("low_s", "number", "s", "lower end of its 95 % interval; empty with one process", of_figure("low_s")),
        ("high_s", "number", "s", "upper end of that interval", of_figure("high_s")),
        ("detectable", "number", "", "smallest slowdown that two such benches would show", of_figure("detectable")),
        ("processes", "integer", "", "fresh processes behind it", lambda r: len(r.phases(phase))),
        (
            "samples",
            "integer",
            "",
            "samples of all processes",
            lambda r: sum(len(p.samples_s) for p in r.phases(phase)),
        ),
        ("iqr_s", "number", "s", "interquartile range of the samples of a process, median", spread),
        ("unit", "string", "", "what the seconds are for: batch, or fit for a model without batches", first("unit")),
        ("batch_size", "integer", "", "examples per batch", first("batch_size")),
        ("joules", "number", "J", f"energy of {words}", joules),
    )
    for suffix, kind, unit, description, value in parts:
        yield _field(device, f"{phase}_{suffix}", kind, unit, description, value)


def _field(device: Device, name: str, kind: str, unit: str, words: str, value: Callable[[Result], Any]) -> Field:
    """A column of one device: ``value`` of the row's result there; None where there is no such result."""

    def found(row: Row) -> Value:
        result = row.on(device)
        shown: Value = None if result is None else value(result)
        return shown

    return Field(f"{device}_{name}", kind, unit, f"{device.upper()}: {words}", found)


def _part(part: str, name: str) -> Callable[[Result], Any]:
    """An attribute of a part of the record that may be missing; an empty text counts as missing."""

    def found(result: Result) -> Any:
        value = getattr(getattr(result, part), name, None)
        return None if value == "" else value

    return found


def _score(name: str) -> Callable[[Result], Any]:
    return lambda result: getattr(result.quality and result.quality.score(result.quality.protocol), name, None)


def _device_fields(device: Device) -> Iterator[Field]:
    def memory(name: str) -> Callable[[Result], Any]:
        return lambda result: peak_memory(result, name)

    def seconds(which: Any) -> Callable[[Result], Any]:
        return lambda result: getattr(total(result, which), "median_s", None)

    def warnings(result: Result) -> str | None:
        found = {f"{warning.phase}:{warning.key}" for process in result.processes for warning in process.warnings}
        return " ".join(sorted(found)) or None

    before: tuple[tuple[str, str, str, str, Callable[[Result], Any]], ...] = (
        ("status", "string", "", "ok, failed, timeout, out_of_memory or skipped", lambda r: r.status),
        ("reason", "string", "", "key of the reason why the status is not ok", lambda r: r.reason and r.reason.key),
        ("engine", "string", "", "what isolated the framework: venv, docker, podman or none", lambda r: r.engine),
        ("profile", "string", "", "smoke, quick or full", lambda r: r.profile),
        ("started", "string", "", "when the first process started, UTC", lambda r: r.started),
        ("protocol", "string", "", "how loss and accuracy were scored", _part("quality", "protocol")),
        ("loss", "number", "", "loss on the test part", _score("loss")),
        ("loss_metric", "string", "", "what the loss is", _part("quality", "loss_metric")),
        ("accuracy", "number", "", "accuracy on the test part", _score("accuracy")),
        ("accuracy_metric", "string", "", "what the accuracy is", _part("quality", "accuracy_metric")),
    )
    after: tuple[tuple[str, str, str, str, Callable[[Result], Any]], ...] = (
        ("epoch_s", "number", "s", "time of a complete epoch", seconds("epoch")),
        ("test_set_s", "number", "s", "time to predict the complete test set", seconds("test_set")),
        (
            "peak_allocated_bytes",
            "integer",
            "B",
            "most GPU memory that the framework had allocated",
            memory("peak_allocated_bytes"),
        ),
        ("peak_reserved_bytes", "integer", "B", "most GPU memory that it had reserved", memory("peak_reserved_bytes")),
        (
            "peak_resident_bytes",
            "integer",
            "B",
            "largest resident set of a process during the steps",
            memory("peak_resident_bytes"),
        ),
        ("threads", "integer", "", "threads that the framework used", _part("environment", "threads")),
        ("warnings", "string", "", "warnings, as phase:key, separated by blanks", warnings),
        ("data_sha256", "string", "", "checksum of the data", _part("data", "sha256")),
        ("data_synthetic", "boolean", "", "true: generated in place of the real data", _part("data", "synthetic")),
        ("git_commit", "string", "", "commit of the code that measured", _part("provenance", "git_commit")),
        ("git_clean", "boolean", "", "false: the code had uncommitted changes", _part("provenance", "git_clean")),
        ("lock_sha256", "string", "", "checksum of the framework's lock", _part("provenance", "lock_sha256")),
        ("image", "string", "", "image digest, or the environment's identity", _part("provenance", "image")),
        ("file", "string", "", "the JSON below the results folder that this is from", lambda r: r.file),
    )
    yield from (_field(device, *part) for part in before)
    yield from _phase_fields(device, "train", "a training step")
    yield from _phase_fields(device, "predict", "a prediction")
    yield from (_field(device, *part) for part in after)


FIELDS: tuple[Field, ...] = (
    Field("machine", "string", "", "name of the machine", lambda row: row.results[0].machine),
    Field("stack", "string", "", "name of the software stack", lambda row: row.results[0].stack),
    Field("framework", "string", "", "folder of the framework", lambda row: row.results[0].framework),
    Field("model", "string", "", "key of the row", lambda row: row.model.key),
    Field("title", "string", "", "the model as the page names it", lambda row: row.model.title),
    Field("params", "string", "", "its size as the page gives it", lambda row: row.model.params),
    Field("library", "string", "", "library as the page names it", lambda row: row.model.library),
    Field("dataset", "string", "", "key of the data set", lambda row: row.model.dataset),
    Field("order", "integer", "", "place of the row on the page", lambda row: row.model.order),
    Field("parameters", "integer", "", "trainable parameters", lambda row: row.model.parameters),
    *_device_fields("cpu"),
    *_device_fields("gpu"),
)
