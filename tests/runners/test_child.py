"""Whatever happens to a child process becomes a result with a status and a reason."""

import signal
import subprocess
import sys
import time

import pytest
from jobs import child, make_job

from runners import child as child_module
from runners.parent.child import run_child


def outcome(body, time_limit_s=20.0):
    heard = []
    record = run_child(make_job(), time_limit_s, heard.append, child(body))
    return record, heard


def test_a_child_that_hands_up_a_record_is_believed():
    """Status and content are the child's; provenance and start are the parent's."""
    record, heard = outcome(
        """
    send(json.dumps({"event": "phase", "phase": "train"}))
    send(json.dumps({"event": "result", "record": dict(job["record"], status="ok", provenance="forged")}))
    """
    )
    assert (record["status"], record["log"]) == ("ok", None)
    assert record["provenance"]["image"] == "test"
    assert record["duration_s"] > 0
    assert heard == [{"event": "phase", "phase": "train"}]


def test_a_child_that_raises_becomes_a_failure_with_its_words():
    """The end of what it printed is kept."""
    record, _ = outcome("raise RuntimeError('no such kernel')")
    assert (record["status"], record["reason"]) == (
        "failed",
        "the child process ended with exit status 1 and no result",
    )
    assert record["log"].endswith("RuntimeError: no such kernel\n")


def test_a_child_that_hangs_is_stopped_at_its_time_limit():
    """It is killed, even if it will not be asked."""
    child_module.GRACE_S, grace = 0.2, child_module.GRACE_S
    try:
        record, _ = outcome("signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)", time_limit_s=1.0)
    finally:
        child_module.GRACE_S = grace
    assert (record["status"], record["reason"]) == ("timeout", "stopped after its time limit of 1 s")


@pytest.mark.parametrize(
    ("says", "status"),
    [('send(json.dumps({"event": "result", "record": dict(job["record"], status="ok")}))', "ok"), ("pass", "failed")],
)
def test_a_child_that_hangs_with_nothing_more_to_say_is_ended(monkeypatch, says, status):
    """As a framework may when it is torn down; what it handed up before stands."""
    monkeypatch.setattr(child_module, "EXIT_S", 0.3)
    began = time.monotonic()
    record, _ = outcome(says + "; os.close(pipe); time.sleep(60)")
    assert record["status"] == status
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV", "SIGTERM", "SIGABRT", "SIGBUS"])
def test_a_child_killed_by_a_signal_says_which(name):
    """Any signal, the kernel's and others'."""
    record, _ = outcome("os.kill(os.getpid(), signal.{})".format(name))
    assert (record["status"], record["reason"]) == ("failed", "the child process was killed by {}".format(name))


def test_a_child_killed_for_want_of_memory_is_told_from_other_kills(monkeypatch):
    """The kernel counts such kills; one more while the child ran makes the difference."""
    counts = iter([4, 5])
    monkeypatch.setattr(child_module, "_memory_kills", lambda: next(counts))
    record, _ = outcome("os.kill(os.getpid(), signal.SIGKILL)")
    assert record["status"] == "out_of_memory"
    assert record["reason"] == "the kernel killed the child process for want of memory (SIGKILL)"


@pytest.mark.parametrize(
    "rubbish", ["hello", "{", '{"event": "dance"}', '{"event": "samples"}', "[]", "null", '{"event": "result"}']
)
def test_a_child_that_sends_rubbish_fails_and_the_rubbish_is_shown(rubbish):
    """A line that is no event ends the child."""
    record, _ = outcome("send({!r}); time.sleep(60)".format(rubbish))
    assert record["status"] == "failed"
    assert record["reason"] == "the child process sent something that is no event: {!r}".format(rubbish)


def test_bytes_that_are_no_text_are_rubbish_too():
    """Not even UTF-8."""
    record, _ = outcome("os.write(pipe, bytes([255, 254, 10])); time.sleep(60)")
    assert record["reason"].startswith("the child process sent something that is no event")


def test_half_a_line_at_the_end_is_rubbish():
    """A child that dies in the middle of a word."""
    record, _ = outcome('os.write(pipe, b\'{"event": "pha\')')
    assert record["reason"] == 'the child process sent something that is no event: \'{"event": "pha\''


def test_a_record_of_another_shape_is_refused():
    """Every field of the contract, and no other."""
    record, _ = outcome('send(json.dumps({"event": "result", "record": {"status": "ok"}}))')
    assert (record["status"], record["reason"]) == (
        "failed",
        "the child process handed up something that is no result record",
    )


def test_what_a_child_prints_is_not_taken_for_an_event():
    """Frameworks print what they like."""
    record, heard = outcome(
        """
    print('{"event": "phase", "phase": "forged"}', flush=True)
    send(json.dumps({"event": "result", "record": dict(job["record"], status="ok")}))
    """
    )
    assert (record["status"], heard) == ("ok", [])


def test_nothing_a_child_started_is_left_running(tmp_path):
    """A grandchild ends with its group."""
    pid_file = tmp_path / "pid"
    outcome(
        """
    import subprocess
    process = subprocess.Popen(["sleep", "60"])
    open({!r}, "w").write(str(process.pid))
    """.format(str(pid_file))
    )
    time.sleep(0.2)
    assert not is_running(int(pid_file.read_text()))


def is_running(pid):
    try:
        with open("/proc/{}/stat".format(pid)) as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_the_card_is_hidden_from_a_cpu_run_and_threads_are_pinned():
    """The child's variables say so before any library is loaded."""
    variables = child_module.child_environment(dict(make_job(), threads=3))
    assert variables["CUDA_VISIBLE_DEVICES"] == ""
    assert variables["OMP_NUM_THREADS"] == variables["OPENBLAS_NUM_THREADS"] == "3"
    assert variables["PYTHONNOUSERSITE"] == "1"


@pytest.mark.parametrize(("visible", "card"), [(None, "0"), ("2,3", "2"), ("GPU-5d, GPU-7f", "GPU-5d"), ("", "")])
def test_a_gpu_run_sees_one_card_numbered_as_the_driver_numbers_them(monkeypatch, visible, card):
    """The first of those that whoever called it sees; none where all are hidden."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    variables = child_module.child_environment(make_job(device="gpu"))
    assert (variables["CUDA_VISIBLE_DEVICES"], variables["CUDA_DEVICE_ORDER"]) == (card, "PCI_BUS_ID")
    assert variables["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


def test_ctrl_c_ends_the_run_with_130_and_keeps_what_is_finished(tmp_path):
    """An interrupt while a model is timed leaves whole files only, says what to do, and no child behind."""
    pytest.importorskip("statsmodels")
    out = tmp_path / "results"
    command = [sys.executable, "-m", "runners", "classical", "--out", str(out), "--machine", "m"]
    process = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a CI job may have been told to ignore it
    )
    said = []
    for line in process.stderr:
        said.append(line)
        if line.startswith("ar-ols") and "timing training" in line:
            process.send_signal(signal.SIGINT)
    process.wait()
    assert process.returncode == 130
    assert said[-1] == "erabench: stopped; what is finished is kept, and `make page` shows it\n"
    assert sorted(path.name for path in (out / "m" / "cpu").iterdir() if path.is_file()) == ["ar.cpu.json"]
