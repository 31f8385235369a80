"""The report's time and memory as results grow, and the time of a bench with nothing changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.report.records import ROWS, record, write

COUNTS = (8, 100, 1000, 10000)
LIMITS_S = {8: 1.0, 10000: 5.0}
LIMIT_BYTES = 300 << 20


def make_results(folder: Path, count: int) -> None:
    """``count`` results: the sample rows on both devices, on as many machines as it takes."""
    rows = [(row, device) for device in ("cpu", "gpu") for row in ROWS]
    for number in range(count):
        row, device = rows[number % len(rows)]
        write(folder, record(row, device, machine=f"machine-{number // len(rows):04}"))


def time_report(python: str, count: int) -> tuple[float, int]:
    """Seconds and peak resident bytes of ``python -m report`` over ``count`` results."""
    with tempfile.TemporaryDirectory() as folder:
        make_results(Path(folder, "results"), count)
        command = [python, "-s", "-m", "report", "--results", f"{folder}/results", "--site", f"{folder}/site"]
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        if os.waitstatus_to_exitcode(status) != 0:
            sys.exit(f"erabench: the report of {count} results failed; run it by hand: {' '.join(command)}")
        return seconds, usage.ru_maxrss * 1024


def main(python: str) -> bool:
    """Print a line a count; whether the limits were kept."""
    kept = True
    print("\nThe report, whole process")
    for count in COUNTS:
        seconds, peak = time_report(python, count)
        print(f"  {count:>6} results  {seconds:6.2f} s  {peak / 1e6:6.0f} MB")
        kept = kept and seconds <= LIMITS_S.get(count, seconds) and peak <= LIMIT_BYTES
    print(f"  limits: 8 results in 1 s, 10,000 in 5 s, 300 MiB: {'kept' if kept else 'NOT KEPT'}")
    return kept


def second_bench(results: Path) -> bool:
    """Time `make bench` on results that are all there; skipped, with the reason, where they are not."""
    print("\nA bench with nothing changed")
    if not any(results.glob("*/*/*.json")):
        print(f"  skipped: no results in {results}; run `make bench` first")
        return True
    make = shutil.which("make")
    start = time.perf_counter()
    status = subprocess.run([str(make), "bench"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
    seconds = time.perf_counter() - start
    print(f"  {seconds:.2f} s, exit status {status} (limit 5 s)")
    return seconds <= 5.0


if __name__ == "__main__":
    kept = main(*sys.argv[1:])
    sys.exit(0 if second_bench(Path("results")) and kept else 1)
