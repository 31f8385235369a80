"""What may grow no faster than in proportion: the report's time and memory with its results, the time of a bench that
has nothing left to measure with its rows and with the machines beside it, and that of a record with its samples.

A further unit may cost at most half as much again as one did a step before. Differences are compared, so that what is
paid once, such as starting Python, falls out; of several runs the best counts.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from experiments.harness.processes import ROOT, VENVS
from runners.parent.store import Place

EXAMPLE = ROOT / "docs/example/results"
COUNTS = {9: 3, 100: 3, 1000: 3, 10000: 2}  # results -> runs
LIMITS_S = {9: 1.0, 10000: 5.0}
LIMIT_BYTES = 300e6
MODELS = ("ar-ols", "ar-polyfit", "ar", "sarimax")
MACHINES = (1, 10, 100)
SAMPLES = (10, 100, 1000, 10000)
KEPT_SAMPLES = 40  # of each phase in a multiplied record; a process of a bench keeps 4 to 2,000
RUNS = 7

MORE = 1.5  # times the cost of a unit, from one step to the next
NOISE = 0.1  # of a figure: where hardly anything grows, the best of several runs still differ by this


class Scale(NamedTuple):
    """How a quantity is printed: a total, and what one unit adds to it."""

    figure: Callable[[float], str]
    added: Callable[[float], str]


SECONDS = Scale(lambda value: f"{value:9.4f} s ", lambda value: f"{1e6 * value:+9.1f} µs")
BYTES = Scale(lambda value: f"{value / 1e6:9.1f} MB", lambda value: f"{value / 1e3:+9.1f} kB")


def is_linear(costs: dict[int, float], noise: float) -> bool:
    """Whether a unit of the last step costs at most ``MORE`` times what one of the step before does."""
    few, some, many = sorted(costs)[-3:]
    a_unit = max(0.0, costs[some] - costs[few]) / (some - few)
    return costs[many] - costs[some] <= MORE * a_unit * (many - some) + noise * costs[many]


def show(of: str, unit: str, costs: dict[int, float], scale: Scale, noise: float = NOISE) -> bool:
    """Print a line per count, and the compared steps with the cost of a unit; return whether growth was linear."""
    kept = is_linear(costs, noise)
    print(f"\n  {of}")
    counts = sorted(costs)
    for place, count in enumerate(counts):
        line = f"  {count:>8}{scale.figure(costs[count])}"
        if place >= len(counts) - 2:
            before = counts[place - 1]
            line += f"{scale.added((costs[count] - costs[before]) / (count - before))} per {unit}"
        print(line)
    print(f"  linear: {'kept' if kept else 'NOT KEPT'}")
    return kept


def records() -> list[dict[str, Any]]:
    """Return the records of the committed example's bench of nine rows, with ``KEPT_SAMPLES`` samples per phase."""
    found = [json.loads(path.read_text()) for path in sorted(EXAMPLE.glob("*/cpu/*.json"))]
    found = [record for record in found if not record["model"].get("twin_of")]
    for record in found:
        for phase in (process[name] for process in record["processes"] for name in ("train", "predict")):
            for series in ("samples_s", "warmup_s", "losses"):
                phase[series] = phase[series][:KEPT_SAMPLES]
    return found


def make_results(folder: Path, count: int) -> None:
    """Write ``count`` results: the example's rows, on as many machines as it takes."""
    rows = records()
    for number in range(count):
        record = rows[number % len(rows)]
        name = f"{record['model']['key']}.{record['device']}.json"
        path = folder / f"machine-{number // len(rows):04}" / record["stack"] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record))


def time_report(python: str, results: Path) -> tuple[float, int]:
    """Seconds and peak resident bytes of ``python -m report``."""
    with tempfile.TemporaryDirectory() as site:
        command = [python, "-s", "-m", "report", "--results", str(results), "--site", site]
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        if os.waitstatus_to_exitcode(status) != 0:
            sys.exit(f"erabench: the report of {results} failed; run it by hand: {' '.join(command)}")
        return seconds, usage.ru_maxrss * 1024


def report_grows(python: str) -> bool:
    """Whether the report keeps its limits and grows with its results."""
    print("\nThe report, whole process, as results grow")
    seconds, peaks = {}, {}
    for count, runs in COUNTS.items():
        with tempfile.TemporaryDirectory() as folder:
            make_results(Path(folder), count)
            found = [time_report(python, Path(folder)) for _ in range(runs)]
        seconds[count], peaks[count] = (min(values) for values in zip(*found, strict=True))
    linear = [show("time", "result", seconds, SECONDS, 0), show("memory at most", "result", peaks, BYTES, 0)]
    within = all(seconds[count] <= limit for count, limit in LIMITS_S.items() if count in seconds)
    within = within and max(peaks.values()) <= LIMIT_BYTES
    print(f"  limits: 9 results in 1 s, 10,000 in 5 s, 300 MB: {'kept' if within else 'NOT KEPT'}")
    return within and all(linear)


