"""``python -m report``: results in, page out."""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from report import escape, site
from report.documents import Problem
from report.load import Loaded, Result, ResultsUnavailable, load_results
from report.messages import LOCALES, locale
from report.page import Page, Picture, build_page, is_detailed, render_page
from report.published import published_figures
from report.rows import Group, groups
from report.tuning import Tuning

PROBLEMS_PRINTED = 50

OK, SOME_UNUSABLE, BAD_INPUT = 0, 1, 2


class UsageError(Exception):
    """Something the person can put right. The message names the culprit, the value and the cure."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Makes or checks the page; returns the exit status: 0, 1 if some results were unusable, 2 for bad input."""
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
        page = make_site(loaded, options.site, options.locale, options.results)
        _print_page(page, options)
    except (UsageError, ResultsUnavailable) as error:
        print(f"report: {escape.terminal(error)}", file=sys.stderr)
        return BAD_INPUT
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print(
            f"report: {escape.terminal(place)}cannot be written ({error.strerror}); what was there is still there. "
            f"Free the disk, or give a folder you may write to with --site",
            file=sys.stderr,
        )
        return BAD_INPUT
    return SOME_UNUSABLE if loaded.problems else OK


def make_site(loaded: Loaded, folder: Path, language: str, results: Path | None = None) -> Page:
    """Writes the page below ``folder``, and beside it the records, pictures and tables that it links to.

    The page comes last, so that it never links to what is not there yet. Raises OSError, and UsageError where the
    page's own folder would swallow the results.
    """
    assets = folder / site.ASSETS
    if assets.is_symlink() or (results is not None and results.resolve().is_relative_to(assets.resolve())):
        raise UsageError(f"{assets} is the page's own folder and gets emptied: keep the results elsewhere")
    found = tuple(groups(loaded.results))
    detailed = is_detailed(found)
    tunings = loaded.tunings if detailed else ()
    wanted = site.copy_records((*loaded.results, *tunings), assets)
    pictures = _pictures(loaded, assets, language) if detailed else ()
    wanted.update(assets.parent / picture.file for picture in pictures)
    wanted.update(_tables(found, assets))
    page = build_page(loaded.results, published_figures(), loaded.problems, pictures, tunings)
    site.write_text(folder / site.PAGE_FILE, render_page(page, language))
    site.prune(assets, wanted)
    return page


def _pictures(loaded: Loaded, assets: Path, language: str) -> tuple[Picture, ...]:
    from report.plots import draw_pictures  # matplotlib takes longer to import than the page to make

    drawn = draw_pictures(loaded.results, published_figures().seconds_a_batch(), assets, language)
    return tuple(
        Picture(
            picture.path.relative_to(assets.parent).as_posix(),
            picture.alt,
            picture.title,
            picture.machine,
            picture.stack,
        )
        for picture in drawn
    )


def _tables(found: Sequence[Group], assets: Path) -> list[Path]:
    from report.export import write_tables  # PyArrow, likewise

    return write_tables((row for group in found for row in group.rows), assets)


def _check(loaded: Loaded, options: argparse.Namespace) -> int:
    """Makes the page again elsewhere and says how what is there differs from it."""
    with tempfile.TemporaryDirectory() as made:
        make_site(loaded, Path(made), options.locale)
        found = list(site.differences(Path(made), options.site))
    if not found:
        print(f"{options.site / site.PAGE_FILE} is what the results say.")
        return SOME_UNUSABLE if loaded.problems else OK
    for line in found:
        print(escape.terminal(line, 500), file=sys.stderr)
    print(
        f"report: {options.site / site.PAGE_FILE} is not what the results in {options.results} say; "
        "make it again (make page) and commit it",
        file=sys.stderr,
    )
    return SOME_UNUSABLE


def _selected(loaded: Loaded, machines: tuple[str, ...], stack: str | None) -> Loaded:
    """Only what was asked for. Raises UsageError for a machine or stack that has no result."""
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

    results = tuple(filter(wanted, loaded.results))
    if not results:
        raise UsageError(f"no result of machine {', '.join(machines)} with stack {stack}; leave one of them out")
    problems = tuple(problem for problem in loaded.problems if _concerns(problem, machines, stack))
    return Loaded(results, problems, tuple(filter(wanted, loaded.tunings)))


def _concerns(problem: Problem, machines: tuple[str, ...], stack: str | None) -> bool:
    folders = problem.file.split("/")
    return (not machines or folders[0] in machines) and (stack is None or folders[1:2] == [stack])


def _print_problems(problems: Sequence[Problem]) -> None:
    for problem in problems[:PROBLEMS_PRINTED]:
        print(f"report: {escape.terminal(problem)}", file=sys.stderr)
    if len(problems) > PROBLEMS_PRINTED:
        print(f"report: and {len(problems) - PROBLEMS_PRINTED} more problems", file=sys.stderr)


def _print_page(page: Page, options: argparse.Namespace) -> None:
    from rich.console import Console

    from report.terminal import PLAIN_WIDTH, print_page

    words = locale(options.locale)
    with _whole_output():
        console = Console(
            width=None if sys.stdout.isatty() else PLAIN_WIDTH, highlight=False, emoji=False, markup=False
        )
        print_page(page, words, console)
        print(f"\npage     {options.site / site.PAGE_FILE}\nresults  {options.results}", flush=True)


@contextmanager
def _whole_output() -> Iterator[None]:
    """An output without Hangul gets question marks, and one that is closed early (a pipe to head) no complaint."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    try:
        yield
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m report",
        description="Makes the page from the results: pages/2017-08-05_Model-Comparison.markdown below the site's "
        "folder, and beside it the records, pictures and tables it links to.",
        epilog="Exit status: 0 all is well; 1 some results could not be used (the page is made without them), or "
        "--check found a difference; 2 bad input, and nothing was written.",
    )
    parser.add_argument("--results", type=Path, default=Path("results"), metavar="DIR", help="default: results")
    parser.add_argument("--site", type=Path, default=Path("site"), metavar="DIR", help="the Jekyll site; default: site")
    parser.add_argument("--locale", choices=LOCALES, default="ko", help="language of the page; default: ko")
    parser.add_argument("--machine", type=_names, default=(), metavar="M[,M]", help="only these machines")
    parser.add_argument("--stack", metavar="S", help="only this stack")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if the page is not what the results say"
    )
    return parser


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)


if __name__ == "__main__":
    gc.disable()  # nothing here makes cycles worth finding, and with 10,000 results the search takes a second
    status = main()
    gc.freeze()  # else the interpreter searches for them once more when it ends
    sys.exit(status)
