"""The parent: arguments, rounds of fresh processes, reuse, what the driver is told, and the exit status."""

import errno
import json
import os
import shutil
import subprocess
import sys

import pytest
from jobs import failed_result, make_result

from runners import registry
from runners.contract import DataUnavailable
from runners.data.source import Source
from runners.parent import bench, cli, jobs

ROOT = os.path.dirname(jobs.RUNNERS)
FRAMEWORKS = ", ".join(registry.frameworks())


class Bench:
    """Calls of the parent in this process, with results made up in place of children."""

    def __init__(self, folder, monkeypatch, capfd):
        self.folder, self.capfd = folder, capfd
        self.jobs, self.results = [], []
        self.source = Source("airline", "made up", "0" * 64)
        monkeypatch.setattr(jobs, "describe_data", self.describe_data)
        monkeypatch.setattr(bench, "run_child", self.run_child)

    def describe_data(self, name, directory):
        if isinstance(self.source, Exception):
            raise self.source
        return self.source

    def run_child(self, job, time_limit_s, on_event):
        self.jobs.append(job)
        result = self.results.pop(0) if self.results else make_result(quality_s=None if job["timing_only"] else 0.5)
        if isinstance(result, type):
            raise result
        return result

    def call(self, *arguments):
        """Run once; returns (exit status, the rows that the driver is told about, standard error)."""
        arguments = ("classical",) + arguments if not arguments or arguments[0].startswith("--") else arguments
        status = cli.main(list(arguments) + ["--results", str(self.folder), "--machine", "m"])
        out, err = self.capfd.readouterr()
        (line,) = out.splitlines()
        return status, json.loads(line)["rows"], err

    def ar(self, *arguments):
        """Run the row AR once; returns what the driver is told about it."""
        (row,) = self.call("--rows", "ar", *arguments)[1]
        return row

    def record(self, name="ar.cpu"):
        return json.loads((self.folder / "m" / "cpu" / (name + ".json")).read_text())


@pytest.fixture
def made_up(tmp_path, monkeypatch, capfd):
    return Bench(tmp_path / "results", monkeypatch, capfd)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tensorflow"], "there is no framework 'tensorflow'; choose from: " + FRAMEWORKS),
        (
            ["classical", "--tune"],
            "there is no framework to tune 'classical'; choose from: jax, keras, keras_torch, pytorch",
        ),
        (
            ["jax", "--tune", "--rows", "densenet-24x3-jax"],
            "there is no row to tune 'densenet-24x3-jax'; choose from: lstm-jax, bilstm-jax",
        ),
        (["classical", "--devices", "tpu"], "there is no device 'tpu'; choose from: cpu, gpu"),
        (["classical", "--profile", "slow"], "there is no profile 'slow'; choose from: smoke, quick, full"),
        (["classical", "--engine", "lxc"], "there is no engine 'lxc'; choose from: none, venv, docker, podman"),
        (["classical", "--threads", "-1"], "--threads is -1; give at least 1"),
        (["classical", "--round", "0"], "--round is 0; give at least 1"),
        (
            ["classical", "--rows", "ar,resnet"],
            "classical has no row 'resnet'; choose from: ar, ar-ols, ar-polyfit, sarimax",
        ),
        (
            ["classical", "--stack", "a/b"],
            "the stack name 'a/b' cannot name a folder; use letters, digits, '.', '_' and '-'",
        ),
    ],
)
def test_a_bad_argument_gets_one_message_and_exit_status_2(made_up, arguments, message):
    """The message has the culprit, the value and the cure; nothing runs and no folder is made."""
    assert made_up.call(*arguments) == (2, [], "erabench: {}\n".format(message))
    assert (made_up.jobs, made_up.folder.exists()) == ([], False)


def test_no_framework_and_a_bad_machine_are_refused_too(capfd):
    """As every bad argument is."""
    assert cli.main([]) == cli.main(["classical", "--machine", "../up"]) == 2
    said = capfd.readouterr().err.splitlines()
    assert said[0] == "erabench: no framework given; choose from: " + FRAMEWORKS
    assert said[1].startswith("erabench: the machine name '../up' cannot name a folder")


