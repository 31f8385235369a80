"""What the report's programs share: exit statuses, lines on standard error, and output that never breaks."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence

from report.records import BadInput
from report.render import escape

OK, SOME_UNUSABLE, BAD_INPUT, STOPPED = 0, 1, 2, 130
PROBLEMS_PRINTED = 50


def status(name: str, work: Callable[[], int]) -> int:
    """Return the exit status of ``work``; what it cannot use, or cannot write, becomes a line on standard error."""
    try:
        return work()
    except (BadInput, ChildProcessError) as error:
        complain(name, [error])
    except KeyboardInterrupt:
        complain(name, ["stopped; nothing is half written"])
        return STOPPED
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        fix = "what was there is still there. Free the disk, or name a writable folder with --site"
        complain(name, [f"{place}cannot be written ({error.strerror}); {fix}"])
    return BAD_INPUT


def complain(name: str, problems: Sequence[object]) -> None:
    """Print problems on standard error; of very many the first ones."""
    more = len(problems) - PROBLEMS_PRINTED
    for problem in [*problems[:PROBLEMS_PRINTED], *([f"and {more} more problems"] if more > 0 else [])]:
        print(f"{name}: {escape.terminal(problem)}", file=sys.stderr)


def print_lines(lines: Iterable[str]) -> None:
    """Print; letters that the output lacks become question marks, and a pipe that is closed early is no error."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    try:
        for line in lines:
            print(line)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
