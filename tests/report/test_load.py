"""Reading result records: the good ones come through, every bad one is named with its cure."""

import dataclasses
import errno
import json
import os
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from report import documents, load
from report.load import Loaded, ResultsUnavailable, load_results
from report.versions import RESULT, Version
from tests.report.fixtures.build import FOLDER, Record, one, record, write

GOOD = "gtx-box/gtx1080/ar.cpu.json"


def ar(**changes: Any) -> Record:
    """The CPU result of AR from the fixtures."""
    made = next(r for r in one() if (r["model"]["key"], r["device"]) == ("ar", "cpu"))
    return {**made, **changes}


def put(root: Path, content: bytes | str, name: str = GOOD) -> Path:
    """A file with this content among the results; gives ``root`` back."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def only_problem(loaded: Loaded) -> str:
    """The one problem there is, as it is printed."""
    assert len(loaded.problems) == 1
    return str(loaded.problems[0])


def test_a_record_comes_through_whole() -> None:
    """Every field of the JSON is found again in the result."""
    loaded = load_results(FOLDER / "one")
    result = next(r for r in loaded.results if r.file == "gtx-box/gtx1080/densenet-24x3.gpu.json")
    written = json.loads((FOLDER / "one" / result.file).read_text(encoding="utf-8"))
    assert loaded.problems == ()
    assert result.model.parameters == 6_112_450
    assert result.timing is not None
    assert result.timing.train is not None
    assert list(result.timing.train.samples_s) == written["timing"]["train"]["samples_s"]
    assert result.timing.train.interval_s == tuple(written["timing"]["train"]["interval_s"])
    assert result.timing.epoch is None
    assert result.memory is not None
    assert result.memory.peak_allocated_bytes == 5_402_000_000
    assert result.quality is not None
    assert result.quality.scores[0].accuracy == 0.9021
    assert result.environment is not None
    assert result.environment.gpu is not None
    assert result.environment.gpu.name == "NVIDIA GeForce GTX 1080"
    assert [mark.key for mark in result.marks] == ["throttled", "odd-fan"]
    assert result.marks[0].figures["reasons"] == "power cap"
    assert result.path.read_text(encoding="utf-8") == (FOLDER / "one" / result.file).read_text(encoding="utf-8")


def test_results_come_in_the_order_of_the_page() -> None:
    """Machines and stacks by name, rows by position, whatever order the disk has."""
    files = [result.file for result in load_results(FOLDER / "many").results]
    assert files == [
        "cloud/cpu/ar.cpu.json",
        "cloud/current/ar.cpu.json",
        "laptop/cpu/lstm.cpu.json",
        "laptop/cpu/lstm.gpu.json",
    ]


def test_results_cannot_be_changed() -> None:
    """Neither a field, nor a series, nor a table inside a result takes a new value."""
    result = load_results(FOLDER / "one").results[0]
    assert result.timing is not None
    assert result.timing.train is not None
    with pytest.raises(FrozenInstanceError):
        result.machine = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        result.settings["seed"] = 2  # type: ignore[index]
    with pytest.raises(TypeError):
        result.timing.train.samples_s[0] = 1.0  # type: ignore[index]


def test_a_missing_value_in_a_series_is_nan(tmp_path: Path) -> None:
    """A loss that was null is not a number, and the others are what they were."""
    made = ar()
    made["timing"]["train"]["losses"] = [0.5, None, 0.25]
    result = load_results(write(tmp_path, [made])).results[0]
    assert result.timing is not None
    assert result.timing.train is not None
    first, missing, last = result.timing.train.losses
    assert (first, last) == (0.5, 0.25)
    assert missing != missing


@pytest.mark.parametrize("machine", ["results.csv", "results.json", "results.parquet", "dictionary.json"])
def test_a_machine_called_like_a_file_of_the_page_is_refused(tmp_path: Path, machine: str) -> None:
    """Its folder would lie where the page has that file; the other results are shown."""
    loaded = load_results(write(tmp_path, [ar(machine=machine), ar()]))
    assert [str(problem) for problem in loaded.problems] == [
        f"{machine}/gtx1080/ar.cpu.json: its machine is called like a file beside the page; "
        "give the machine another name (MACHINE=…)"
    ]
    assert len(loaded.results) == 1


def nested(levels: int) -> Any:
    """An object with a list in it, and so on, ``levels`` deep."""
    made: Any = {}
    for level in range(1, levels):
        made = [1.5, made] if level % 2 else {"a": made}
    return made


@pytest.mark.parametrize("place", ["settings", "model.details", "kernel_path", "environment"])
@pytest.mark.parametrize("levels", [65, 200, 254, 256, 300, 900])
def test_a_record_that_is_nested_too_deeply_is_a_problem_like_others(tmp_path: Path, place: str, levels: int) -> None:
    """Neither the schema's nor the interpreter's own limit is reached, and the other results are shown."""
    made = ar()
    part = made
    for step in place.split("."):
        part = part[step]
    part["deep"] = nested(levels)
    other = next(result for result in one() if result["model"]["key"] == "ar-ols")
    loaded = load_results(write(tmp_path, [made, other]))
    assert [problem.message for problem in loaded.problems] == [
        "holds more than 64 objects or lists within one another"
    ]
    assert len(loaded.results) == 1


def test_a_record_may_be_nested_as_deeply_as_any_that_is_written(tmp_path: Path) -> None:
    """Sixty levels in its settings are no problem."""
    made = ar()
    made["settings"]["deep"] = nested(60)
    assert load_results(write(tmp_path, [made])).problems == ()


BAD: list[tuple[str, bytes | str | Callable[[], str], str]] = [
    ("empty", b"", "is empty; delete it and measure again"),
    ("zeros", b"\0" * 4096, "is empty; delete it and measure again"),
    ("cut short", json.dumps(ar())[:2000], "is not JSON (unexpected end of data"),
    ("not JSON", "hello", "is not JSON (unexpected character"),
    ("not UTF-8", b'{"a": "\xff\xfe"}', "is not JSON (str is not valid UTF-8"),
    ("NaN", json.dumps(ar(duration_s=float("nan"))), "is not JSON (unexpected character"),
    ("infinity", json.dumps(ar(duration_s=float("inf"))), "is not JSON (unexpected character"),
    ("beyond a double", json.dumps(ar()).replace("40.0", "1e999", 1), "number is infinity when parsed as double"),
    ("half a surrogate pair", '{"a": "\\ud800"}', "is not JSON (no low surrogate in string"),
    ("too deep", "[" * 5000 + "]" * 5000, "is not JSON (depth limit exceeded"),
    ("no object", "[1, 2]", "is no result of erabench but [1, 2]; move the file elsewhere"),
    ("foreign", '{"name": "leftpad", "version": "1.0"}', "is no result of erabench (it has no schema_version); move"),
    ("version of another kind", '{"schema_version": "1"}', "is no result of erabench (schema_version is '1'); move"),
    ("version true", '{"schema_version": true}', "is no result of erabench (schema_version is True); move"),
    ("version zero", '{"schema_version": 0}', "is no result of erabench (schema_version is 0); move"),
    (
        "future version",
        json.dumps(ar(schema_version=2)),
        "was made by a newer erabench (schema 2; this one reads up to 1); update the project",
    ),
    (
        "unknown field",
        json.dumps(ar(surprise=1)),
        "the record: Additional properties are not allowed ('surprise' was unexpected); not what schema 1 asks for: "
        "delete the file and measure again",
    ),
    ("wrong engine", json.dumps(ar(engine="great")), 'engine: "great" is not one of "venv", "docker"'),
    ("no reason", json.dumps(ar(status="failed")), 'reason: null is not of type "string"'),
    ("path in a name", json.dumps(ar(machine="../../etc")), 'machine: "../../etc" does not match'),
    ("newline in a name", json.dumps(ar(machine="gtx-box\n")), 'machine: "gtx-box\\n" does not match'),
]


@pytest.mark.parametrize(("content", "said"), [bad[1:] for bad in BAD], ids=[bad[0] for bad in BAD])
def test_a_bad_file_is_named_with_its_cure_and_the_others_are_read(tmp_path: Path, content: bytes, said: str) -> None:
    """One bad file never costs a good one, and its problem says file, value and cure."""
    write(tmp_path, [record("lstm", "cpu", quality=ar()["quality"], timing=ar()["timing"])])
    loaded = load_results(put(tmp_path, content))
    assert only_problem(loaded).startswith(f"{GOOD}: ")
    assert said in only_problem(loaded)
    assert [result.model.key for result in loaded.results] == ["lstm"]


def test_every_violation_is_told_but_not_ten_thousand(tmp_path: Path) -> None:
    """A file with many wrong values gives ten problems and the number of the rest."""
    made = ar()
    made["timing"]["train"]["samples_s"] = ["x"] * 10_000
    messages = [problem.message for problem in load_results(write(tmp_path, [made])).problems]
    assert len(messages) == 11
    assert 'timing.train.samples_s[0]: "x" is not of type "number"' in messages
    assert "and 9,990 more places" in messages


def test_a_file_that_is_not_where_it_says_is_a_problem(tmp_path: Path) -> None:
    """A copy under another name, which would be the same machine, model and device twice, is not read."""
    write(tmp_path, [ar()])
    put(tmp_path, json.dumps(ar()), "gtx-box/gtx1080/copy.cpu.json")
    put(tmp_path, json.dumps(ar()), "other/gtx1080/ar.cpu.json")
    put(tmp_path, json.dumps(ar()), "stray.json")
    loaded = load_results(tmp_path)
    assert [result.file for result in loaded.results] == [GOOD]
    assert [str(problem) for problem in loaded.problems] == [
        f"{name}: says it is {GOOD}, which is not where it lies; "
        "keep one file a machine, stack, model and device, under its own name"
        for name in ("gtx-box/gtx1080/copy.cpu.json", "other/gtx1080/ar.cpu.json", "stray.json")
    ]


def test_hidden_files_other_files_and_calibrations_are_passed_over(tmp_path: Path) -> None:
    """What the runners keep beside their results is no result and no problem."""
    write(tmp_path, [ar()])
    put(tmp_path, "{", ".checkpoints/a/b.json")
    put(tmp_path, "{", "gtx-box/gtx1080/.ar.cpu.json.tmp.json")
    put(tmp_path, "notes", "gtx-box/notes.txt")
    put(tmp_path, "{}", "gtx-box/cpu/calibration.json")
    loaded = load_results(tmp_path)
    assert loaded.problems == ()
    assert len(loaded.results) == 1


def test_a_link_that_leaves_the_folder_is_not_followed(tmp_path: Path) -> None:
    """A link to a file outside, to a folder, to nothing or to itself is a problem and is not read."""
    outside = write(tmp_path / "outside", [ar()]) / GOOD
    root = write(tmp_path / "results", [record("lstm", "cpu", quality=ar()["quality"], timing=ar()["timing"])])
    folder = root / "gtx-box" / "gtx1080"
    (folder / "ar.cpu.json").symlink_to(outside)
    (folder / "bilstm.cpu.json").symlink_to(folder / "nothing.json")
    (folder / "lstm.gpu.json").symlink_to(folder / "lstm.gpu.json")
    (root / "elsewhere").symlink_to(tmp_path / "outside" / "gtx-box")
    loaded = load_results(root)
    assert [result.model.key for result in loaded.results] == ["lstm"]
    assert [(problem.file, problem.message) for problem in loaded.problems] == [
        ("elsewhere", "is a link to a folder"),
        ("gtx-box/gtx1080/ar.cpu.json", f"is a link that leaves the folder, to {outside}"),
        ("gtx-box/gtx1080/bilstm.cpu.json", "cannot be read (No such file or directory)"),
        ("gtx-box/gtx1080/lstm.gpu.json", loaded.problems[3].message),
    ]
    assert loaded.problems[3].message.startswith("cannot be read (")


def test_a_pipe_does_not_hang_the_report(tmp_path: Path) -> None:
    """What is no ordinary file is a problem at once."""
    (tmp_path / "m" / "s").mkdir(parents=True)
    os.mkfifo(tmp_path / "m" / "s" / "ar.cpu.json")
    assert only_problem(load_results(tmp_path)) == "m/s/ar.cpu.json: is no ordinary file; delete it"


def test_an_enormous_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file too large for a result is a problem before it fills the memory."""
    monkeypatch.setattr(documents, "LARGEST_FILE_BYTES", 1000)
    said = only_problem(load_results(write(tmp_path, [ar()])))
    assert "bytes, too many for a result; delete it and measure again" in said


