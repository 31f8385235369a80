"""Run one job in a fresh process, and make a result of whatever happens to it."""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional

from runners import environment, events

LOG_BYTES = 8000  # of the end of what the child printed, kept with a failure
GRACE_S = 5.0  # between asking a child to end and killing it
EXIT_S = 60.0  # for a child to end by itself once it has nothing more to say: a framework may hang when torn down


class Ending(NamedTuple):
    """How a child ended."""

    record: Optional[Dict[str, Any]]  # what it handed up, if it did
    rubbish: Optional[str]  # what it sent that was no event
    timed_out: bool
    returncode: int
    out_of_memory: bool  # the kernel killed a process for memory meanwhile
    log: str


def run_child(
    job: Dict[str, Any],
    time_limit_s: float,
    on_event: Callable[[Dict[str, Any]], None],
    command: Optional[List[str]] = None,
) -> Dict[str, Any]:
    """The job's result record, with a status and a reason however the child ended.

    ``on_event`` hears every event but the result. A ``KeyboardInterrupt`` ends the child and passes on.
    ``command`` stands for the worker in tests.
    """
    started = time.time()
    record = dict(job["record"], started=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)))
    ending = _run(job, time_limit_s, on_event, command or [sys.executable, "-s", "-m", "runners.worker"])
    if _is_record(ending.record, record):
        # Identity is the parent's to say: what the child hands up fills in the rest.
        handed = ending.record or {}
        record.update({key: handed[key] for key in record if key not in ("provenance", "started")})
    else:
        record["status"], record["reason"] = _why_no_result(ending, time_limit_s)
    if record["status"] not in ("ok", "skipped"):
        record["log"] = ending.log
    record["duration_s"] = time.time() - started
    return record


def _is_record(handed, template):
    return isinstance(handed, dict) and set(handed) == set(template) and handed["status"] != ""


def _why_no_result(ending: Ending, time_limit_s: float) -> Any:
    """(status, reason) of a child that handed up no result."""
    if ending.timed_out:
        return "timeout", "stopped after its time limit of {:.0f} s".format(time_limit_s)
    if ending.rubbish is not None:
        return "failed", "the child process sent something that is no event: {!r}".format(ending.rubbish[:200])
    if ending.returncode < 0:
        name = _signal_name(-ending.returncode)
        if ending.out_of_memory:
            return "out_of_memory", "the kernel killed the child process for want of memory ({})".format(name)
        return "failed", "the child process was killed by {}".format(name)
    if ending.record is not None:
        return "failed", "the child process handed up something that is no result record"
    return "failed", "the child process ended with exit status {} and no result".format(ending.returncode)


def _signal_name(number):
    try:
        return signal.Signals(number).name
    except ValueError:
        return "signal {}".format(number)


def _run(
    job: Dict[str, Any], time_limit_s: float, on_event: Callable[[Dict[str, Any]], None], command: List[str]
) -> Ending:
    kills_before = _memory_kills()
    reader, writer = os.pipe()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command + ["--events", str(writer)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=(writer,),
            env=child_environment(job),
            start_new_session=True,  # Ctrl-C reaches the parent alone, which ends the whole group
        )
        os.close(writer)
        try:
            _hand_over(process, job)
            listened = _listen(reader, time_limit_s, on_event)
            if not (listened.timed_out or listened.rubbish is not None):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(EXIT_S)
        finally:
            os.close(reader)
            _end(process)
        return Ending(
            record=listened.record,
            rubbish=listened.rubbish,
            timed_out=listened.timed_out,
            returncode=process.returncode,
            out_of_memory=_memory_kills() > kills_before,
            log=_tail(log),
        )


def child_environment(job: Dict[str, Any]) -> Dict[str, str]:
    """The child's variables: the user's own, with what chooses the device and, where asked for, the threads.

    A machine without a GPU gets nothing added. Where there is one, a row on the CPU sees none, and a row on the GPU
    sees the first visible card alone, counted as NVML counts them, so that the card that is asked is the card that
    computes.
    """
    variables = dict(os.environ)
    if job["threads"]:
        variables.update(environment.thread_variables(job["threads"]))
    if environment.has_nvidia_device():
        if job["record"]["device"] == "cpu":
            variables["CUDA_VISIBLE_DEVICES"] = ""
        else:
            visible = variables.get("CUDA_VISIBLE_DEVICES", "0")
            variables.update(CUDA_DEVICE_ORDER="PCI_BUS_ID", CUDA_VISIBLE_DEVICES=visible.split(",")[0].strip())
    variables.update(job.get("variables", {}))
    return variables


def _hand_over(process, job):
    try:
        process.stdin.write(json.dumps(job).encode("utf-8"))
        process.stdin.close()
    except BrokenPipeError:
        pass  # it ended before reading its job: its exit status says why


class _Heard(NamedTuple):
    record: Optional[Dict[str, Any]]
    rubbish: Optional[str]
    timed_out: bool


def _listen(reader: int, time_limit_s: float, on_event: Callable[[Dict[str, Any]], None]) -> _Heard:
    """Hear events until the result, the end of the pipe, the first rubbish, or the time limit."""
    deadline = time.monotonic() + time_limit_s
    pending = b""
    with selectors.DefaultSelector() as selector:
        selector.register(reader, selectors.EVENT_READ)
        while True:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                return _Heard(None, None, True)
            chunk = os.read(reader, 1 << 16)
            if not chunk:
                return _Heard(None, pending.decode("utf-8", "replace") if pending else None, False)
            *lines, pending = (pending + chunk).split(b"\n")
            for line in lines:
                message = _decode(line)
                if not events.is_event(message):
                    return _Heard(None, line.decode("utf-8", "replace"), False)
                if message["event"] == "result":
                    return _Heard(message["record"], None, False)
                on_event(message)


def _decode(line):
    try:
        return json.loads(line.decode("utf-8"))
    except ValueError:
        return None


def _end(process):
    """End the child and all it started: asked first, then killed."""
    for number, patience in ((signal.SIGTERM, GRACE_S), (signal.SIGKILL, None)):
        if process.poll() is not None:
            break
        _signal_group(process, number)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            pass
    _signal_group(process, signal.SIGKILL)  # what the child itself left running


def _signal_group(process, number):
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass


def _tail(log):
    size = log.seek(0, os.SEEK_END)
    log.seek(max(0, size - LOG_BYTES))
    return log.read().decode("utf-8", "replace")


def _memory_kills() -> int:
    """How many processes the kernel has killed for memory: in this control group, else on this machine."""
    counts = []
    for path in ("/sys/fs/cgroup/memory.events", "/proc/vmstat"):
        try:
            with open(path) as file:
                counts += [int(line.split()[1]) for line in file if line.startswith("oom_kill ")]
        except OSError:
            pass
    return sum(counts)
