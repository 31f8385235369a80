"""A worker whose model takes a known block of memory within each training step and gives it back."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from runners import environment, worker
from runners.contract import Backend, Rule, Steps

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


def run(job, record, sender):
    """As ``worker.run``, of this model."""
    steps = Steps(
        train=train,
        train_batch=nothing,
        read_loss=float,
        predict=nothing,
        predict_batch=nothing,
        state=lambda: str(next(losses)).encode(),
        parameters=1,
    )
    time_only(steps, Backend("hungry", nothing, nothing, dict, dict, dict, nothing), job, record, sender)


def time_only(steps, backend, job, record, sender):
    """As ``worker.run`` with ``timing_only``; and what of the resident set are files that are mapped."""
    worker.time_model(steps, backend, Rule(**job["rule"]), record, None, sender)
    record.update(status="ok", kernel_path={"mapped_files_bytes": environment._status_bytes("RssFile")})


if __name__ == "__main__":
    worker.run = run
    sys.exit(worker.main())
