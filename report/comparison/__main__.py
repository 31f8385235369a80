"""Compares two folders of results: writes a page and prints tables.

    python -m report.comparison --a results/old --b results/new

A folder is one of all results, of one machine (``results/<machine>``) or of one stack (``results/<machine>/<stack>``).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from report.comparison.output import terminal, write_page
from report.comparison.verdicts import compare
from report.program import OK, SOME_UNUSABLE, complain, print_lines, status
from report.records import BadInput, Loaded, load_results
from report.records.tuning import TUNING_FOLDER
from report.render.locale import LOCALES, locale, user_language
from report.text import message


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare; return the exit status: 0, 1 if some results were unusable, 2 for bad input."""
    options = _parser().parse_args(arguments)
    return status("compare", lambda: _compare(options))


def _compare(options: argparse.Namespace) -> int:
    language = locale(options.locale or user_language(os.environ))
    sides = {folder: load_side(folder) for folder in (options.a, options.b)}
    for folder, side in sides.items():
        complain("compare", [f"{folder}: {problem}" for problem in side.problems])
    comparison = compare(sides[options.a].results, sides[options.b].results)
    path = write_page(comparison, (options.a, options.b), options.site, language)
    print_lines([*terminal(comparison, language), language.plain(message("Page: {path}", path=str(path)))])
    return SOME_UNUSABLE if any(side.problems for side in sides.values()) else OK


def load_side(folder: Path) -> Loaded:
    """Return the results in ``folder``: all machines', one machine's or one stack's. Raises BadInput without any."""
    root = _results_root(folder)
    loaded = load_results(root)
    if root == folder:
        return loaded
    inside = folder.resolve()
    results = tuple(result for result in loaded.results if Path(result.path).is_relative_to(inside))
    problems = tuple(problem for problem in loaded.problems if (root / problem.file).is_relative_to(inside))
    return Loaded(results, problems)


def _results_root(folder: Path) -> Path:
    """Return the folder that contains ``<machine>/<stack>/<row>.<device>.json``; ``folder`` is it or a part of it."""
    for depth, root in enumerate((folder, folder.resolve().parent, folder.resolve().parent.parent)):
        pattern = "/".join(["*"] * (2 - depth) + ["*.[cg]pu.json"])
        if any(path.parent.name != TUNING_FOLDER for path in folder.glob(pattern)):
            return root
    reason = "contains no results" if folder.is_dir() else "is not a folder"
    raise BadInput(
        f"{folder} {reason}; name a folder with <machine>/<stack>/<row>.<device>.json, "
        "or one machine's or one stack's folder in it"
    )


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
