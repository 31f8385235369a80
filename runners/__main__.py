"""Run parent/cli.py."""

import sys

from runners.parent.cli import main

if __name__ == "__main__":
    sys.exit(main())
