"""Does the harness change what it measures? Each row's times beside a plain script's, in fresh processes.

The script (experiments/harness/witnesses/) does the row's training step and prediction with the framework alone, under
the framework's own timer or timeit. Row and script run in turns with the same interpreter: A B, B A, A B … A pair
during which other processes kept a fifth of a CPU busy is discarded and run again.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from experiments.harness.processes import VENVS, timed
from report.records.spread import student
from runners import registry
from runners.machine import environment, load

SCRIPTS = Path(__file__).with_name("witnesses")
ALLOWED = 0.95, 1.05
OTHERS_BUSY = 0.2  # processors
ATTEMPTS = 3  # per pair, on average
TIME_LIMIT_S = 1200


class Witness(NamedTuple):
    """The plain script of a row, and how many pairs are run unless ``--pairs`` is given."""

    framework: str
    command: list[str]
    pairs: int = 6
    backend: str = ""  # of Keras 3, where it is not TensorFlow


WITNESSES = {
    "lstm": Witness("keras", ["lstm.py", "64", "12"]),
    "lstm-aug": Witness("keras", ["lstm.py", "64", "12"]),
    "bilstm": Witness("keras", ["lstm.py", "32", "60", "bidirectional"]),
    "lstm-pytorch": Witness("pytorch", ["lstm_pytorch.py", "64", "12"]),
    "bilstm-pytorch": Witness("pytorch", ["lstm_pytorch.py", "32", "60", "bidirectional"]),
    "lstm-jax": Witness("jax", ["lstm_jax.py", "64", "12"]),
    "bilstm-jax": Witness("jax", ["lstm_jax.py", "32", "60", "bidirectional"]),
    "lstm-keras-jax": Witness("keras_jax", ["lstm.py", "64", "12"], backend="jax"),
    "bilstm-keras-jax": Witness("keras_jax", ["lstm.py", "32", "60", "bidirectional"], backend="jax"),
    "lstm-keras-torch": Witness("keras_torch", ["lstm.py", "64", "12"], backend="torch"),
    "bilstm-keras-torch": Witness("keras_torch", ["lstm.py", "32", "60", "bidirectional"], backend="torch"),
    "ar": Witness("classical", ["autoregression.py", "ar"]),
    "ar-ols": Witness("classical", ["autoregression.py", "ols"]),
    "ar-polyfit": Witness("classical", ["autoregression.py", "polyfit"]),
    "sarimax": Witness("classical", ["sarimax.py"]),
    "densenet-24x3": Witness("pytorch", ["densenet.py", "[24,24,24]", "0.5", "32"], pairs=3),
    "densenet-24x3-keras": Witness("keras", ["densenet_keras.py"], pairs=3),
    "densenet-24x3-jax": Witness("jax", ["densenet_jax.py"], pairs=3),
    "densenet-24x3-keras-jax": Witness("keras_jax", ["densenet_keras.py"], pairs=3, backend="jax"),
    "densenet-24x3-keras-torch": Witness("keras_torch", ["densenet_keras.py"], pairs=3, backend="torch"),
    "densenet-32-24-32": Witness("pytorch", ["densenet.py", "[32,24,32]", "0.005", "16"], pairs=3),
}


class Ratio(NamedTuple):
    """A geometric mean with its 95 % interval."""

    mean: float
    low: float
    high: float

    def is_beyond(self) -> bool:
        """Whether the interval lies wholly outside what is allowed."""
        return self.high < ALLOWED[0] or self.low > ALLOWED[1]

    def __str__(self) -> str:
        return f"{self.mean:.3f} ({self.low:.3f} to {self.high:.3f})"


def ratio(harness_s: list[float], witness_s: list[float]) -> Ratio:
    """Return harness over witness from pairs of times: the mean and Student's t interval of the log ratios."""
    logarithms = [math.log(a / b) for a, b in zip(harness_s, witness_s, strict=True)]
    mean = statistics.fmean(logarithms)
    error = statistics.stdev(logarithms) / math.sqrt(len(logarithms))
    reach = student(len(logarithms) - 1)[0] * error
    return Ratio(math.exp(mean), math.exp(mean - reach), math.exp(mean + reach))


def by_harness(python: Path, key: str, device: str) -> dict[str, float]:
    """Return the row's median times from a fresh process: seconds per step, as "train_s" and "predict_s"."""
    found = timed(python, WITNESSES[key].framework, key, "--device", device)
    return {"train_s": found["train"]["median_s"], "predict_s": found["predict"]["median_s"]}


