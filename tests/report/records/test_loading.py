"""Reading records: the good ones come through, every bad one is named with its cure."""

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from report.records import BadInput, Loaded, complete, documents, figure, load_results
from tests.report.building import changed, process, processes, reason, record, tuning, write

GOOD = "box/cpu/lstm.cpu.json"


def put(root: Path, content: bytes | str, name: str = GOOD) -> Path:
    """A file with this content among the results; returns ``root``."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def only_problem(loaded: Loaded) -> str:
    """The one problem there is, as it is printed."""
    assert len(loaded.problems) == 1
    return str(loaded.problems[0])


def test_a_record_comes_through_complete(tmp_path: Path) -> None:
    """Every field of the JSON is in the result, and statements are keys with values."""
    made = record("densenet-24x3", epoch={"seconds": 600.0, "batches": 1563, "how": "extrapolated"})
    made["quality"]["notes"] = [reason("batch-of-16")]
    made["processes"][1]["warnings"] = [{"key": "odd-fan", "phase": "train", "values": {"percent": 12.5}}]
    (result,) = load_results(write(tmp_path, made)).results
    assert (result.file, result.path) == ("box/cpu/densenet-24x3.cpu.json", f"{tmp_path}/{result.file}")
    assert (result.key, result.started) == ("densenet-24x3", "2026-11-24T01:00:00Z")
    assert [found.train and found.train.median_s for found in result.processes] == [
        found["train"]["median_s"] for found in made["processes"]
    ]
    assert result.processes[1].warnings[0].values == {"percent": 12.5}
    assert result.quality.notes[0].key == "batch-of-16"
    assert result.epoch.batches == 1563


def test_results_come_in_the_order_of_the_page(tmp_path: Path) -> None:
    """Machines and stacks by name, rows by their order, whatever order the disk has."""
    write(tmp_path, record("ar"), record("lstm", "gpu"), record("lstm"), record("ar", machine="another"))
    files = [result.file for result in load_results(tmp_path).results]
    assert files == ["another/cpu/ar.cpu.json", GOOD, "box/cpu/lstm.gpu.json", "box/cpu/ar.cpu.json"]


def test_results_cannot_be_changed(tmp_path: Path) -> None:
    """No field takes a new value."""
    (result,) = load_results(write(tmp_path, record())).results
    with pytest.raises(AttributeError):
        result.machine = "other"


def test_long_series_are_counted_and_read_again_when_they_are_wanted(tmp_path: Path) -> None:
    """A result has the length of each series; the complete result has the numbers, a missing one as None."""
    made = changed(record(), "processes.0.train.losses", [0.5, None, 0.25])
    (result,) = load_results(write(tmp_path, made)).results
    phase = result.processes[0].train
    assert (len(phase.samples_s), len(phase.losses)) == (40, 3)
    assert phase.fastest_s == min(made["processes"][0]["train"]["samples_s"])
    with pytest.raises(LookupError, match="complete"):
        list(phase.samples_s)
    with pytest.raises(LookupError, match="complete"):
        phase.samples_s[0]
    whole = complete(result).processes[0].train
    assert list(whole.samples_s) == made["processes"][0]["train"]["samples_s"]
    assert list(whole.losses) == [0.5, None, 0.25]
    (tmp_path / GOOD).unlink()
    assert complete(result) is None


def test_parts_that_look_alike_keep_their_types(tmp_path: Path) -> None:
    """What many results share is stored once; settings that read like the data are not mistaken for these."""
    made = record()
    (result,) = load_results(write(tmp_path, changed(made, "settings", made["data"]))).results
    assert (result.data.name, result.settings["name"]) == ("airline", "airline")


@pytest.mark.parametrize("folder", ["renamed/cpu", "box/other-stack"])
def test_a_renamed_folder_keeps_its_records(tmp_path: Path, folder: str) -> None:
    """The path names machine, stack, row and device, whatever the record says."""
    put(tmp_path, json.dumps(record()), f"{folder}/copy.gpu.json")
    loaded = load_results(tmp_path)
    (result,) = loaded.results
    assert loaded.problems == ()
    assert (f"{result.machine}/{result.stack}", result.key, result.device) == (folder, "copy", "gpu")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("stray.json", "is not where a result belongs"),
        ("box/cpu/deeper/lstm.cpu.json", "is not where a result belongs"),
        ("box/cpu/lstm.json", "is not where a result belongs"),
        ("box/cpu/lstm.tpu.json", "is not where a result belongs"),
        ("box/cpu/-x.cpu.json", "'-x' is not a valid name"),
        ("a box/cpu/lstm.cpu.json", "'a box' is not a valid name"),
        ("box\n/cpu/lstm.cpu.json", "'box\\n' is not a valid name"),
        ("results.csv/cpu/lstm.cpu.json", "its machine has the name of a file beside the page"),
        ("results.json/cpu/lstm.cpu.json", "its machine has the name of a file beside the page"),
    ],
)
def test_an_unusable_path_is_a_problem(tmp_path: Path, name: str, message: str) -> None:
    """A file that no machine, stack, row and device can be read from is named, and the others are read."""
    write(tmp_path, record())
    loaded = load_results(put(tmp_path, json.dumps(record()), name))
    assert only_problem(loaded).startswith(f"{name}: {message}; ")
    assert len(loaded.results) == 1


def text(**changes: Any) -> str:
    """The JSON of a record with some fields replaced."""
    return json.dumps(record(**changes))


def with_value(path: str, value: Any) -> str:
    """The JSON of a record with one value at a dotted path replaced."""
    return json.dumps(changed(record(), path, value))


BAD: list[tuple[str, bytes | str, str]] = [
    ("empty", b"", "is empty; delete it and measure again"),
    ("zeros", b"\0" * 4096, "is empty; delete it and measure again"),
    ("cut short", text()[:2000], "is not JSON (Input data was truncated); the file is cut short or broken"),
    ("not JSON", "hello", "is not JSON (JSON is malformed: invalid character"),
    ("not UTF-8", text().encode().replace(b"Keras", b"\xff\xfe"), "is not JSON ('utf-8' codec can't decode"),
    ("NaN", text().replace("12.5", "NaN", 1), "is not JSON (JSON is malformed: invalid character"),
    ("infinity", text().replace("12.5", "Infinity", 1), "is not JSON (JSON is malformed: invalid character"),
    ("half a surrogate pair", text().replace("Keras", "\\ud800"), "is not JSON ("),
    ("too deep", "[" * 100_000 + "]" * 100_000, "is no result of erabench (Expected `object`, got `array`)"),
    (
        "too deep inside",
        with_value("settings", {}).replace('"settings": {}', '"settings": ' + "[" * 100_000),
        "has too many objects or lists within one another",
    ),
    ("no object", "[1, 2]", "is no result of erabench (Expected `object`, got `array`); move the file elsewhere"),
    ("foreign", '{"name": "leftpad", "version": "1.0"}', "is no result of erabench (it has no schema_version); move"),
    ("version of another kind", text(schema_version="2"), "is no result of erabench (schema_version is '2'); move"),
    ("version true", text(schema_version=True), "is no result of erabench (schema_version is True); move"),
    ("version zero", text(schema_version=0), "is no result of erabench (schema_version is 0); move"),
    ("newer", text(schema_version=3), "was made by a newer erabench (schema 3; this one reads up to 2); update"),
    ("a tuning", json.dumps(tuning()), "is no result but a tuning; move the file to where a tuning lies"),
    ("unknown field", text(surprise=1), "Object contains unknown field `surprise`; not what schema 2 asks for"),
    ("missing field", text().replace('"engine"', '"motor"', 1), "Object contains unknown field `motor`"),
    ("wrong engine", text(engine="great"), "engine: Invalid enum value 'great'; not what schema 2 asks for: delete"),
    ("failed without reason", text(status="failed"), "reason: null, although the status is failed"),
    ("ok without processes", text(processes=[]), "processes: none, although the status is ok"),
    ("ok without quality", text(quality=None), "quality: none, although the status is ok"),
    ("path in a name", text(machine="../../etc"), "machine: Expected `str` matching regex"),
    ("newline in a name", text(framework="keras\n"), "framework: Expected `str` matching regex"),
    ("nested", text(settings=json.loads('{"a": [' * 20 + "]}" * 20)), "settings["),
    ("endless integer", text(settings={"seed": 10**400}), "settings["),
    ("a long word", text(settings={"word": "x" * 30_000}), "settings["),
]


@pytest.mark.parametrize(("content", "message"), [bad[1:] for bad in BAD], ids=[bad[0] for bad in BAD])
def test_a_bad_file_is_named_with_its_cure_and_the_others_are_read(
    tmp_path: Path, content: bytes | str, message: str
) -> None:
    """One bad file never costs a good one, and its problem names file, place and cure."""
    write(tmp_path, record("ar"))
    loaded = load_results(put(tmp_path, content))
    assert only_problem(loaded).startswith(f"{GOOD}: ")
    assert message in only_problem(loaded)
    assert [result.key for result in loaded.results] == ["ar"]


@pytest.mark.parametrize("path", ["train.samples_s.3", "predict.warmup_s.0", "train.median_s"])
@pytest.mark.parametrize("value", ["x", None, 0, -1.0, 5e-324, 1e-300, 1e308, 1e9 + 1, True, [1]])
def test_what_is_no_time_is_a_problem(tmp_path: Path, path: str, value: Any) -> None:
    """Zero, negative, subnormal and endless times never reach a picture or a ratio."""
    loaded = load_results(put(tmp_path, with_value(f"processes.1.{path}", value)))
    assert loaded.results == ()
    place = path.replace(".3", "[3]").replace(".0", "[0]")
    assert f"{GOOD}: processes[1].{place}: Expected" in only_problem(loaded)


@pytest.mark.parametrize("path", ["processes.0.train.losses", "quality.history.loss", "quality.forecasts.truth"])
def test_a_number_beyond_all_sense_is_a_problem(tmp_path: Path, path: str) -> None:
    """So that no sum or square of what is read can overflow."""
    loaded = load_results(put(tmp_path, with_value(path, [0.5, 1e150])))
    assert "Expected `float` <= 1e+100" in only_problem(loaded).replace("1e100", "1e+100")


def test_a_file_that_is_read_well_but_made_of_one_sample_has_a_figure(tmp_path: Path) -> None:
    """A single sample, and samples that are all equal, are handled like others."""
    made = record()
    made["processes"] = [process(1, 0.01, 0.004)]
    for phase in ("train", "predict"):
        changed(made, f"processes.0.{phase}.samples_s", [0.01])
        changed(made, f"processes.0.{phase}.interval_s", None)
    (result,) = load_results(write(tmp_path, made)).results
    found = figure(result, "train")
    assert (found.median_s, found.processes, found.relative) == (0.01, 1, None)


@pytest.mark.parametrize("field", ["code_sha256", "environment_sha256"])
def test_processes_of_other_code_or_environment_are_left_out(tmp_path: Path, field: str) -> None:
    """Those that match the newest one make the figure, and a problem says how many do not."""
    made = record(processes=processes([0.02, 0.02, 0.01, 0.01], [0.01] * 4))
    changed(changed(made, f"processes.0.{field}", "0" * 64), f"processes.1.{field}", "1" * 64)
    loaded = load_results(write(tmp_path, made))
    found = figure(loaded.results[0], "train")
    assert (found.median_s, found.processes) == (0.01, 2)
    assert only_problem(loaded) == (
        f"{GOOD}: 2 of 4 processes ran other code or in another environment than the newest; left out; "
        "measure again (make bench FORCE=1)"
    )


def test_hidden_files_other_files_and_calibrations_are_skipped(tmp_path: Path) -> None:
    """What the runners keep beside their results is neither a result nor a problem."""
    write(tmp_path, record())
    put(tmp_path, "{", ".checkpoints/a/b.json")
    put(tmp_path, "{", "box/cpu/.lstm.cpu.json.tmp.json")
    put(tmp_path, "notes", "box/notes.txt")
    put(tmp_path, "{}", "box/cpu/calibration.json")
    loaded = load_results(tmp_path)
    assert loaded.problems == ()
    assert len(loaded.results) == 1


def test_a_link_that_leaves_the_folder_is_not_followed(tmp_path: Path) -> None:
    """A link to a file outside, to a folder, to nothing or to itself is a problem and is not read."""
    outside = write(tmp_path / "outside", record("ar")) / "box/cpu/ar.cpu.json"
    root = write(tmp_path / "results", record())
    folder = root / "box" / "cpu"
    (folder / "ar.cpu.json").symlink_to(outside)
    (folder / "bilstm.cpu.json").symlink_to(folder / "nothing.json")
    (folder / "lstm.gpu.json").symlink_to(folder / "lstm.gpu.json")
    (root / "elsewhere").symlink_to(tmp_path / "outside" / "box")
    loaded = load_results(root)
    assert [result.file for result in loaded.results] == [GOOD]
    assert [(problem.file, problem.message) for problem in loaded.problems] == [
        ("box/cpu/ar.cpu.json", f"is a link that leaves the folder, to {outside}"),
        ("box/cpu/bilstm.cpu.json", "cannot be read (No such file or directory)"),
        ("box/cpu/lstm.gpu.json", loaded.problems[2].message),
        ("elsewhere", "is a link to a folder"),
    ]
    assert loaded.problems[2].message.startswith("cannot be read (")


def test_a_pipe_does_not_hang_the_report(tmp_path: Path) -> None:
    """What is no ordinary file is a problem at once."""
    (tmp_path / "m" / "s").mkdir(parents=True)
    os.mkfifo(tmp_path / "m" / "s" / "ar.cpu.json")
    assert only_problem(load_results(tmp_path)) == "m/s/ar.cpu.json: is no ordinary file; delete it"


def test_an_enormous_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file too large for a result is a problem before it fills the memory."""
    monkeypatch.setattr(documents, "LARGEST_FILE_BYTES", 1000)
    assert "bytes, too many for a result; delete it and measure again" in only_problem(
        load_results(write(tmp_path, record()))
    )


