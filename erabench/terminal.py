"""One line for the user."""

from __future__ import annotations

import sys


def say(text: str) -> None:
    """Print a line on standard error."""
    print(f"erabench: {text}", file=sys.stderr, flush=True)
