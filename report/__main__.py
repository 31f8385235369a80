"""``python -m report``: results in, page out."""

from __future__ import annotations

import argparse
import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from report.eras import output as eras
from report.output import site
from report.page.build import Page
from report.records import Loaded, Problem, Result, ResultsUnavailable, Tuning, load_results
from report.render import escape, terminal
from report.render.locale import LOCALES, locale, user_language

PROBLEMS_PRINTED = 50

OK, SOME_UNUSABLE, BAD_INPUT = 0, 1, 2


class UsageError(Exception):
    """An error that the user can correct. The message names the culprit, the value and the fix."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Make or check the page; return the exit status: 0, 1 if some results were unusable, 2 for bad input."""
    options = _parser().parse_args(arguments)
    try:
        loaded = _selected(load_results(options.results), options.machine, options.stack)
        _print_problems(loaded.problems)
        if not loaded.results:
            raise UsageError(
                f"no usable result in {options.results}: measure first (make bench), or name another folder"
            )
        if options.check:
            return _check(loaded, options)
        page = site.make_site(loaded, options.site, options.locale, options.results)
        _print_page(page, options)
    except (UsageError, ResultsUnavailable, site.OwnFolder) as error:
        print(f"report: {escape.terminal(error)}", file=sys.stderr)
        return BAD_INPUT
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print(
            f"report: {escape.terminal(place)}cannot be written ({error.strerror}); what was there is still there. "
            f"Free the disk, or name a writable folder with --site",
            file=sys.stderr,
        )
        return BAD_INPUT
    return SOME_UNUSABLE if loaded.problems else OK


def _check(loaded: Loaded, options: argparse.Namespace) -> int:
    """Make the page in a temporary folder and print how the existing one differs from it."""
    with tempfile.TemporaryDirectory() as made:
        site.make_site(loaded, Path(made), options.locale)
        found = list(site.differences(Path(made), options.site))
    page = options.site / site.PAGE_FILE
    if not found:
        print(f"{page} is up to date.")
        return SOME_UNUSABLE if loaded.problems else OK
    for line in found:
        print(escape.terminal(line, 500), file=sys.stderr)
    print(
        f"report: {page} is not what the results in {options.results} give; regenerate it (make page) and commit it",
        file=sys.stderr,
    )
    return SOME_UNUSABLE


def _selected(loaded: Loaded, machines: tuple[str, ...], stack: str | None) -> Loaded:
    """Return only the selected results. Raises UsageError for a machine or stack that has no result."""
    if not machines and stack is None:
        return loaded
    for kind, names, there in (
        ("machine", machines, {result.machine for result in loaded.results}),
        ("stack", (stack,) if stack else (), {result.stack for result in loaded.results}),
    ):
        missing = [name for name in names if name not in there]
        if missing:
            raise UsageError(f"no result of {kind} {', '.join(missing)}; there is {', '.join(sorted(there)) or 'none'}")

    def wanted(record: Result | Tuning) -> bool:
        return (not machines or record.machine in machines) and (stack is None or record.stack == stack)

    def concerns(problem: Problem) -> bool:
        folders = problem.file.split("/")
        return (not machines or folders[0] in machines) and (stack is None or folders[1:2] == [stack])

    results = tuple(filter(wanted, loaded.results))
    if not results:
        raise UsageError(f"no result of machine {', '.join(machines)} with stack {stack}; leave one of them out")
    return Loaded(results, tuple(filter(concerns, loaded.problems)), tuple(filter(wanted, loaded.tunings)))


def _print_problems(problems: Sequence[Problem]) -> None:
    for problem in problems[:PROBLEMS_PRINTED]:
        print(f"report: {escape.terminal(problem)}", file=sys.stderr)
    if len(problems) > PROBLEMS_PRINTED:
        print(f"report: and {len(problems) - PROBLEMS_PRINTED} more problems", file=sys.stderr)


def _print_page(page: Page, options: argparse.Namespace) -> None:
    width = min(shutil.get_terminal_size((terminal.WIDTH, 0)).columns, terminal.WIDTH)
    with _complete_output():
        for line in terminal.lines(page, locale(user_language(os.environ)), width):
            print(line)
        print(f"results  {options.results}")
        if page.years:
            print(f"eras     {options.site / eras.HTML}")
        print(f"page     {options.site / site.HTML_FILE}", flush=True)


@contextmanager
def _complete_output() -> Iterator[None]:
    """Print question marks where the output lacks Hangul, and ignore that it is closed early (a pipe to head)."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    try:
        yield
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m report",
        description="Make the page from the results: index.html to open, pages/2017-08-05_Model-Comparison.markdown "
        "for Jekyll, and beside that the records, pictures and tables it links to, all below the site's folder.",
        epilog="Exit status: 0 success; 1 some results could not be used (the page is made without them), or "
        "--check found a difference; 2 bad input, and nothing was written.",
    )
    parser.add_argument("--results", type=Path, default=Path("results"), metavar="DIR", help="default: results")
    parser.add_argument("--site", type=Path, default=Path("site"), metavar="DIR", help="the Jekyll site; default: site")
    parser.add_argument("--locale", choices=LOCALES, default="ko", help="language of the page; default: ko")
    parser.add_argument("--machine", type=_names, default=(), metavar="M[,M]", help="only these machines")
    parser.add_argument("--stack", metavar="S", help="only this stack")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if the page is not what the results give"
    )
    return parser


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)


if __name__ == "__main__":
    gc.disable()  # a page makes no cycles worth finding; with 10,000 results the search takes a second
    sys.exit(main())