def by_witness(python: Path, key: str, device: str) -> dict[str, float]:
    """Return what the plain script prints: "train_s", "predict_s", and Keras' "fit_s".

    A script uses the GPU where its framework finds one. Nothing is set on a machine that has none.
    """
    script, *arguments = WITNESSES[key].command
    command = [python, SCRIPTS / script, *arguments]
    backend = {"KERAS_BACKEND": WITNESSES[key].backend} if WITNESSES[key].backend else {}
    hidden = {"CUDA_VISIBLE_DEVICES": ""} if device == "cpu" and environment.has_nvidia_device() else {}
    variables = {**os.environ, **backend, **hidden}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=TIME_LIMIT_S)
    if done.returncode:
        raise RuntimeError(f"{script} failed: {(done.stderr.strip().splitlines() or ['no output'])[-1]}")
    times: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return times


def run_pairs(python: Path, key: str, device: str, count: int) -> list[tuple[dict[str, float], dict[str, float]]]:
    """Return (harness, witness) of ``count`` quiet pairs, run in turns; the order is swapped in every second one.

    Raises ``RuntimeError`` if others keep the machine busy.
    """
    found: list[tuple[dict[str, float], dict[str, float]]] = []
    discarded = 0
    while len(found) < count:
        if discarded >= (ATTEMPTS - 1) * count:
            raise RuntimeError(f"{key}: {discarded} pairs discarded: others keep this machine busy; stop them")
        before = load.read()
        if len(found) % 2 == 0:
            ours, theirs = by_harness(python, key, device), by_witness(python, key, device)
        else:
            theirs, ours = by_witness(python, key, device), by_harness(python, key, device)
        busy = load.conditions(before, load.read())["other_load_cpus"] or 0.0
        quiet = busy < OTHERS_BUSY
        state = f"pair {len(found) + 1} of {count}" if quiet else "discarded"
        print(f"{key}: {state}: harness {ours}, script {theirs}, others {busy:.2f}", file=sys.stderr, flush=True)
        if quiet:
            found.append((ours, theirs))
        else:
            discarded += 1
    return found


def try_row(python: Path, key: str, device: str, count: int) -> bool:
    """Print a row's line of the table; return whether it keeps the limit."""
    harness, witness = zip(*run_pairs(python, key, device, count), strict=True)
    column = {
        name: ([one[name] for one in harness], [one[name] for one in witness]) for name in ("train_s", "predict_s")
    }
    ratios = [ratio(*column[name]) for name in ("train_s", "predict_s")]
    fit = ""
    if "fit_s" in witness[0]:
        fit = str(ratio(column["train_s"][0], [one["fit_s"] for one in witness]))
    medians = [f"{statistics.median(times):.3g}" for name in column for times in column[name]]
    print(f"| {key} | {count} | {' | '.join(medians)} | {' | '.join(map(str, ratios))} | {fit} |", flush=True)
    return not any(found.is_beyond() for found in ratios)


def main() -> int:
    """Print the table of the rows asked for; 1 if a ratio's interval lies wholly beyond 5 %."""
    parser = argparse.ArgumentParser(prog="python -m experiments.harness witness", description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help="rows to run (default: those of a bench)")
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu", help="where rows and scripts run")
    parser.add_argument("--pairs", type=int, help="pairs per row, at least 2 (default: 6, of a DenseNet 3)")
    parser.add_argument("--venvs", type=Path, default=VENVS / "cpu", help="folder with an environment per framework")
    options = parser.parse_args()
    unknown = [key for key in options.rows if key not in WITNESSES]
    if unknown:
        parser.error(f"no witness for row '{unknown[0]}'; choose from: {', '.join(WITNESSES)}")
    if options.pairs is not None and options.pairs < 2:
        parser.error(f"--pairs is {options.pairs}; give at least 2")
    print("\nThe harness over a plain script: medians in seconds per step, ratios with 95 % intervals")
    print("| row | pairs | training: harness | script | prediction: harness | script | training | prediction | fit |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    kept = True
    for key in options.rows or [row for framework in registry.frameworks().values() for row in framework.rows]:
        witness = WITNESSES[key]
        python = options.venvs / witness.framework / "bin/python"
        try:
            kept = try_row(python, key, options.device, options.pairs or witness.pairs) and kept
        except (OSError, RuntimeError, subprocess.TimeoutExpired) as error:
            print(f"erabench: {error}", file=sys.stderr)
            kept = False
    print(f"\nNo interval wholly below {ALLOWED[0]:g} or above {ALLOWED[1]:g}: {'kept' if kept else 'NOT KEPT'}")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
