"""The parent: arguments, reuse, and the exit status."""

import io
import json
import os
import subprocess
import sys

import pytest

import runners.__main__ as parent
from runners.contract import DataUnavailable
from runners.parent.display import Display


@pytest.fixture
def run(tmp_path, capfd):
    """Run the parent in this process; returns (exit status, what it said)."""

    def run(*arguments):
        status = parent.main(["--out", str(tmp_path / "results"), "--machine", "m", *arguments])
        return status, capfd.readouterr().err

    return run


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tensorflow"], "there is no framework 'tensorflow'; choose from: classical, keras, pytorch"),
        ([], "no framework given; choose from: classical, keras, pytorch"),
        (["classical", "--device", "tpu"], "there is no device 'tpu'; choose from: cpu, gpu"),
        (["classical", "--profile", "slow"], "there is no profile 'slow'; choose from: smoke, quick, full"),
        (["classical", "--engine", "lxc"], "there is no engine 'lxc'; choose from: none, venv, docker, podman"),
        (["classical", "--threads", "-1"], "--threads is -1; give at least 1, or leave it out"),
        (
            ["classical", "--machine", "../up"],
            "the machine name '../up' cannot name a folder; use letters, digits, '.', '_' and '-'",
        ),
        (
            ["classical", "--stack", "a/b"],
            "the stack name 'a/b' cannot name a folder; use letters, digits, '.', '_' and '-'",
        ),
    ],
)
def test_a_bad_argument_gets_one_message_and_exit_status_2(run, arguments, message):
    """The culprit, the value and the cure; no traceback."""
    assert run(*arguments) == (2, "erabench: {}\n".format(message))


def test_an_unknown_model_is_refused_before_anything_runs(run, tmp_path):
    """Even beside a known one."""
    status, said = run("classical", "--model", "ar,resnet")
    assert status == 2
    assert said.startswith("erabench: there is no model 'resnet'; choose from: ar, ")
    assert not (tmp_path / "results" / "m").exists()


