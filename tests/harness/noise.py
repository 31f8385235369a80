"""A/A: does a comparison of one thing with itself say "indistinguishable", and is a real slowdown found?

Runs a real row again and again in fresh processes: a steady one (a fit of microseconds, one thread) and a restless one
(LSTM, whose threads wake one another some thousand times a second). The first runs calibrate; pairs of the others are
compared by the report's own verdict, first as they are, then with one side slowed down by three times the noise.
"""

from __future__ import annotations

import itertools
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from report.statistics import Noise, verdict
from runners.calibrate import noise_of
from runners.worker.measure import quantile

CALIBRATING, COMPARED, PAIRS = 12, 24, 200
ALLOWED_FALSE, ASKED_FOUND = 0.05, 0.90


class Shares(NamedTuple):
    """Of all comparisons, in 0..1."""

    noise: float
    false: float
    found: float


def run_once(python: Path, key: str, framework: str, folder: Path) -> list[float]:
    """The training samples of one fresh process, in seconds a step."""
    script = (
        "import json, sys, runners.__main__ as parent\n"
        "from runners import registry\n"
        "from runners.parent.child import run_child\n"
        "options = parent.parse([sys.argv[1], '--model', sys.argv[2], '--out', sys.argv[3], '--device', 'cpu'])\n"
        "parent.check(options)\n"
        "model = registry.load_model(sys.argv[1], sys.argv[2])\n"
        "source = parent.find_source(model.dataset, options, parent.Display())\n"
        "job = dict(parent.make_job(model, 'cpu', source, options), timing_only=True)\n"
        "record = run_child(job, 300, lambda event: None)\n"
        "print(json.dumps(record['timing']['train']['samples_s']))\n"
    )
    done = subprocess.run([python, "-c", script, framework, key, folder], capture_output=True, text=True, check=True)
    samples: list[float] = json.loads(done.stdout)
    return samples


def experiment(runs: list[list[float]]) -> Shares:
    """Shares of false and of found verdicts among ``PAIRS`` pairs, chosen with a fixed seed."""
    medians = [quantile(sorted(samples), 0.5) for samples in runs]
    noise = Noise(noise_of(medians[:CALIBRATING]), calibrated=True)
    pairs = list(itertools.combinations(runs[CALIBRATING:], 2))
    random.Random(2017).shuffle(pairs)
    pairs = pairs[:PAIRS]
    slowdown = 1 + 3 * noise.relative
    false = sum(verdict(a, b, noise) != "indistinguishable" for a, b in pairs)
    found = sum(verdict(a, [slowdown * value for value in b], noise) == "slower" for a, b in pairs)
    return Shares(noise.relative, false / len(pairs), found / len(pairs))


def main(classical: str, keras: str) -> bool:
    """Try both rows, given their frameworks' interpreters; whether they keep what docs/measurement.md promises."""
    return all([try_row(classical, "classical", "ar-ols"), try_row(keras, "keras", "lstm")])


def try_row(python: str, framework: str, key: str) -> bool:
    """Print a row's shares; whether they keep the promise."""
    with tempfile.TemporaryDirectory() as folder:
        runs = []
        for number in range(CALIBRATING + COMPARED):
            runs.append(run_once(Path(python), key, framework, Path(folder)))
            print(f"\r{key}: process {number + 1} of {CALIBRATING + COMPARED}", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
    shares = experiment(runs)
    kept = shares.false <= ALLOWED_FALSE and shares.found >= ASKED_FOUND
    print(f"\nA/A of {key} training over {PAIRS} pairs of {COMPARED} fresh processes, noise {100 * shares.noise:.1f} %")
    print(f"  false verdicts                        {100 * shares.false:5.1f} %   (at most {100 * ALLOWED_FALSE:g} %)")
    print(f"  found, slowed by three times the noise {100 * shares.found:4.1f} %   (at least {100 * ASKED_FOUND:g} %)")
    print(f"  {'kept' if kept else 'NOT KEPT'}")
    return kept


if __name__ == "__main__":
    sys.exit(0 if main(*sys.argv[1:]) else 1)