@pytest.mark.parametrize(
    ("status", "expected"), [("ok", 0), ("skipped", 0), ("failed", 1), ("timeout", 1), ("out_of_memory", 1)]
)
def test_the_exit_status_is_0_if_every_row_is_ok_or_skipped(made_up, status, expected):
    """A row that failed makes it 1."""
    made_up.results = [make_result() if status == "ok" else failed_result(status=status)]
    assert made_up.call("--rows", "ar")[0] == expected
    assert made_up.record()["status"] == status


def test_each_call_adds_one_process_until_there_are_enough(made_up):
    """The first trains to quality, the later ones are timing only, and the driver is told what is missing."""
    told = [made_up.ar("--round", str(number), "--order-seed", "7") for number in range(1, 8)]
    assert [row["processes"] for row in told] == [1, 2, 3, 4, 5, 5, 5]
    assert [row["measured"] for row in told] == [True] * 5 + [False] * 2
    assert [job["timing_only"] for job in made_up.jobs] == [False] + [True] * 4
    assert told[0] == {
        "row": "ar", "device": "cpu", "status": "ok", "processes": 1, "wanted": 5, "measured": True,
        "timing_seconds": 1.5,
    }  # fmt: skip
    processes = made_up.record()["processes"]
    assert [(one["round"], one["order_seed"], one["order"]) for one in processes] == [(n, 7, 1) for n in range(1, 6)]
    assert all(set(one) == set(bench.PROCESS_FIELDS) for one in processes)
    assert len({one["environment_sha256"] for one in processes}) == 1


@pytest.mark.parametrize(("profile", "wanted"), [("smoke", 1), ("full", 10)])
def test_each_profile_has_its_own_number_of_processes(made_up, profile, wanted):
    """One in smoke, ten in full."""
    assert made_up.ar("--profile", profile)["wanted"] == wanted


def test_rows_run_in_an_order_shuffled_by_seed_and_round(made_up):
    """The same for the same two numbers, and recorded with each process."""

    def order(*arguments):
        return [row["row"] for row in made_up.call(*arguments)[1]]

    first = order("--round", "1", "--order-seed", "3")
    assert order("--round", "1", "--order-seed", "3") == first
    others = [order("--round", str(number), "--order-seed", "3") for number in range(2, 6)]
    assert all(sorted(one) == sorted(first) for one in others)
    assert any(one != first for one in others)
    assert [made_up.record(row + ".cpu")["processes"][0]["order"] for row in first] == [1, 2, 3, 4]


def test_a_bench_stopped_between_processes_loses_nothing(made_up):
    """Neither Ctrl-C nor a kill: the record is saved after each process, and the next call continues."""
    made_up.results = [make_result(), make_result(2.0), KeyboardInterrupt]
    assert made_up.ar()["processes"] == 1
    assert made_up.ar()["processes"] == 2
    status, rows, said = made_up.call("--rows", "ar")
    assert (status, rows, said) == (130, [], "erabench: stopped; what is finished is kept, and `make page` shows it\n")
    assert [one["train"]["median_s"] for one in made_up.record()["processes"]] == [1.0, 2.0]
    assert made_up.ar()["processes"] == 3


def test_a_later_process_that_fails_is_kept_and_tried_again(made_up):
    """The row stays ok, and the driver learns that this process did not end well."""
    made_up.results = [make_result(), failed_result("killed", signal="SIGKILL")]
    made_up.ar()
    row = made_up.ar()
    assert (row["status"], row["processes"]) == ("failed", 1)
    record = made_up.record()
    assert (record["status"], record["log"]) == ("ok", None)
    assert record["processes"][1]["status"] == "failed"
    assert record["processes"][1]["reason"] == {"key": "killed", "values": {"signal": "SIGKILL"}}
    assert made_up.ar()["processes"] == 2
    assert len(made_up.record()["processes"]) == 3