def in_turns(jobs: dict[int, Callable[[], float]]) -> dict[int, float]:
    """Return the shortest time of each job over ``RUNS`` rounds; if the machine slows down, it slows all jobs."""
    found = [{count: job() for count, job in jobs.items()} for _ in range(RUNS)]
    return {count: min(seconds[count] for seconds in found) for count in jobs}


def measuring(python: str, results: Path, rows: tuple[str, ...]) -> list[str]:
    """Return the command that measures the classical rows."""
    command = [python, "-s", "-m", "runners", "classical", "--devices", "cpu", "--profile", "smoke"]
    return [*command, "--machine", "here", "--results", str(results), "--rows", ",".join(rows)]


def time_bench(python: str, results: Path, rows: tuple[str, ...]) -> float:
    """Return the seconds of the runners' parent that finds every row measured before."""
    command = measuring(python, results, rows)
    start = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if done.returncode != 0 or any(row["measured"] for row in json.loads(done.stdout)["rows"]):
        sys.exit(f"erabench: not every row was found again; run it by hand: {' '.join(command)}\n{done.stderr}")
    return seconds


def bench_grows(python: str) -> bool:
    """Whether a bench with nothing to measure grows with its rows, and not with the machines beside it."""
    print("\nA bench with every row measured before: the runners' parent, whole process")
    with tempfile.TemporaryDirectory() as folder:
        alone = Path(folder, "alone")
        measure = measuring(python, alone, MODELS)
        done = subprocess.run(measure, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"erabench: the rows could not be measured: {' '.join(measure)}\n{done.stderr}")
        rows = in_turns({count: partial(time_bench, python, alone, MODELS[:count]) for count in (1, 2, 4)})
        beside = {count: Path(folder, str(count)) for count in MACHINES}
        for count, out in beside.items():
            shutil.copytree(alone, out)
            make_results(out, len(records()) * count)
        machines = in_turns({count: partial(time_bench, python, out, MODELS) for count, out in beside.items()})
    by_rows = show("rows", "row", rows, SECONDS)
    show("other machines in the results, 9 rows each", "machine", machines, SECONDS)
    flat = machines[MACHINES[-1]] <= (1 + NOISE) * machines[MACHINES[0]]
    print(f"  the same, however many there are: {'kept' if flat else 'NOT KEPT'}")
    return flat and by_rows


def time_store(samples: int) -> float:
    """Return the seconds to save one record and to find it again."""
    record = copy.deepcopy(records()[0])
    for phase in (process[name] for process in record["processes"] for name in ("train", "predict")):
        phase["samples_s"] = [0.01 + 1e-9 * number for number in range(samples)]
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder, record["model"]["key"], record["device"])
        for _ in range(4 * RUNS):
            start = time.perf_counter()
            place.save(record)
            found = place.find(record, lambda document: True)
            seconds.append(time.perf_counter() - start)
            if found != record:
                sys.exit(f"erabench: a record of {samples} samples was not found again as it was saved")
    return min(seconds)


def store_grows() -> bool:
    """Whether a record costs in proportion to its samples."""
    print("\nA record, saved and found again")
    return show("samples per phase", "sample", {samples: time_store(samples) for samples in SAMPLES}, SECONDS)


def second_bench(results: Path) -> bool:
    """Time `make bench` on results that are complete; skipped, with the reason, where there are none."""
    print("\nA bench with nothing changed")
    if not any(results.glob("*/*/*.json")):
        print(f"  skipped: no results in {results}; run `make bench` first")
        return True
    start = time.perf_counter()
    done = subprocess.run(["make", "bench"], cwd=ROOT, capture_output=True, check=False)
    seconds = time.perf_counter() - start
    print(f"  {seconds:.2f} s, exit status {done.returncode} (limit 5 s)")
    return done.returncode == 0 and seconds <= 5.0


def main() -> bool:
    """Print all tables; return whether every limit was kept."""
    report, classical = (str(VENVS / name / "bin/python") for name in ("host", "cpu/classical"))
    kept = [
        report_grows(report),
        bench_grows(classical),
        store_grows(),
        second_bench(Path(os.environ.get("RESULTS") or ROOT / "results")),
    ]
    return all(kept)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