def test_the_plan_names_the_frameworks_a_choice_of_models_needs(tmp_path, capsys):
    """What make builds, and nothing else."""
    assert parent.main(["--plan", "--model", "ar-ols, ar", "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "classical\n"


def fake_child(status, calls):
    def run_child(job, time_limit_s, on_event, command=None):
        calls.append(job["record"]["model"]["key"])
        record = dict(job["record"], status=status, reason=None if status == "ok" else "because")
        if status == "ok":
            phase = {"median_s": 1.0, "interval_s": None, "counts": True, "reason": None, "unit": "batch"}
            record.update(
                timing={name: dict(phase, process_medians_s=[]) for name in ("train", "predict")},
                quality={"scores": [], "protocol": "", "accuracy_metric": ""},
            )
        return record

    return run_child


@pytest.mark.parametrize(
    ("status", "expected"), [("ok", 0), ("skipped", 0), ("failed", 1), ("timeout", 1), ("out_of_memory", 1)]
)
def test_the_exit_status_tells_whether_every_row_is_there(run, monkeypatch, status, expected):
    """0 if each is ok or was skipped for a stated reason."""
    pytest.importorskip("numpy")
    monkeypatch.setattr(parent, "run_child", fake_child(status, []))
    assert run("classical", "--device", "cpu")[0] == expected


def test_a_second_run_with_nothing_changed_measures_nothing(run, monkeypatch):
    """And --force measures again."""
    pytest.importorskip("numpy")
    calls = []
    monkeypatch.setattr(parent, "run_child", fake_child("ok", calls))
    for arguments in ([], [], ["--force"]):
        run("classical", "--device", "cpu", "--model", "ar", *arguments)
    assert calls == ["ar", "ar"]


def full_run(monkeypatch, run, calls, endings):
    """A bench in ``full`` whose children end as told, or all well; an exception is raised."""
    well = fake_child("ok", calls)

    def run_child(job, time_limit_s, on_event, command=None):
        calls.append("again" if job.get("timing_only") else "whole")
        ending = endings.pop(0) if endings else "ok"
        if isinstance(ending, type):
            raise ending
        record = well(job, time_limit_s, on_event)
        return record if ending == "ok" else dict(record, status="failed", reason=ending)

    monkeypatch.setattr(parent, "run_child", run_child)
    return run("classical", "--device", "cpu", "--model", "ar", "--profile", "full")


def test_in_full_a_row_is_timed_in_four_further_processes(run, monkeypatch, tmp_path):
    """Their medians are in the record; a second bench measures nothing."""
    pytest.importorskip("numpy")
    calls = []
    assert full_run(monkeypatch, run, calls, [])[0] == 0
    assert calls[::2] == ["whole"] + ["again"] * 4
    timing = json.loads((tmp_path / "results/m/cpu/ar.cpu.json").read_text())["timing"]
    assert [timing[name]["process_medians_s"] for name in ("train", "predict")] == [[1.0] * 4] * 2
    del calls[:]
    full_run(monkeypatch, run, calls, [])
    assert calls == []


def test_a_bench_stopped_in_a_further_process_keeps_the_row_and_goes_on_there(run, monkeypatch, tmp_path):
    """What was trained for hours is not lost to a Ctrl-C that comes later, nor done twice."""
    pytest.importorskip("numpy")
    calls = []
    assert full_run(monkeypatch, run, calls, ["ok", "ok", KeyboardInterrupt])[0] == 130
    record = json.loads((tmp_path / "results/m/cpu/ar.cpu.json").read_text())
    assert (record["status"], record["timing"]["train"]["process_medians_s"]) == ("ok", [1.0])
    del calls[:]
    full_run(monkeypatch, run, calls, ["OSError: no"])
    assert calls[::2] == ["again"], "one that fails is said, and tried again the next time"
    assert full_run(monkeypatch, run, calls, [])[0] == 0
    record = json.loads((tmp_path / "results/m/cpu/ar.cpu.json").read_text())
    assert record["timing"]["train"]["process_medians_s"] == [1.0] * 4


def test_a_training_that_came_to_its_end_leaves_no_checkpoints_and_force_begins_anew(run, monkeypatch, tmp_path):
    """A row that failed goes on from its checkpoints; one that is measured again does not."""
    pytest.importorskip("numpy")
    seen = []

    def run_child(job, time_limit_s, on_event, command=None):
        folder = job["checkpoints"]
        seen.append(os.path.exists(folder))
        os.makedirs(folder, exist_ok=True)
        return fake_child("failed" if len(seen) == 1 else "ok", [])(job, time_limit_s, on_event)

    monkeypatch.setattr(parent, "run_child", run_child)
    for arguments in ([], [], ["--force"]):
        run("classical", "--device", "cpu", "--model", "ar", *arguments)
    assert seen == [False, True, False]
    assert not list((tmp_path / "results/m/cpu/.checkpoints").iterdir())
    run("classical", "--device", "cpu", "--model", "ar", "--force")
    assert seen[-1] is False


@pytest.mark.parametrize(
    "changed", [["--lock-sha256", "5" * 64], ["--image", "sha256:new"], ["--profile", "smoke"], ["--threads", "1"]]
)
def test_a_change_of_lock_image_or_configuration_measures_again(run, monkeypatch, changed):
    """A result stands only for what made it."""
    pytest.importorskip("numpy")
    calls = []
    monkeypatch.setattr(parent, "run_child", fake_child("ok", calls))
    monkeypatch.setattr(parent.environment, "default_threads", lambda: 2)
    for arguments in ([], changed):
        run("classical", "--device", "cpu", "--model", "ar", *arguments)
    assert calls == ["ar", "ar"]


def test_a_change_of_code_or_data_changes_the_fingerprint(monkeypatch):
    """Every part of it does."""
    assert parent.fingerprint({"a": 1}, {"code": "x"}) != parent.fingerprint({"a": 1}, {"code": "y"})
    assert parent.code_sha256("classical") != parent.code_sha256("keras")


def test_data_that_cannot_be_had_fail_their_rows_and_no_others(run, tmp_path, monkeypatch):
    """The reason is in the result."""
    pytest.importorskip("numpy")

    def find_source(name, options, display):
        return DataUnavailable("no such data; put them there")

    monkeypatch.setattr(parent, "find_source", find_source)
    status, said = run("classical", "--device", "cpu", "--model", "ar")
    record = json.loads((tmp_path / "results/m/cpu/ar.cpu.json").read_text())
    assert (status, record["status"], record["reason"]) == (1, "failed", "no such data; put them there")
    assert "FAILED: no such data; put them there" in said


def test_a_framework_that_does_not_import_fails_its_row_with_the_reason(tmp_path):
    """The child's own words are kept; the others go on."""
    pytest.importorskip("numpy")
    pytest.importorskip("statsmodels")
    out = str(tmp_path / "results")
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "statsmodels.py").write_text("raise ImportError('libgfortran.so.3: cannot open shared object file')")
    script = (
        "import sys, runners.__main__ as parent, runners.child as child\n"
        "real = child.child_environment\n"
        "def broken(job):\n"
        "    variables = real(job)\n"
        "    variables['PYTHONPATH'] = {!r} + ':' + variables.get('PYTHONPATH', '')\n"
        "    return variables\n"
        "child.child_environment = broken\n"
        "sys.exit(parent.main(['classical', '--model', 'ar', '--profile', 'smoke', '--machine', 'm', '--out', {!r}]))\n"
    ).format(str(broken), out)
    done = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE)
    said = done.communicate()[1].decode()
    record = json.loads((tmp_path / "results/m/cpu/ar.cpu.json").read_text())
    assert (done.returncode, record["status"]) == (1, "failed")
    assert record["reason"] == "ImportError: libgfortran.so.3: cannot open shared object file"
    assert "FAILED: ImportError: libgfortran" in said


