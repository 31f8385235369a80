"""Run one job in a fresh process, and return a result whatever happens to it."""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from runners.contract import Reason
from runners.machine import environment, memory
from runners.parent import privacy
from runners.worker import events

LOG_BYTES = 8000  # of the end of what the child printed, kept with a failure
GRACE_S = 5.0  # between asking a child to end and killing it
EXIT_S = 60.0  # for a child to end by itself after its result: a framework may hang when torn down
OF_TIMING = ("train", "predict", "environment")  # what the result of a process that timed a row has
# Linear algebra and OpenMP libraries take their number of threads from these when they are loaded.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")

OnEvent = Callable[[Dict[str, Any]], None]


class ChildOutput(NamedTuple):
    """What a child sent until its result, its end, or its time limit."""

    result: Any = None
    malformed_output: Optional[str] = None
    timed_out: bool = False


class ChildExit(NamedTuple):
    """How a child ended."""

    output: ChildOutput
    returncode: int
    out_of_memory: bool  # the kernel killed a process for memory in the same time
    log: str


def run_child(
    job: Dict[str, Any], time_limit_s: float, on_event: OnEvent, command: Optional[List[str]] = None
) -> Dict[str, Any]:
    """Return the worker's result, with a status and a reason however it ended.

    The parent adds ``started``, ``duration_s`` and, after a failure, ``log``. ``on_event`` is called with every event
    but the result. A ``KeyboardInterrupt`` ends the child and propagates. ``command`` replaces the worker in tests.
    """
    started, began = time.time(), time.monotonic()
    child = _run(job, time_limit_s, on_event, command or [sys.executable, "-s", "-m", "runners.worker"])
    result = events.empty_result()
    if _is_result(child.output.result, ("sameness",) if job["prove"] else OF_TIMING):
        result.update(child.output.result)
    else:
        result["status"], reason = _why_no_result(child, time_limit_s)
        result["reason"] = events.plain(reason)
    failed = result["status"] not in ("ok", "skipped")
    result["reason"] = privacy.without_names(result["reason"], job)
    result["log"] = privacy.without_names(child.log, job) if failed else None
    result["started"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started))
    result["duration_s"] = time.monotonic() - began
    return result


def _is_result(found: Any, of_success: Sequence[str]) -> bool:
    if not isinstance(found, dict) or set(found) != set(events.empty_result()):
        return False
    needed = of_success if found["status"] == "ok" else ("reason",)
    return isinstance(found["status"], str) and all(isinstance(found[field], dict) for field in needed)


def _why_no_result(child: ChildExit, time_limit_s: float) -> Tuple[str, Reason]:
    """Return (status, reason) of a child that sent no result."""
    output = child.output
    if output.timed_out:
        return "timeout", Reason("time-limit", {"seconds": time_limit_s})
    name = {"signal": _signal_name(-child.returncode)}
    if child.out_of_memory and child.returncode == -signal.SIGKILL:  # perhaps while it sent its result
        return "out_of_memory", Reason("killed-for-memory", name)
    if output.malformed_output is not None:
        return "failed", Reason("malformed-output", {"text": output.malformed_output[:200]})
    if child.returncode < 0:
        return "failed", Reason("killed", name)
    if output.result is not None:
        return "failed", Reason("malformed-record")
    return "failed", Reason("no-result", {"exit_status": child.returncode})


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "signal {}".format(number)


def _run(job: Dict[str, Any], time_limit_s: float, on_event: OnEvent, command: List[str]) -> ChildExit:
    kills_before = memory.kills()
    reader, writer = os.pipe()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command + ["--events", str(writer)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=(writer,),
            env=child_environment(job),
            start_new_session=True,  # Ctrl-C reaches only the parent, which ends the whole group
        )
        os.close(writer)
        try:
            _send_job(process, job)
            output = _listen(reader, time_limit_s, on_event)
            if not (output.timed_out or output.malformed_output is not None):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(EXIT_S)
        finally:
            os.close(reader)
            _end(process)
        return ChildExit(output, process.returncode, memory.kills() > kills_before, _tail(log))


def child_environment(job: Dict[str, Any]) -> Dict[str, str]:
    """Return the child's variables: the user's own, with what chooses the device and, on request, the threads.

    A machine without a GPU gets nothing added. Where there is one, a row on the CPU sees none, and a row on the GPU
    sees only the first visible one, numbered as NVML numbers them: the GPU that is asked is the one that computes.
    """
    variables = dict(os.environ)
    if job["threads"]:
        variables.update(dict.fromkeys(THREAD_VARIABLES, str(job["threads"])))
    if environment.has_nvidia_device():
        if job["device"] == "cpu":
            variables["CUDA_VISIBLE_DEVICES"] = ""
        else:
            visible = variables.get("CUDA_VISIBLE_DEVICES", "0")
            variables.update(CUDA_DEVICE_ORDER="PCI_BUS_ID", CUDA_VISIBLE_DEVICES=visible.split(",")[0].strip())
    variables.update(job["variables"])
    return variables


def _send_job(process: Any, job: Dict[str, Any]) -> None:
    try:
        process.stdin.write(json.dumps(job).encode("utf-8"))
        process.stdin.close()
    except BrokenPipeError:
        pass  # it ended before reading its job: its exit status is the reason


def _listen(reader: int, time_limit_s: float, on_event: OnEvent) -> ChildOutput:
    """Receive events until the result, the end of the pipe, the first malformed line, or the time limit."""
    deadline = time.monotonic() + time_limit_s
    pending = b""
    with selectors.DefaultSelector() as selector:
        selector.register(reader, selectors.EVENT_READ)
        while True:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                return ChildOutput(timed_out=True)
            chunk = os.read(reader, 1 << 16)
            if not chunk:
                return ChildOutput(malformed_output=pending.decode("utf-8", "replace") if pending else None)
            *lines, pending = (pending + chunk).split(b"\n")
            for line in lines:
                message = _decode(line)
                if not events.is_event(message):
                    return ChildOutput(malformed_output=line.decode("utf-8", "replace"))
                if message["event"] == "result":
                    return ChildOutput(result=message["result"])
                on_event(message)


def _decode(line: bytes) -> Any:
    try:
        return json.loads(line.decode("utf-8"))
    except ValueError:
        return None


def _end(process: Any) -> None:
    """End the child and all it started: asked first, then killed."""
    for number, patience in ((signal.SIGTERM, GRACE_S), (signal.SIGKILL, None)):
        if process.poll() is not None:
            break
        _signal_group(process, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    _signal_group(process, signal.SIGKILL)  # what the child itself left running


def _signal_group(process: Any, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _tail(log: Any) -> str:
    size = log.seek(0, os.SEEK_END)
    log.seek(max(0, size - LOG_BYTES))
    return log.read().decode("utf-8", "replace")
