"""`make bench-harness`: what the harness costs, as ratios within one run, on a quiet machine.

python -m tests.harness overhead        the timing loop beside other timers (in the PyTorch environment)
python -m tests.harness noise PYTHON    A/A comparisons over fresh processes; PYTHON of the row's environment
python -m tests.harness scale PYTHON    the report as results grow; PYTHON of the report's environment
"""

from __future__ import annotations

import sys


def main() -> int:
    what, *arguments = sys.argv[1:] or ["help"]
    if what == "overhead":
        from tests.harness import overhead

        return 0 if overhead.main() else 1
    if what == "noise":
        from tests.harness import noise

        return 0 if noise.main(*arguments) else 1
    if what == "scale":
        from pathlib import Path

        from tests.harness import scale

        kept = scale.main(*arguments)
        return 0 if scale.second_bench(Path("results")) and kept else 1
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
