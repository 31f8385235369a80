"""Records of version 1 are read as version 2 has them, and the schemas are those of the types."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from report.records import Reason, complete, figure, load_results, schema, total
from tests.report.building import Json, changed, failed, record, tuning, write
from tests.report.records.test_loading import put

VERSION_1 = Path(__file__).parent / "version1"
FILE = "gtx-box/gtx1080/densenet-24x3.gpu.json"


def written(file: str) -> Json:
    """A record as version 1 wrote it."""
    made: Json = json.loads((VERSION_1 / file).read_text(encoding="utf-8"))
    return made


def test_every_record_of_version_1_is_read() -> None:
    """Results that are ok, failed and skipped, on CPU and GPU, and a tuning: no problem, and all of them there."""
    loaded = load_results(VERSION_1)
    assert loaded.problems == ()
    assert [(result.file, result.status, len(result.processes)) for result in loaded.results] == [
        ("epyc-2core/cpu/densenet-24x3.cpu.json", "ok", 1),
        ("gtx-box/gtx1080/lstm.gpu.json", "ok", 1),
        ("gtx-box/gtx1080/ar.gpu.json", "skipped", 0),
        ("gtx-box/gtx1080/bilstm.cpu.json", "timeout", 1),
        ("gtx-box/gtx1080/bilstm.gpu.json", "ok", 1),
        (FILE, "ok", 1),
    ]
    assert [tuned.file for tuned in loaded.tunings] == ["epyc-2core/cpu/tuning/densenet-24x3.cpu.json"]


def test_a_record_of_version_1_is_one_process() -> None:
    """Its times, memory, energy and marks are that process's, so its figure has no interval."""
    old = written(FILE)
    result = next(result for result in load_results(VERSION_1).results if result.file == FILE)
    (process,) = result.processes
    assert process.train.median_s == old["timing"]["train"]["median_s"]
    assert process.train.valid is True
    assert process.memory.gpu_total_bytes == old["memory"]["device_total_bytes"]
    assert [warning.key for warning in process.warnings] == [mark["key"] for mark in old["marks"]]
    found = figure(result, "train")
    assert (found.processes, found.relative) == (1, None)


def test_what_version_1_named_otherwise_has_its_new_name() -> None:
    """Sentences are the key ``text``; conditions, settings and environment are under their names of version 2."""
    results = {result.file: result for result in load_results(VERSION_1).results}
    example = results["epyc-2core/cpu/densenet-24x3.cpu.json"]
    old = written(example.file)
    phase = complete(example).processes[0].train
    assert phase.conditions.other_load_cpus == old["timing"]["train"]["conditions"]["others_busy"]
    assert example.settings["stopping_rule"] == old["settings"]["rule"]
    assert example.execution["operators"] == tuple(old["kernel_path"]["operators"])
    gpu = results["gtx-box/gtx1080/lstm.gpu.json"]
    assert gpu.execution["peak_memory"] == "process"
    assert example.environment.logical_cpus == old["environment"]["cores"]
    assert example.environment.kernel == "6.18"
    timed_out = results["gtx-box/gtx1080/bilstm.cpu.json"].reason
    assert isinstance(timed_out, Reason)
    assert timed_out.key == "text"
    epoch = total(results["gtx-box/gtx1080/bilstm.gpu.json"], "epoch")
    assert epoch.processes == 1


def test_a_tuning_of_version_1_has_its_new_names() -> None:
    """Pairs are the confirmation, and options that were renamed are known by their new keys."""
    (found,) = load_results(VERSION_1).tunings
    old = written(found.file)
    assert list(found.confirmation.tuned.train_s) == old["pairs"]["tuned"]["train_s"]
    assert found.max_relative_error == old["outputs_difference"]
    assert [attempt.option for attempt in found.attempts] == [attempt["option"] for attempt in old["attempts"]]


@pytest.mark.parametrize("field", ["timing", "marks", "model", "provenance", "settings", "quality", "environment"])
@pytest.mark.parametrize("value", [5, "x", [1], {"a": {"a": {"a": {"a": {"a": 1}}}}}])
def test_a_broken_record_of_version_1_is_a_problem(tmp_path: Path, field: str, value: Any) -> None:
    """What the upgrade does not find where it should be is named, and nothing raises."""
    (problem,) = load_results(put(tmp_path, json.dumps({**written(FILE), field: value}), FILE)).problems
    assert problem.cure == "not what schema 1 asks for: delete the file and measure again"


def test_a_field_that_version_1_lacks_is_named(tmp_path: Path) -> None:
    """The problem says which."""
    made = written(FILE)
    del made["marks"]
    assert [problem.message for problem in load_results(write(tmp_path, made)).problems] == ["'marks' is missing"]


@pytest.mark.parametrize("name", sorted(schema.schemas()))
def test_the_committed_schemas_are_those_of_the_types(name: str) -> None:
    """If this fails: python -m report.records.schema."""
    assert (schema.FOLDER / name).read_text(encoding="utf-8") == schema.schemas()[name]


@pytest.mark.parametrize(
    ("noun", "made", "valid"),
    [
        ("result", record(), True),
        ("result", failed("lstm"), True),
        ("result", record(quality=None), False),
        ("result", record(processes=[]), False),
        ("result", record(status="failed"), False),
        ("result", record(machine="a\n"), False),
        ("result", record(path="/home/me"), False),
        ("result", changed(record(), "processes.0.train.samples_s", [0.0]), False),
        ("tuning", tuning(), True),
        ("tuning", tuning(attempts=[]), False),
    ],
)
def test_the_schema_accepts_what_the_reader_accepts(noun: str, made: Any, valid: bool) -> None:
    """Whoever checks a record with the schema alone comes to the same answer."""
    made_from = json.loads(schema.schemas()[f"{noun}.schema.json"])
    assert made_from["$id"] == f"urn:erabench:{noun}:2"
    assert jsonschema.Draft202012Validator(made_from).is_valid(made) == valid
