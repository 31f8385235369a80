"""A/A: do complete benches of one machine, run one after the other, agree? And is a real slowdown found?

A bench times each row in rounds of fresh processes, in an order shuffled with the bench's number as its seed. Every
pair of benches is compared. The slowdown is injected into the training step (experiments/harness/slowed.py) and timed
in the same rounds. Finished processes are kept in --folder: a second call goes on where the first one stopped.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import statistics
import sys
from pathlib import Path
from typing import NamedTuple

from experiments.harness.methods import RULES, Side
from experiments.harness.processes import ROOT, VENVS, timed
from report.comparison.statistics import Shift

ALLOWED_FALSE, ASKED_FOUND = 0.05, 0.90
PHASES = ("train", "predict")


class Subject(NamedTuple):
    """A row, how many processes time it in a bench, and the slowdown that must be found."""

    framework: str
    row: str
    processes: int = 5
    slowdown: float | None = None
    profile: str = "quick"


SUBJECTS = (
    Subject("classical", "ar"),
    Subject("classical", "ar-ols", slowdown=1.1),
    Subject("classical", "ar-polyfit"),
    Subject("classical", "sarimax"),
    Subject("keras", "lstm", slowdown=1.5),
    Subject("keras", "bilstm"),
    Subject("pytorch", "densenet-24x3", processes=3, profile="smoke"),  # batches of 4: a step of about a second
)


class Job(NamedTuple):
    """One process of one bench."""

    bench: int
    round: int
    subject: Subject
    slowdown: float  # 1: the row as it is

    @property
    def file(self) -> str:
        """Where its samples are kept."""
        return f"{self.bench:02}.{self.round}.{self.subject.row}.{self.slowdown:g}.json"


def jobs(benches: int) -> list[Job]:
    """Return every process of every bench, in the order in which they run."""
    found = []
    for bench in range(1, benches + 1):
        chance = random.Random(bench)
        for number in range(1, max(subject.processes for subject in SUBJECTS) + 1):
            these = [
                Job(bench, number, subject, factor)
                for subject in SUBJECTS
                for factor in (1.0, subject.slowdown)
                if factor and number <= subject.processes
            ]
            chance.shuffle(these)
            found += these
    return found


def collect(folder: Path, benches: int) -> None:
    """Run what is not in the folder yet. Raises RuntimeError where a row cannot be timed."""
    folder.mkdir(parents=True, exist_ok=True)
    every = jobs(benches)
    for number, job in enumerate(every, 1):
        path = folder / job.file
        if path.exists():
            continue
        print(f"\rprocess {number} of {len(every)}: {job.file:<50}", end="", file=sys.stderr, flush=True)
        subject = job.subject
        python = VENVS / "cpu" / subject.framework / "bin/python"
        found = timed(
            python, subject.framework, subject.row, "--profile", subject.profile, f"--slowdown={job.slowdown}"
        )
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps({phase: found[phase]["samples_s"] for phase in PHASES}))
        draft.replace(path)
    print(file=sys.stderr)


def sides(folder: Path, benches: int, subject: Subject, slowdown: float, phase: str) -> list[Side]:
    """Return for each bench the samples of each of its processes."""
    return [
        [
            json.loads((folder / Job(bench, number, subject, slowdown).file).read_text())[phase]
            for number in range(1, subject.processes + 1)
        ]
        for bench in range(1, benches + 1)
    ]


def shifts(folder: Path, benches: int) -> dict[tuple[str, str, int, int], Shift]:
    """Return (row, phase, bench, other bench) -> the shift of that time between them."""
    fastest = {
        (subject.row, phase, bench): list(map(min, side))
        for subject, phase in itertools.product(SUBJECTS, PHASES)
        for bench, side in enumerate(sides(folder, benches, subject, 1.0, phase))
    }
    return {
        (subject.row, phase, i, j): Shift.of(fastest[subject.row, phase, i], fastest[subject.row, phase, j])
        for subject, phase in itertools.product(SUBJECTS, PHASES)
        for i, j in itertools.permutations(range(benches), 2)
    }


def evaluate(folder: Path, benches: int) -> bool:
    """Print each rule's verdicts on all pairs of benches; return whether erabench's rule keeps both limits."""
    print(f"\n{benches} benches: false verdicts / slowdowns found, in per cent of all pairs")
    print(f"| row, phase | {' | '.join(RULES)} |\n|---{'|---' * len(RULES)}|")
    totals: dict[str, list[bool]] = {name: [] for name in RULES}
    shifted = shifts(folder, benches)
    kept = True
    for subject, phase in itertools.product(SUBJECTS, PHASES):
        plain = sides(folder, benches, subject, 1.0, phase)
        slow = sides(folder, benches, subject, subject.slowdown, phase) if subject.slowdown and phase == "train" else []
        others = [other.row for other in SUBJECTS if other is not subject]
        controls = {
            (i, j): [shifted[other, name, i, j] for other, name in itertools.product(others, PHASES)]
            for i, j in itertools.permutations(range(benches), 2)
        }
        cells = []
        for name, rule in RULES.items():
            false = [
                rule(plain[i], plain[j], controls[i, j]) != "indistinguishable"
                for i, j in itertools.combinations(range(benches), 2)
            ]
            totals[name] += false
            cells.append(f"{100 * statistics.fmean(false):.0f}")
            if slow:
                found = statistics.fmean(
                    [rule(plain[i], slow[j], beside) == "slower" for (i, j), beside in controls.items()]
                )
                cells[-1] += f" / {100 * found:.0f}"
                kept = kept and (name != "erabench" or found >= ASKED_FOUND)
        factor = f", slowed {subject.slowdown:g}" if slow else ""
        print(f"| {subject.row}, {phase}{factor} | {' | '.join(cells)} |")
    print(f"| all, false | {' | '.join(f'{100 * statistics.fmean(false):.1f}' for false in totals.values())} |")
    kept = kept and statistics.fmean(totals["erabench"]) <= ALLOWED_FALSE
    limits = f"at most {100 * ALLOWED_FALSE:g} % false, at least {100 * ASKED_FOUND:g} % found"
    print(f"erabench, {limits}: {'kept' if kept else 'NOT KEPT'}")
    return kept


def main() -> int:
    """Collect and evaluate; 1 if a limit is not kept."""
    parser = argparse.ArgumentParser(prog="python -m experiments.harness noise", description=__doc__)
    parser.add_argument(
        "--benches", type=int, default=8, help="benches, at least 2 (default: 8; three quarters of an hour)"
    )
    parser.add_argument(
        "--folder", type=Path, default=ROOT / ".noise", help="keeps finished processes (default: .noise)"
    )
    asked = parser.parse_args()
    if asked.benches < 2:
        parser.error(f"--benches is {asked.benches}; give at least 2")
    try:
        collect(asked.folder, asked.benches)
    except RuntimeError as error:
        print(f"\nerabench: {error}", file=sys.stderr)
        return 1
    return 0 if evaluate(asked.folder, asked.benches) else 1


if __name__ == "__main__":
    sys.exit(main())