def test_a_disturbed_process_is_measured_again_at_once(made_up):
    """In the same round, without another training; the one beside less other load counts, whatever its time."""
    made_up.results = [make_result(1.0, other_load=0.9), make_result(2.0)]
    assert made_up.ar("--round", "1", "--order-seed", "7")["processes"] == 1
    record = made_up.record()
    assert [(one["status"], one["train"]["median_s"]) for one in record["processes"]] == [("disturbed", 1), ("ok", 2)]
    assert record["processes"][0]["reason"] == {"key": "disturbed", "values": {"percent": 45.0}}
    assert [(one["round"], one["order"]) for one in record["processes"]] == [(1, 1)] * 2
    assert [job["timing_only"] for job in made_up.jobs] == [False, True]
    assert made_up.ar("--round", "1", "--order-seed", "7")["measured"] is False
    assert made_up.ar("--round", "2", "--order-seed", "7")["processes"] == 2


def test_a_machine_that_is_always_busy_gets_one_repetition_per_row(made_up):
    """The less disturbed process counts, and later ones are not repeated."""
    made_up.results = [make_result(1.0, other_load=0.5), make_result(2.0, other_load=0.9), make_result(other_load=0.9)]
    assert [made_up.ar()["processes"] for _ in range(2)] == [1, 2]
    assert [one["status"] for one in made_up.record()["processes"]] == ["ok", "disturbed", "ok"]


def test_a_repetition_that_fails_leaves_the_disturbed_process_counted(made_up):
    """As does a stop in the middle of it: the first process is saved before."""
    made_up.results = [make_result(other_load=0.9), failed_result(), make_result(other_load=0.9), KeyboardInterrupt]
    assert made_up.ar()["processes"] == 1
    assert [one["status"] for one in made_up.record()["processes"]] == ["ok", "failed"]
    made_up.call("--rows", "ar-ols")
    assert [one["status"] for one in made_up.record("ar-ols.cpu")["processes"]] == ["ok"]


def test_a_quiet_process_and_a_smoke_run_are_not_repeated(made_up):
    """Other programs may take less than a tenth of the processors; a smoke run measures nothing."""
    made_up.results = [make_result(other_load=0.19)]
    made_up.ar()
    made_up.results = [make_result(other_load=2.0)]
    made_up.ar("--profile", "smoke")
    assert len(made_up.jobs) == 2


def test_a_first_process_that_fails_is_the_record_s_failure(made_up):
    """With its reason; the next call begins again, and trains again."""
    made_up.results = [dict(failed_result("time-limit", "timeout", seconds=60), log="the end")]
    assert made_up.call("--rows", "ar")[0] == 1
    record = made_up.record()
    assert (record["status"], record["reason"]["key"], record["log"]) == ("timeout", "time-limit", "the end")
    assert [one["status"] for one in record["processes"]] == ["timeout"]
    assert made_up.ar()["processes"] == 1
    assert [one["status"] for one in made_up.record()["processes"]] == ["ok"]
    assert [job["timing_only"] for job in made_up.jobs] == [False, False]


def test_force_measures_again(made_up):
    """The processes of before are replaced once the new one has ended."""
    for _ in range(5):
        made_up.ar()
    assert made_up.ar("--force")["processes"] == 1
    assert len(made_up.jobs) == 6


@pytest.mark.parametrize(
    "changed", [["--lock-sha256", "5" * 64], ["--image", "sha256:new"], ["--profile", "smoke"], ["--threads", "1"]]
)
def test_a_change_of_lock_image_or_configuration_measures_again(made_up, changed):
    """A result is reused only for exactly what made it."""
    made_up.ar()
    assert made_up.ar(*changed)["processes"] == 1
    assert [job["timing_only"] for job in made_up.jobs] == [False, False]


def test_the_median_is_of_the_times_that_count(made_up):
    """A process that did not train has none, as on the page."""
    made_up.results = [make_result(seconds) for seconds in (1.0, 2.0, 3.0, 4.0, 9.0)]
    made_up.results[-1]["train"]["valid"] = False
    for _ in range(5):
        made_up.ar()
    said = made_up.call("--rows", "ar")[2]
    assert "train 2.5 s per batch  predict 3 s per batch  median of 5 processes" in said


