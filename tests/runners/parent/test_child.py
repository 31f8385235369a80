"""Whatever happens to a child process becomes a result with a status and a reason."""

import json
import os
import platform
import signal
import subprocess
import sys
import time

import pytest
from jobs import child, make_job

from runners.machine import environment, memory
from runners.parent import child as child_module
from runners.parent import privacy
from runners.parent.child import run_child

SEND = 'send(json.dumps({"event": "result", "result": result}))'
ROOT = privacy.ROOT


def outcome(body, time_limit_s=20.0, job=None):
    heard = []
    result = run_child(job or make_job(), time_limit_s, heard.append, child(body))
    return result, heard


def status_and_reason(body, **options):
    result = outcome(body, **options)[0]
    return result["status"], result["reason"]["key"], result["reason"]["values"]


def test_a_child_s_result_is_taken_over():
    """The parent adds the start and the duration."""
    body = 'send(json.dumps({"event": "phase", "phase": "train"}))\n    ' + SEND
    result, heard = outcome(body)
    assert (result["status"], result["log"]) == ("ok", None)
    assert result["duration_s"] > 0
    assert heard == [{"event": "phase", "phase": "train"}]


def test_a_clock_that_goes_backwards_gives_no_negative_duration(monkeypatch):
    """The start is the wall clock's, the duration is not."""
    times = iter([2e9, 1e9])
    monkeypatch.setattr(child_module.time, "time", lambda: next(times, 0.0))
    result, _ = outcome(SEND)
    assert (result["started"], result["duration_s"] > 0) == ("2033-05-18T03:33:20Z", True)


def test_a_child_that_raises_becomes_a_failure_with_its_output():
    """The end of what it printed is kept."""
    result, _ = outcome("raise RuntimeError('no such kernel')")
    assert (result["status"], result["reason"]) == ("failed", {"key": "no-result", "values": {"exit_status": 1}})
    assert result["log"].endswith("RuntimeError: no such kernel\n")


def test_a_child_that_hangs_is_stopped_at_its_time_limit(monkeypatch):
    """It is killed even if it ignores being asked."""
    monkeypatch.setattr(child_module, "GRACE_S", 0.2)
    body = "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    assert status_and_reason(body, time_limit_s=1.0) == ("timeout", "time-limit", {"seconds": 1.0})


@pytest.mark.parametrize(("sends", "status"), [(SEND, "ok"), ("pass", "failed")])
def test_a_child_that_hangs_after_its_result_is_ended(monkeypatch, sends, status):
    """As a framework may when it is torn down; its result is kept."""
    monkeypatch.setattr(child_module, "EXIT_S", 0.3)
    assert outcome(sends + "; os.close(pipe); time.sleep(60)")[0]["status"] == status


@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV", "SIGTERM", "SIGABRT", "SIGBUS"])
def test_a_child_killed_by_a_signal_names_it(name):
    """Any signal, the kernel's and others'."""
    found = status_and_reason("os.kill(os.getpid(), signal.{})".format(name))
    assert found == ("failed", "killed", {"signal": name})


@pytest.mark.parametrize("sends", ["pass", "os.write(pipe, b'{')"])
def test_a_child_killed_by_the_out_of_memory_killer_is_out_of_memory(monkeypatch, sends):
    """The kernel counts such kills: one more during the run says more than half a line that was sent."""
    counts = iter([4, 5])
    monkeypatch.setattr(memory, "kills", lambda: next(counts))
    found = status_and_reason(sends + "; os.kill(os.getpid(), signal.SIGKILL)")
    assert found == ("out_of_memory", "killed-for-memory", {"signal": "SIGKILL"})


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("send({!r}); time.sleep(60)".format(line), line)
        for line in ("hello", "{", '{"event": "dance"}', '{"event": []}', '{"event": "samples"}', "[]", "null")
    ]
    + [
        ("os.write(pipe, bytes([255, 254, 10])); time.sleep(60)", "\ufffd\ufffd"),
        ('os.write(pipe, b\'{"event": "pha\')', '{"event": "pha'),
    ],
)
def test_malformed_output_ends_the_child_and_is_shown(body, text):
    """A line that is no event, bytes that are no text, and half a line at the end."""
    assert status_and_reason(body) == ("failed", "malformed-output", {"text": text})


@pytest.mark.parametrize(
    "sent",
    ['{"status": "ok"}', "dict(result, more=1)", "dict(result, train=None)", "dict(result, status='failed')", "[]"],
)
def test_a_result_of_another_shape_is_refused(sent):
    """It has every field and no other, times if it is ok, and a reason if it is not."""
    body = 'send(json.dumps({{"event": "result", "result": {}}}))'.format(sent)
    assert status_and_reason(body) == ("failed", "malformed-record", {})


