"""Measure what the harness costs and whether it keeps its limits, as ratios within one run.

python -m experiments.harness                             all parts, each in the environment that it tests
python -m experiments.harness overhead scale              some of them: overhead, witness, noise, scale, images
python -m experiments.harness witness lstm ar --pairs 8   one part with its own options (--help shows them)

`make bench-harness` runs all of it; `python3 -m erabench bench-harness PART …` one part.
"""

from __future__ import annotations

import os
import subprocess
import sys

from experiments.harness.processes import ROOT, VENVS

PARTS = ("overhead", "witness", "noise", "scale", "images")


def main() -> int:
    """Run the chosen parts, each in its own process; return 0 if every limit was kept."""
    wanted, options = sys.argv[1:] or list(PARTS), []
    if wanted[0] in ("witness", "noise"):
        wanted, options = wanted[:1], wanted[1:]
    elif {"-h", "--help"} & set(wanted):
        print(__doc__)
        return 0
    unknown = [part for part in wanted if part not in PARTS]
    if unknown:
        print(f"erabench: the harness has no part '{unknown[0]}'; choose from: {', '.join(PARTS)}", file=sys.stderr)
        return 2
    return max([abs(run(part, options)) for part in wanted])  # negative: ended by a signal


def run(part: str, options: list[str]) -> int:
    """Run one part in its environment; return its exit status."""
    python, beside = sys.executable, []
    if part == "overhead":  # its loop is timed beside PyTorch's timer, in PyTorch's environment
        python = str(VENVS / "cpu/pytorch/bin/python")
        beside = [str(path) for path in VENVS.glob("cpu/harness/lib/python3.*/site-packages")]
    environment = {**os.environ, "VENVS": str(VENVS), "PYTHONPATH": os.pathsep.join([str(ROOT), *beside])}
    command = [python, "-s", "-m", f"experiments.harness.{part}", *options]
    try:
        return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    except OSError as error:
        print(f"erabench: {python}: {error.strerror}; make bench-harness makes it", file=sys.stderr)
        return 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
