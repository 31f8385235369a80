"""`make bench-harness`: the loop beside other timers, the report as results grow, a bench with nothing changed."""

from __future__ import annotations

import sys

from tests.harness import overhead


def main() -> int:
    kept = overhead.main(*map(int, sys.argv[1:2]))
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
