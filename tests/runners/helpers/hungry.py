"""A worker whose model takes a known block of memory within each training step and gives it back."""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))))

from runners.contract import Backend, Rule, Steps
from runners.machine.files import read_text
from runners.worker import __main__ as worker
from runners.worker.timing import Timing

BLOCK = 300 << 20
PAGE = 4096

losses = iter(range(1000, 0, -1))


def train(batch):
    """One step: a fresh block, each of its pages touched."""
    block = bytearray(BLOCK)
    block[::PAGE] = bytes(BLOCK // PAGE)
    return float(next(losses))


def nothing(*arguments):
    """What a model or framework does here besides training."""


def run(job, result, sender):
    """As the worker's ``run``, with this model."""
    steps = Steps(
        train=train,
        train_batch=nothing,
        read_loss=float,
        predict=nothing,
        predict_batch=nothing,
        state=lambda: str(next(losses)).encode(),
        parameters=1,
    )
    time_only(steps, Backend(versions=dict, execution=dict, seed=nothing), job, result, sender)


def time_only(steps, backend, job, result, sender):
    """Time the steps; the size of mapped files, which are part of the resident set, goes into ``execution``."""
    result.update(Timing(steps, backend, "cpu", Rule(**job["rule"]), sender).run(None, with_energy=False, proves=False))
    mapped = int(re.search(r"^RssFile:\s+(\d+) kB", read_text("/proc/self/status"), re.MULTILINE).group(1)) * 1024
    result.update(status="ok", environment={}, execution={"mapped_files_bytes": mapped})


if __name__ == "__main__":
    worker.run = run
    sys.exit(worker.main())