def test_a_change_of_data_measures_again(made_up):
    """The data's checksum is part of the fingerprint."""
    made_up.ar()
    made_up.source = made_up.source._replace(sha256="1" * 64)
    assert made_up.ar()["processes"] == 1


def test_a_renamed_machine_keeps_its_records(made_up):
    """The folder names the machine: a copy under another name is reused and continued."""
    made_up.ar()
    shutil.move(str(made_up.folder / "m"), str(made_up.folder / "tower"))
    (row,) = made_up.call("--rows", "ar", "--machine", "x")[1]
    assert row["processes"] == 1, "the last --machine counts, and m has no records any more"
    shutil.rmtree(str(made_up.folder / "m"))
    shutil.move(str(made_up.folder / "tower"), str(made_up.folder / "m"))
    assert made_up.ar()["processes"] == 2


@pytest.mark.parametrize(
    "broken",
    [
        {"processes": None},
        {"processes": []},
        {"processes": [1]},
        {"processes": [{"status": "ok"}]},
        {"schema_version": 1},
        {"provenance": None},
        {"more": 1},
    ],
)
def test_a_record_that_others_broke_is_measured_again(made_up, broken):
    """It is neither continued nor an error."""
    made_up.ar()
    path = made_up.folder / "m" / "cpu" / "ar.cpu.json"
    path.write_text(json.dumps(dict(made_up.record(), **broken)))
    assert made_up.ar()["processes"] == 1


def test_a_full_disk_ends_the_bench_with_what_was_finished(made_up, monkeypatch):
    """Exit status 2, the message, and the rows that are saved."""
    writes = []

    def fsync(descriptor):
        writes.append(descriptor)
        if len(writes) == 3:  # the probe, the first row, the second
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)
    status, rows, said = made_up.call("--rows", "ar,ar-ols")
    assert (status, len(rows)) == (2, 1)
    assert made_up.record(rows[0]["row"] + ".cpu")["status"] == "ok"
    assert "No space left on device; free some space and run again; nothing is lost" in said


def test_a_device_that_the_framework_does_not_offer_is_skipped_without_a_process(made_up):
    """The record has the reason."""
    made_up.ar("--devices", "gpu")
    record = made_up.record("ar.gpu")
    reason = {"key": "device-not-offered", "values": {"framework": "statsmodels, NumPy", "device": "gpu"}}
    assert (record["status"], record["reason"], record["processes"]) == ("skipped", reason, [])
    assert made_up.jobs == []


def test_data_that_are_missing_fail_their_rows(made_up):
    """The reason is in the record, and no process is started."""
    made_up.source = DataUnavailable("data-missing", file="airline/x.npy")
    status, _, said = made_up.call("--rows", "ar")
    record = made_up.record()
    reason = {"key": "data-missing", "values": {"file": "airline/x.npy"}}
    assert (status, record["status"], record["reason"], record["data"]) == (1, "failed", reason, None)
    assert "FAILED: data-missing (file: airline/x.npy)" in said


def test_a_finished_training_leaves_no_checkpoints_and_force_discards_them(made_up, monkeypatch):
    """A row that failed continues from its checkpoints; one that is measured again does not."""
    seen, run_child = [], made_up.run_child

    def with_checkpoints(job, time_limit_s, on_event):
        seen.append(os.path.exists(job["checkpoints"]))
        os.makedirs(job["checkpoints"], exist_ok=True)
        return run_child(job, time_limit_s, on_event)

    monkeypatch.setattr(bench, "run_child", with_checkpoints)
    made_up.results = [failed_result(), make_result(), failed_result()]
    for arguments in ([], [], ["--force"], ["--force"]):
        made_up.ar(*arguments)
    assert seen == [False, True, False, False]
    assert not list((made_up.folder / "m" / "cpu" / ".checkpoints").iterdir())