@pytest.mark.parametrize("key", ["ar", "ar-ols", "ar-polyfit"])
def test_a_real_run_hands_up_a_whole_record(tmp_path, key):
    """Through parent, child and timing loop, as a user runs it."""
    pytest.importorskip("statsmodels")
    command = [sys.executable, "-m", "runners", "classical", "--model", key, "--profile", "smoke", "--machine", "m"]
    assert subprocess.call(command + ["--device", "cpu,gpu", "--out", str(tmp_path)], stderr=subprocess.DEVNULL) == 0
    record = json.loads((tmp_path / "m/cpu" / (key + ".cpu.json")).read_text())
    assert (record["status"], record["reason"], record["log"]) == ("ok", None, None)
    train = record["timing"]["train"]
    assert train["counts"]
    assert len(train["losses"]) == len(train["warmup_s"]) + len(train["samples_s"])
    assert train["interval_s"][0] <= train["median_s"] <= train["interval_s"][1]
    assert record["memory"]["peak_resident_bytes"] >= record["memory"]["resident_before_bytes"] > 0
    assert record["environment"]["versions"]["statsmodels"]
    skipped = json.loads((tmp_path / "m/cpu" / (key + ".gpu.json")).read_text())
    assert (skipped["status"], skipped["reason"]) == ("skipped", "statsmodels and NumPy compute on the CPU only")


def test_the_display_moves_on_a_terminal_and_writes_plain_lines_elsewhere(monkeypatch):
    """Samples, median, interval and the time left; no control characters into a file."""
    monkeypatch.setenv("COLUMNS", "120")

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    event = {
        "event": "samples",
        "phase": "train",
        "count": 12,
        "median_s": 0.0123,
        "interval_s": [0.012, 0.0126],
        "left_s": 4.2,
    }
    shown = {}
    for stream in (Terminal(), io.StringIO()):
        display = Display(stream)
        display.start("ar cpu")
        display.on_event({"event": "phase", "phase": "train"})
        display.on_event(event)
        display.finish("ok")
        shown[stream.isatty()] = stream.getvalue()
    assert "timing training  12 samples  median 0.0123 s +/- 2.4 %  at most 4 s left" in shown[True]
    assert shown[False] == "ar cpu  timing training\nar cpu  ok  (0 s)\n"


def test_a_long_phase_says_now_and_then_how_far_it_is():
    """Once a minute where the output is no terminal."""
    stream, now = io.StringIO(), [0.0]
    display = Display(stream, clock=lambda: now[0])
    display.start("bilstm cpu")
    for second in range(0, 150, 10):
        now[0] = float(second)
        display.on_event({"event": "progress", "phase": "quality", "done": second, "total": 300})
    assert stream.getvalue().splitlines() == [
        "bilstm cpu  training",
        "bilstm cpu  training  60 of 300  about 4 min 0 s left",
        "bilstm cpu  training  120 of 300  about 3 min 0 s left",
    ]