def test_a_file_without_permission_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What may not be read is named with the cure."""

    def refused(name: str, flags: int) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), name)  # root, who may run this, reads all

    monkeypatch.setattr(documents, "_open_now", refused)
    write(tmp_path, record())
    assert "cannot be read (Permission denied); make the file readable" in only_problem(load_results(tmp_path))


@pytest.mark.parametrize("name", ["missing", "a-file"])
def test_a_results_folder_that_cannot_be_read_is_one_clear_error(tmp_path: Path, name: str) -> None:
    """No folder, or a file in its place: the error names it and the cure."""
    (tmp_path / "a-file").write_text("")
    with pytest.raises(BadInput, match=f"results folder .*{name}: .*; measure first"):
        load_results(tmp_path / name)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()),
    st.sampled_from([GOOD, "box/cpu/tuning/lstm.cpu.json"]),
)
def test_no_content_makes_the_reader_fail(tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str) -> None:
    """Any bytes at all give a problem, never an exception."""
    loaded = load_results(put(tmp_path_factory.mktemp("any"), content, name))
    assert (loaded.results, loaded.tunings) == ((), ())
    assert only_problem(loaded).startswith(f"{name}: ")


PLACES: list[Callable[[], Any]] = [record, tuning]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(PLACES), st.data(), JSON)
def test_no_value_in_a_record_makes_the_reader_fail(
    tmp_path_factory: pytest.TempPathFactory, make: Callable[[], Any], data: st.DataObject, value: Any
) -> None:
    """A record with any value in any place is read or is a problem, never an exception."""
    made = make()
    part = made
    while True:
        key = data.draw(st.sampled_from(list(part) if isinstance(part, dict) else range(len(part))))
        if not isinstance(part[key], dict | list) or not part[key] or data.draw(st.booleans()):
            part[key] = value
            break
        part = part[key]
    root = tmp_path_factory.mktemp("any")
    loaded = load_results(put(root, json.dumps(made), GOOD if make is record else "box/cpu/tuning/lstm.cpu.json"))
    assert len(loaded.problems) + len(loaded.results) >= 1
    for result in loaded.results:
        assert figure(complete(result), "train") == figure(result, "train")