def test_the_code_hash_covers_what_runs_in_the_worker_and_nothing_else(tmp_path, monkeypatch):
    """Editing the worker, the data or the framework changes it; the parent, experiments and other frameworks do not."""
    shutil.copytree(jobs.RUNNERS, str(tmp_path / "runners"), ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "experiments").mkdir()
    monkeypatch.setattr(jobs, "RUNNERS", str(tmp_path / "runners"))

    def changes(name):
        before = jobs.code_sha256("classical")
        with open(str(tmp_path / name), "a") as file:
            file.write("# edited\n")
        return jobs.code_sha256("classical") != before

    for name in (
        "worker/measure.py",
        "machine/cpu.py",
        "data/airline.py",
        "nets/lstm.py",
        "contract.py",
        "registry.py",
        "classical/ar.py",
    ):
        assert changes("runners/" + name), name
    for name in ("parent/child.py", "parent/new.py", "keras/lstm.py", "__main__.py", "classical/notes.txt"):
        assert not changes("runners/" + name), name
    assert not changes("experiments/search.py")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("0123abc", ("0123abc", True)),
        ("0123abc-dirty", ("0123abc", False)),
        ("", (None, None)),
        ("main", (None, None)),
    ],
)
def test_the_commit_is_recorded_with_whether_the_tree_is_clean(given, expected):
    """Anything else than a commit is unknown."""
    assert jobs.git_state(given) == expected


@pytest.mark.parametrize("key", ["ar", "ar-ols", "ar-polyfit"])
def test_a_real_run_gives_a_complete_record(tmp_path, key):
    """Through parent, worker and timing loop, as a user runs it, twice."""
    pytest.importorskip("statsmodels")
    command = [sys.executable, "-m", "runners", "classical", "--rows", key, "--profile", "quick", "--machine", "m"]
    for _ in range(2):
        assert subprocess.call(command + ["--results", str(tmp_path)], cwd=ROOT, stderr=subprocess.DEVNULL) == 0
    record = json.loads((tmp_path / "m/cpu" / (key + ".cpu.json")).read_text())
    assert (record["status"], record["reason"], record["log"]) == ("ok", None, None)
    first, second = [one for one in record["processes"] if one["status"] == "ok"]  # a disturbed one is repeated
    train = first["train"]
    assert train["valid"]
    assert len(train["losses"]) == len(train["warmup_s"]) + len(train["samples_s"])
    assert train["interval_s"][0] <= train["median_s"] <= train["interval_s"][1]
    assert first["memory"]["peak_resident_bytes"] >= first["memory"]["resident_before_bytes"] > 0
    assert first["startup"]["import_s"] > 0 < first["startup"]["prepare_s"]
    assert first["startup"]["first_step_s"] == first["train"]["warmup_s"][0]
    assert first["environment_sha256"] == second["environment_sha256"]
    assert record["environment"]["versions"]["statsmodels"]
    assert record["quality"]["scores"]


def test_a_call_that_is_repeated_in_its_round_adds_nothing(made_up):
    """As after a stop between the record and the driver's note of it; another bench or round does add one."""
    for number, seed, processes in (("1", "7", 1), ("1", "7", 1), ("2", "7", 2), ("2", "8", 3)):
        assert made_up.ar("--round", number, "--order-seed", seed)["processes"] == processes


def test_an_absent_row_is_recorded_with_the_reason_and_nothing_runs(made_up):
    """A good result that it replaces is set aside and found again."""
    made_up.ar()
    reason = {"status": "skipped", "reason": {"key": "python-missing", "values": {"version": "3.6"}}}
    status, (row,), _ = made_up.call("--rows", "ar", "--absent", json.dumps(reason))
    assert (status, row["status"], len(made_up.jobs)) == (0, "skipped", 1)
    assert made_up.record()["reason"] == {"key": "python-missing", "values": {"version": "3.6"}}
    assert made_up.ar()["processes"] == 2


def test_the_number_of_seeds_can_be_set_for_rows_that_train_with_several(made_up):
    """It is a setting of the row, recorded and handed to the worker."""
    made_up.call("keras", "--rows", "lstm", "--devices", "cpu", "--seeds", "1")
    assert [job["settings"]["seeds"] for job in made_up.jobs] == [1]
    assert made_up.record("lstm.cpu")["settings"]["seeds"] == 1
    made_up.ar("--seeds", "1")
    assert "seeds" not in made_up.jobs[1]["settings"]
