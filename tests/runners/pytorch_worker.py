"""A worker that times the smaller DenseNet as the profile smoke does, on images made for a test."""

import sys

from hungry import time_only
from pytorch_helpers import make_context

from runners import worker
from runners.pytorch.steps import prepare
from runners.registry import load_model


def run(job, record, sender):
    """As ``worker.run``, but for the data."""
    context = make_context(load_model("pytorch", "densenet-24x3").settings["smoke"])
    time_only(prepare(context), context.backend, job, record, sender)


if __name__ == "__main__":
    worker.run = run
    sys.exit(worker.main())
