"""A worker that times the smaller DenseNet as the profile smoke does, on images made for a test."""

import os
import sys

sys.path.insert(1, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "helpers"))

from hungry import time_only, worker
from pytorch_helpers import make_context

from runners.pytorch.densenet.row import prepare
from runners.registry import load_model


def run(job, result, sender):
    """As the worker's ``run``, but for the data."""
    context = make_context(load_model("pytorch", "densenet-24x3").settings["smoke"])
    time_only(prepare(context), context.backend, job, result, sender)


if __name__ == "__main__":
    worker.run = run
    os._exit(worker.main())  # without the teardown, in which PyTorch touches another 120 MB of its own files
