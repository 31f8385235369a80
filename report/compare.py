"""Compares two folders of results: writes a page and prints tables.

    python -m report.compare --a results/old --b results/new

A folder is one of all results, of one machine (``results/<machine>``) or of one stack (``results/<machine>/<stack>``).
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from rich.console import Console

from report import compare_page, escape
from report.comparison import Comparison, ComparisonImpossible, compare
from report.load import CALIBRATION_FILE, Loaded, Result, ResultsUnavailable, load_results
from report.messages import LOCALES, message
from report.statistics import CalibrationError, Noise, read_calibration
from report.terminal import PLAIN_WIDTH
from report.tuning import TUNING_FOLDER

PROBLEMS_PRINTED = 50

OK, SOME_UNUSABLE, BAD_INPUT = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Compares; returns the exit status: 0, 1 if some results were unusable, 2 for bad input."""
    options = _parser().parse_args(arguments)
    folders = (options.a, options.b)
    try:
        sides = [load_side(folder) for folder in folders]
        for folder, side in zip(folders, sides, strict=True):
            for problem in side.problems[:PROBLEMS_PRINTED]:
                _complain(f"{folder}: {problem}")
            if len(side.problems) > PROBLEMS_PRINTED:
                _complain(f"{folder}: and {len(side.problems) - PROBLEMS_PRINTED} more problems")
        comparison = compare(sides[0].results, sides[1].results, noise_of)
        path = compare_page.write_page(comparison, folders, options.site, options.locale)
    except (ResultsUnavailable, ComparisonImpossible, CalibrationError) as error:
        _complain(str(error))
        return BAD_INPUT
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _complain(f"{place}cannot be written ({error.strerror}); give a folder you may write to with --site")
        return BAD_INPUT
    _print(comparison, path, options.locale)
    return SOME_UNUSABLE if any(side.problems for side in sides) else OK


def _complain(sentence: str) -> None:
    print(f"compare: {escape.terminal(sentence)}", file=sys.stderr)


def _print(comparison: Comparison, path: Path, language: str) -> None:
    """On an output that lacks Hangul with question marks; one that is closed early (a pipe to head) is no error."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    try:
        console = Console(
            width=None if sys.stdout.isatty() else PLAIN_WIDTH, highlight=False, emoji=False, markup=False
        )
        compare_page.print_tables(comparison, language, console)
        print(compare_page.words(language).plain(message("written", path=str(path))), flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def load_side(folder: Path) -> Loaded:
    """The results in ``folder``, which holds all machines, one machine's stacks or one stack's results.

    Raises ResultsUnavailable where there are none.
    """
    root = results_root(folder)
    inside = folder.resolve()
    loaded = load_results(root)
    if root == folder:
        return loaded
    results = tuple(result for result in loaded.results if result.path.is_relative_to(inside))
    problems = tuple(problem for problem in loaded.problems if (root / problem.file).is_relative_to(inside))
    return Loaded(results, problems)


def results_root(folder: Path) -> Path:
    """The folder that holds ``<machine>/<stack>/<model>.<device>.json``, of which ``folder`` is itself or a part.

    Raises ResultsUnavailable where ``folder`` holds no results.
    """
    for depth, root in enumerate((folder, folder.resolve().parent, folder.resolve().parent.parent)):
        pattern = "/".join(["*"] * (2 - depth) + ["*.[cg]pu.json"])
        if any(path.parent.name != TUNING_FOLDER for path in folder.glob(pattern)):
            return root
    reason = "holds no results" if folder.is_dir() else "is no folder"
    raise ResultsUnavailable(
        f"{folder} {reason}; name a folder with <machine>/<stack>/<model>.<device>.json, "
        "or one machine's or one stack's folder in it"
    )


_calibration = cache(read_calibration)


def noise_of(result: Result) -> Noise:
    """The noise of the result's framework on its machine, stack and device. Raises CalibrationError."""
    return _calibration(result.path.parent).of(result.device, result.framework)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m report.compare",
        description="Compare two folders of results: all machines', one machine's or one stack's.",
        epilog="Differences within a machine's own noise are no differences: `make calibrate` measures it "
        f"(<machine>/<stack>/{CALIBRATION_FILE}); without it 10 % is assumed. Exit status: 0 all is well; 1 some "
        "results could not be used; 2 bad input, and nothing was written.",
    )
    parser.add_argument("--a", type=Path, required=True, metavar="DIR", help="the results to compare with")
    parser.add_argument("--b", type=Path, required=True, metavar="DIR", help="the results to be judged")
    parser.add_argument("--site", type=Path, default=Path("site"), metavar="DIR", help="folder of the page (site)")
    parser.add_argument("--locale", choices=LOCALES, default="ko", help="language of page and tables (ko)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
