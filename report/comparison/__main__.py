"""Compares two folders of results: writes a page and prints tables.

    python -m report.comparison --a results/old --b results/new

A folder is one of all results, of one machine (``results/<machine>``) or of one stack (``results/<machine>/<stack>``).
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from report.comparison.output import terminal, write_page
from report.comparison.verdicts import Comparison, ComparisonImpossible, compare
from report.records import Loaded, ResultsUnavailable, load_results
from report.records.tuning import TUNING_FOLDER
from report.render import escape
from report.render.locale import LOCALES, Locale, locale, user_language
from report.text import message

PROBLEMS_PRINTED = 50

OK, SOME_UNUSABLE, BAD_INPUT = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare; return the exit status: 0, 1 if some results were unusable, 2 for bad input."""
    options = _parser().parse_args(arguments)
    folders = (options.a, options.b)
    language = locale(options.locale or user_language(os.environ))
    try:
        sides = [load_side(folder) for folder in folders]
        for folder, side in zip(folders, sides, strict=True):
            for problem in side.problems[:PROBLEMS_PRINTED]:
                _complain(f"{folder}: {problem}")
            if len(side.problems) > PROBLEMS_PRINTED:
                _complain(f"{folder}: and {len(side.problems) - PROBLEMS_PRINTED} more problems")
        comparison = compare(sides[0].results, sides[1].results)
        path = write_page(comparison, folders, options.site, language)
    except (ResultsUnavailable, ComparisonImpossible) as error:
        _complain(str(error))
        return BAD_INPUT
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _complain(f"{place}cannot be written ({error.strerror}); give a folder you may write to with --site")
        return BAD_INPUT
    _print(comparison, path, language)
    return SOME_UNUSABLE if any(side.problems for side in sides) else OK


def load_side(folder: Path) -> Loaded:
    """Return the results in ``folder``: all machines', one machine's or one stack's.

    Raises ResultsUnavailable if there are none.
    """
    root = results_root(folder)
    loaded = load_results(root)
    if root == folder:
        return loaded
    inside = folder.resolve()
    results = tuple(result for result in loaded.results if Path(result.path).is_relative_to(inside))
    problems = tuple(problem for problem in loaded.problems if (root / problem.file).is_relative_to(inside))
    return Loaded(results, problems)


def results_root(folder: Path) -> Path:
    """Return the folder that contains ``<machine>/<stack>/<row>.<device>.json``; ``folder`` is it or a part of it.

    Raises ResultsUnavailable if ``folder`` contains no results.
    """
    for depth, root in enumerate((folder, folder.resolve().parent, folder.resolve().parent.parent)):
        pattern = "/".join(["*"] * (2 - depth) + ["*.[cg]pu.json"])
        if any(path.parent.name != TUNING_FOLDER for path in folder.glob(pattern)):
            return root
    reason = "contains no results" if folder.is_dir() else "is not a folder"
    raise ResultsUnavailable(
        f"{folder} {reason}; name a folder with <machine>/<stack>/<row>.<device>.json, "
        "or one machine's or one stack's folder in it"
    )


def _complain(sentence: str) -> None:
    print(f"compare: {escape.terminal(sentence)}", file=sys.stderr)


def _print(comparison: Comparison, path: Path, language: Locale) -> None:
    """Print; letters that the output lacks become question marks, and a closed pipe (to head) is no error."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    try:
        for line in terminal(comparison, language):
            print(line)
        print(language.plain(message("Page: {path}", path=str(path))), flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m report.comparison",
        description="Compare two folders of results: all machines', one machine's or one stack's.",
        epilog="Exit status: 0 success; 1 some results could not be used; 2 bad input, and nothing was written.",
    )
    parser.add_argument("--a", type=Path, required=True, metavar="DIR", help="the results to compare with")
    parser.add_argument("--b", type=Path, required=True, metavar="DIR", help="the results to be judged")
    parser.add_argument("--site", type=Path, default=Path("site"), metavar="DIR", help="folder of the page (site)")
    parser.add_argument("--locale", choices=LOCALES, help="language of page and tables (default: from LANG)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