def test_a_proof_s_result_needs_the_proof():
    """As a timing's result needs its times."""
    assert status_and_reason(SEND, job=make_job(prove=True)) == ("failed", "malformed-record", {})


def test_what_a_child_prints_is_not_taken_for_an_event():
    """Frameworks print what they like."""
    body = 'print(\'{"event": "phase", "phase": "forged"}\', flush=True)\n    ' + SEND
    result, heard = outcome(body)
    assert (result["status"], heard) == ("ok", [])


def test_nothing_that_a_child_started_is_left_running(tmp_path):
    """A grandchild ends with its group."""
    pid_file = tmp_path / "pid"
    outcome(
        """
    import subprocess
    process = subprocess.Popen(["sleep", "60"])
    open({!r}, "w").write(str(process.pid))
    """.format(str(pid_file))
    )
    for _ in range(100):
        if not is_running(int(pid_file.read_text())):
            return
        time.sleep(0.05)
    pytest.fail("the grandchild still runs")


def is_running(pid):
    try:
        with open("/proc/{}/stat".format(pid)) as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_folders_and_the_host_s_name_are_kept_out_of_reasons_and_logs(tmp_path, monkeypatch):
    """Home, environment, project and data folders are replaced; the rest of a path stays."""
    monkeypatch.setenv("HOME", "/home/alice")
    monkeypatch.setattr(platform, "node", lambda: "tower7")
    job = make_job(data_dir=str(tmp_path / "data"), checkpoints=str(tmp_path / "c"))
    text = "{0}/runners/x.py: no {1}/airline and /home/alice/a.so. tower7, {2}/lib, {3}/1.pt, /home/alicent, {0}2"
    text = text.format(ROOT, job["data_dir"], sys.prefix, job["checkpoints"])
    expected = (
        "<project>/runners/x.py: no <data>/airline and ~/a.so. <host>, <environment>/lib, <checkpoints>/1.pt, "
        "/home/alicent, {}2".format(ROOT)
    )
    assert privacy.without_names({"values": [text, 1]}, job) == {"values": [expected, 1]}
    result, _ = outcome("sys.exit(os.path.abspath({!r}))".format(ROOT + "/x"), job=job)
    assert result["log"] == "<project>/x\n"


def test_nothing_is_added_to_a_user_s_variables_but_the_device_and_the_threads_asked_for(monkeypatch):
    """A machine without a GPU and a row without a number of threads give exactly the user's environment."""
    monkeypatch.setattr(environment, "has_nvidia_device", lambda: False)
    assert child_module.child_environment(make_job(threads=None)) == dict(os.environ)
    added = child_module.child_environment(make_job(threads=3, variables={"TF_ENABLE_ONEDNN_OPTS": "0"}))
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
    assert added == dict(os.environ, TF_ENABLE_ONEDNN_OPTS="0", **dict.fromkeys(names, "3"))


@pytest.mark.parametrize(
    ("device", "visible", "expected"),
    [
        ("cpu", "1", ""),
        ("gpu", None, "0"),
        ("gpu", "2,3", "2"),
        ("gpu", "GPU-5d, GPU-7f", "GPU-5d"),
        ("gpu", "", ""),
    ],
)
def test_a_row_sees_one_gpu_or_none(monkeypatch, device, visible, expected):
    """On the GPU the first of those that the user sees, numbered as the driver numbers them; on the CPU none."""
    monkeypatch.setattr(environment, "has_nvidia_device", lambda: True)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    variables = child_module.child_environment(make_job(device=device))
    assert variables["CUDA_VISIBLE_DEVICES"] == expected
    assert variables.get("CUDA_DEVICE_ORDER") == ("PCI_BUS_ID" if device == "gpu" else None)


def test_ctrl_c_ends_the_run_with_130_and_keeps_what_is_finished(tmp_path):
    """An interrupt leaves complete files, a message, one line of JSON with the finished rows, and no child."""
    pytest.importorskip("statsmodels")
    command = [sys.executable, "-m", "runners", "classical", "--rows", "ar,ar-ols", "--results", str(tmp_path)]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a CI job may have been told to ignore it
    )
    said, rows = [], set()
    for line in process.stderr:
        said.append(line)
        rows.add(line.split()[0])
        if len(rows) == 2 and "timing training" in line:
            process.send_signal(signal.SIGINT)
    (finished,) = process.stdout.read().splitlines()
    assert process.wait() == 130
    assert said[-1] == "erabench: stopped; what is finished is kept, and `make page` shows it\n"
    (row,) = json.loads(finished)["rows"]
    names = [path.name for path in (tmp_path / "local" / "cpu").iterdir() if path.is_file()]
    assert (names, row["status"]) == ([row["row"] + ".cpu.json"], "ok")
