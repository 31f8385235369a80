"""Jobs and results for tests of the parent and the worker."""

import re
import sys

from runners.worker.events import empty_result


def make_job(**fields):
    """A job for a worker that a test puts in place of the real one."""
    job = dict.fromkeys(("framework", "row", "device", "profile", "rule", "checkpoints", "options"))
    job.update(device="cpu", rule={}, seed=1, threads=1, data_dir="", timing_only=True, prove=False, variables={})
    return dict(job, **fields)


def make_phase(seconds, other_load=0.0):
    """A timed phase as a worker sends it, on two processors."""
    phase = {"median_s": seconds, "interval_s": [seconds, seconds], "samples_s": [seconds] * 6, "unit": "batch"}
    conditions = {"cpus": 2, "other_load_cpus": other_load, "steal_cpus": None}
    return dict(phase, losses=[0.5, 0.4], valid=True, reason=None, conditions=conditions)


def make_result(seconds=1.0, other_load=0.0, **fields):
    """The result of a process that went well, with so many processors busy beside its prediction."""
    quality = {"scores": [], "protocol": "", "accuracy_metric": ""}
    startup = {"import_s": 0.1, "prepare_s": 0.1}
    timed = {"train": make_phase(seconds), "predict": make_phase(seconds, other_load)}
    result = dict(empty_result(), status="ok", environment={"cpu": "x"}, quality=quality, startup=startup, **timed)
    return dict(result, first_loss=0.5, started="2026-01-01T00:00:00Z", duration_s=2.0, log=None, **fields)


def failed_result(key="no-result", status="failed", **values):
    """The result of a process that did not."""
    return dict(make_result(), status=status, reason={"key": key, "values": values}, train=None, predict=None)


def child(body):
    """A command in place of the worker: ``send(text)`` writes to the pipe of events, ``job`` is what was read."""
    head = (
        "import json, os, signal, sys, time\n"
        "from runners.worker.events import empty_result\n"
        "job = json.load(sys.stdin)\n"
        "pipe = int(sys.argv[sys.argv.index('--events') + 1])\n"
        "def send(text): os.write(pipe, text.encode() + b'\\n')\n"
        "result = dict(empty_result(), status='ok', train={}, predict={}, environment={})\n"
    )
    return [sys.executable, "-c", head + re.sub(r"(?m)^    ", "", body)]
