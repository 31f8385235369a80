"""``python -m report``: results in, page out."""

from __future__ import annotations

import argparse
import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from report.output import site
from report.program import OK, SOME_UNUSABLE, complain, print_lines, status
from report.records import BadInput, Loaded, Problem, Result, Tuning, load_results
from report.render import escape, terminal
from report.render.locale import LOCALES, locale, user_language


def main(arguments: Sequence[str] | None = None) -> int:
    """Make or check the page; return the exit status: 0, 1 if some results were unusable, 2 for bad input."""
    options = _parser().parse_args(arguments)
    return status("report", lambda: _report(options))


def _report(options: argparse.Namespace) -> int:
    loaded = _selected(load_results(options.results), options.machine, options.stack)
    if not loaded.results:
        raise BadInput(f"no usable result in {options.results}: measure first (make bench), or name another folder")
    if options.check and not _is_up_to_date(loaded, options):
        return SOME_UNUSABLE
    if not options.check:
        page = site.make_site(loaded, options.site, options.locale, options.results)
        width = min(shutil.get_terminal_size((terminal.WIDTH, 0)).columns, terminal.WIDTH)
        language = locale(user_language(os.environ))
        print_lines(terminal.lines(page, language, options.results, options.site / site.HTML_FILE, width))
    return SOME_UNUSABLE if loaded.problems else OK


def _is_up_to_date(loaded: Loaded, options: argparse.Namespace) -> bool:
    """Make the page in a temporary folder and print how the existing one differs from it."""
    page = options.site / site.PAGE_FILE
    with tempfile.TemporaryDirectory() as made:
        site.make_site(loaded, Path(made), options.locale, options.results)
        found = list(site.differences(Path(made), options.site))
    if not found:
        print(f"{page} is up to date.")
        return True
    for line in found:
        print(escape.terminal(line, 500), file=sys.stderr)
    fix = f"regenerate it (make page RESULTS={options.results} SITE={options.site}) and commit it"
    complain("report", [f"{page} is not what the results in {options.results} give; {fix}"])
    return False


def _selected(loaded: Loaded, machines: tuple[str, ...], stack: str | None) -> Loaded:
    """Return only the selected results, and print what is wrong with the others among the selected.

    Raises BadInput for a machine or stack that has no result.
    """

    def is_wanted(one: Problem | Result | Tuning) -> bool:
        machine, of_stack, *_ = (*one.file.split("/"), "", "")
        return (not machines or machine in machines) and (stack is None or of_stack == stack)

    problems = tuple(filter(is_wanted, loaded.problems))
    complain("report", problems)
    for kind, names, there in (
        ("machine", machines, {result.machine for result in loaded.results}),
        ("stack", (stack,) if stack else (), {result.stack for result in loaded.results}),
    ):
        missing = [name for name in names if name not in there]
        if missing:
            raise BadInput(f"no result of {kind} {', '.join(missing)}; there is {', '.join(sorted(there)) or 'none'}")
    results = tuple(filter(is_wanted, loaded.results))
    if loaded.results and not results:
        raise BadInput(f"no result of machine {', '.join(machines)} with stack {stack}; leave one of them out")
    return Loaded(results, problems, tuple(filter(is_wanted, loaded.tunings)))


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
    parser.add_argument("--stack", type=_name, metavar="S", help="only this stack")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if the page is not what the results give"
    )
    return parser


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name for name in text.split(",") if name)
    if not names:
        raise argparse.ArgumentTypeError(f"no name in '{text}'")
    return names


def _name(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("no name in ''")
    return text


if __name__ == "__main__":
    gc.disable()  # a page makes no cycles worth finding; with 10,000 results the search takes a second
    sys.exit(main())
