"""Jobs for tests of the parent and the child."""

import re
import sys

from runners.contract import result_record

PROVENANCE = {
    "git_commit": None,
    "git_clean": None,
    "code_sha256": "0" * 64,
    "lock_sha256": None,
    "image": "test",
    "fingerprint": "1" * 64,
}


def make_record(model="ar", device="cpu", profile="quick", fingerprint="1" * 64):
    """The empty record of a job."""
    return result_record(
        {
            "machine": "m",
            "stack": "cpu",
            "engine": "none",
            "profile": profile,
            "framework": "classical",
            "device": device,
            "settings": {},
            "model": {
                "key": model,
                "title": "AR",
                "params": "12 lags",
                "library": "statsmodels",
                "dataset": "airline",
                "position": 3,
                "parameters": None,
                "details": None,
            },
            "provenance": dict(PROVENANCE, fingerprint=fingerprint),
        }
    )


def make_job(**fields):
    return {"record": make_record(**fields), "rule": {}, "seed": 1, "threads": 1, "data_dir": "", "checkpoints": None}


def child(body):
    """A command that stands for the worker: ``send(text)`` writes to the pipe of events, ``job`` is what was read."""
    head = (
        "import json, os, signal, sys, time\n"
        "job = json.load(sys.stdin)\n"
        "pipe = int(sys.argv[sys.argv.index('--events') + 1])\n"
        "def send(text): os.write(pipe, text.encode() + b'\\n')\n"
    )
    return [sys.executable, "-c", head + re.sub(r"(?m)^    ", "", body)]
