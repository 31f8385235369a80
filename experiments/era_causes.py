"""Why did the LSTM's step change from one year to the next? Times it with one suspected cause turned on or off.

    python -m experiments.era_causes keras 2018,2019,2020 --venvs .venvs
    python -m experiments.era_causes pytorch 2019,2020,2023,2024 --runs 5

Needs the environments of the years (make eras KEEP=1). Every case runs in fresh processes, in rounds over years and
cases; printed are the medians over the processes with their range, and the operations of a training step. The findings
are in docs/eras.md.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from experiments.era_cases import CASES, SKIPPED

ROOT = Path(__file__).resolve().parents[1]

Answers = dict[tuple[str, str], list[dict[str, Any]]]  # (year, case) -> one answer per process


def measured(framework: str, years: list[str], venvs: Path, runs: int) -> Answers:
    """Run every case of every year ``runs`` times, shuffled within each round; one that fails is left out."""
    plan = [(year, case) for year in years for case in CASES[framework][1]]
    answers: Answers = {}
    for number in range(runs):
        random.Random(number).shuffle(plan)
        for year, case in list(plan):
            python = venvs / year / framework / "bin" / "python"
            command = [str(python), "-s", "-m", "experiments.era_cases", framework, case]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            if done.returncode:
                reason = (done.stderr.strip().splitlines() or ["no reason"])[-1]
                failed = "does not exist" if done.returncode == SKIPPED else f"exit status {done.returncode}"
                print(f"{year} {case}: {failed}: {reason}", file=sys.stderr)
                plan.remove((year, case))
                continue
            answers.setdefault((year, case), []).append(json.loads(done.stdout.splitlines()[-1]))
    return answers


def line(year: str, case: str, found: list[dict[str, Any]], written: list[dict[str, Any]]) -> str:
    """A year's case: medians over the processes in ms, their range, and the ratio to the case as written, if it ran."""
    cells = [f"{year}  {case:<22}"]
    for phase in ("train", "predict"):
        values = [one[phase] for one in found]
        middle = statistics.median(values)
        ratio = f" x{middle / statistics.median(one[phase] for one in written):.2f}" if written else ""
        cells.append(f"{phase} {middle:7.3f} ms ({min(values):.3f} to {max(values):.3f}){ratio}")
    return "  ".join([*cells, f"{found[0]['operations'] or 'unknown'} operations"])


def main() -> int:
    """Print the table; return the exit status."""
    what = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m experiments.era_causes", description=what)
    parser.add_argument("framework", choices=sorted(CASES))
    parser.add_argument("years", help="separated by commas")
    parser.add_argument("--venvs", type=Path, default=ROOT / ".venvs", metavar="DIR", help="default: .venvs")
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="processes per case; default: 3")
    options = parser.parse_args()
    years = options.years.split(",")
    absent = [year for year in years if not (options.venvs / year / options.framework).is_dir()]
    if absent:
        parser.error(f"no environment of {options.framework} for {', '.join(absent)}: run make eras KEEP=1 first")
    answers = measured(options.framework, years, options.venvs.resolve(), options.runs)
    for year in years:
        written = answers.get((year, "as written"), [])
        for case in CASES[options.framework][1]:
            if (year, case) in answers:
                print(line(year, case, answers[year, case], written))
        for name, count, spent in written[0]["longest"] if written else ():
            print(f"        {spent:8.3f} ms  {count:5} x {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
