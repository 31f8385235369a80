"""The worker: measures one row on one device, once.

Reads a job (JSON, made by parent/jobs.py) from standard input, reports over the pipe named by ``--events``, and sends
its result there. It writes no file: the parent does, whatever happens here.
"""

import ctypes
import json
import signal
import sys
import time
import traceback
from importlib import import_module
from typing import Any, Dict

from runners.contract import Context, Quality, Reason, RowError, Rule
from runners.data import dataset
from runners.machine import environment, nvml
from runners.registry import load_model
from runners.worker import events
from runners.worker.timing import Timing, complete_passes

OUT_OF_MEMORY_NAMES = ("OutOfMemoryError", "ResourceExhaustedError", "MemoryError")
OUT_OF_MEMORY_WORDS = ("out of memory", "can't allocate memory")  # PyTorch's, on a GPU and on the CPU


def main() -> int:
    _die_with_parent()
    sender = events.Sender(int(sys.argv[sys.argv.index("--events") + 1]))
    job = json.load(sys.stdin)
    result = events.empty_result()
    try:
        run(job, result, sender)
    except RowError as error:
        result.update(status=error.status, reason=error.reason)
    except Exception as error:  # a failure is a result with a reason
        traceback.print_exc()
        reason = Reason("exception", {"type": type(error).__name__, "message": str(error)[:2000]})
        result.update(status="out_of_memory" if _is_out_of_memory(error) else "failed", reason=reason)
    sender.send("result", result=result)
    return 0


def run(job: Dict[str, Any], result: Dict[str, Any], sender: events.Sender) -> None:
    """Fill ``result`` by timing the row and, unless the job is timing only, training it; raises what the row raises."""
    sender.send("phase", phase="prepare")
    gpu_before = nvml.read() if job["device"] == "gpu" else None
    model = load_model(job["framework"], job["row"])
    began = time.monotonic()
    backend_module = import_module("runners.{}.backend".format(job["framework"]))
    backend = backend_module.open_backend(job["device"], job["threads"])
    implementation = import_module(model.implementation)
    result["startup"] = {"import_s": time.monotonic() - began, "prepare_s": None, "first_step_s": None}
    result["environment"] = environment.describe(job["threads"], backend.versions())
    data = dataset(model.dataset).load(job["data_dir"])
    context = Context(
        backend=backend,
        model=model,
        device=job["device"],
        profile=job["profile"],
        settings=job["settings"],
        seed=job["seed"],
        data=data,
        progress=sender.progress,
        checkpoints=job["checkpoints"],
    )
    if job["prove"]:
        result.update(sameness=implementation.prove(context), status="ok")
        return
    backend.seed(job["seed"])
    began = time.monotonic()
    if job["options"] is None:
        steps = implementation.prepare(context)
    else:  # only `--tune` tries options: the row's own path knows nothing of them
        tuning = import_module("runners.{}.tuning".format(job["framework"]))
        steps, outputs = tuning.prepare(context, job["options"])
        result["outputs"] = outputs()
    result["startup"]["prepare_s"] = time.monotonic() - began
    result.update(parameters=steps.parameters, details=steps.details)
    timing = Timing(steps, backend, job["device"], Rule(**job["rule"]), sender)
    first = not job["timing_only"]
    tried = job["options"] is not None
    # Synchronization depends on code and device: a row's first process proves it, and every try of `--tune`.
    result.update(timing.run(gpu_before, with_energy=first, proves=first or tried))
    result["startup"]["first_step_s"] = result["train"]["warmup_s"][0]  # which builds and compiles
    result["first_loss"] = result["train"]["losses"][0]
    if first or tried:  # as it is in every process of these settings, and a profiled pass of a DenseNet takes seconds
        result["execution"] = dict(backend.execution(), **steps.execution())
    if first:
        began = time.monotonic()
        sender.send("phase", phase="quality")
        quality = train_to_quality(implementation, context)
        result.update(quality=quality, quality_s=time.monotonic() - began)
        result.update(complete_passes(steps, quality, result["train"], result["predict"]))
    result["status"] = "ok"


def train_to_quality(implementation: Any, context: Context) -> Quality:
    """The row's quality, with the notes of the row itself before those of its training."""
    if context.data.source.synthetic:
        return Quality(reason=Reason("synthetic-data"))
    context.backend.seed(context.seed)
    quality = implementation.train_to_quality(context)
    return quality._replace(notes=list(context.model.notes) + list(quality.notes))


def _is_out_of_memory(error: Exception) -> bool:
    return type(error).__name__ in OUT_OF_MEMORY_NAMES or any(
        words in str(error).lower() for words in OUT_OF_MEMORY_WORDS
    )


def _die_with_parent() -> None:
    """Ask the kernel to end this process with its parent (prctl(2), PR_SET_PDEATHSIG = 1)."""
    try:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    except (OSError, AttributeError):
        pass  # not Linux: the parent's own clean-up has to do


if __name__ == "__main__":
    sys.exit(main())