def test_a_file_without_permission_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What may not be read is said with the cure."""

    def refused(name: str, flags: int) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), name)  # root, who may run this, reads all

    monkeypatch.setattr(documents, "_open_now", refused)
    write(tmp_path, [ar()])
    assert "cannot be read (Permission denied); make the file readable" in only_problem(load_results(tmp_path))


@pytest.mark.parametrize("name", ["missing", "a-file"])
def test_a_results_folder_that_cannot_be_read_is_one_clear_error(tmp_path: Path, name: str) -> None:
    """No folder, or a file in its place: the error names it and says what to do."""
    (tmp_path / "a-file").write_text("")
    with pytest.raises(ResultsUnavailable, match=f"results folder .*{name}: .*; measure first"):
        load_results(tmp_path / name)


def test_every_version_ever_written_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record of an older version is checked against its own schema, then upgraded step by step to the newest."""
    newest = json.loads(RESULT.versions[RESULT.newest].schema.read_text(encoding="utf-8"))
    older = {
        "type": "object",
        "required": ["schema_version", "host"],
        "properties": {"schema_version": {"const": 1}, "host": {"type": "string"}},
    }
    newest["properties"]["schema_version"] = {"const": 3}
    paths = [tmp_path / "one.json", tmp_path / "three.json"]
    paths[0].write_text(json.dumps(older), encoding="utf-8")
    paths[1].write_text(json.dumps(newest), encoding="utf-8")

    def renamed(made: Record) -> Record:
        return {**{k: v for k, v in made.items() if k != "host"}, "machine": made["host"], "schema_version": 2}

    table = MappingProxyType(
        {
            1: Version(paths[0], renamed),
            2: Version(paths[0], lambda made: {**made, "schema_version": 3}),
            3: Version(paths[1]),
        }
    )
    monkeypatch.setattr(load, "RESULT", dataclasses.replace(RESULT, versions=table))
    old = {key: value for key, value in ar(host="gtx-box").items() if key != "machine"}
    root = put(tmp_path / "results", json.dumps(old))
    loaded = load_results(put(root, json.dumps({**old, "host": 5}), "gtx-box/gtx1080/lstm.cpu.json"))
    assert [result.file for result in loaded.results] == [GOOD]
    assert 'host: 5 is not of type "string"; not what schema 1 asks for' in only_problem(loaded)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_content_whatever_makes_the_reader_fail(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Any bytes at all give a problem, never an exception."""
    loaded = load_results(put(tmp_path_factory.mktemp("any"), content))
    assert loaded.results == ()
    assert only_problem(loaded).startswith(f"{GOOD}: ")
