"""``make eras``: measure the rows of several years in rounds over the years, and make the page."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from erabench import options, page
from erabench.bench.rounds import Outcome, run_rounds
from erabench.bench.run import INTERRUPTED, OK, ROW_FAILED, checked, commit, fetch
from erabench.environments import locks
from erabench.eras import plan
from erabench.eras.engine import EraEngine, value
from erabench.eras.room import remove
from erabench.frameworks import datasets
from erabench.terminal import say


def eras(asked: Namespace) -> int:
    """Measure the cells that are asked for and write the page; return the exit status. Raises Problem."""
    cells = plan.chosen(asked.ERA, asked.NET)
    asked.DEVICE = asked.DEVICE or "cpu"
    arguments = [*checked(asked), "--seeds", "1"]
    results = options.writable("RESULTS", Path(asked.RESULTS or "results"))
    locks.host()
    machine = value(arguments, "--machine")
    identity = plan.identity(cells, [*arguments, asked.ENGINE])
    journal = plan.Journal(results / machine / plan.NAME, identity, options.switched_on("FORCE"))
    fetch(datasets(cells), options.data_folder(asked))
    engine = EraEngine(asked, cells, results, machine, journal)
    arguments += ["--commit", commit()]
    outcome = run_rounds(engine, cells, arguments, journal.seed, journal.force, only_once=False)
    status = summarize(outcome)
    if not outcome.interrupted and not options.switched_on("KEEP"):
        for cell in cells:
            remove(cell)
    if any(results.glob("*/*/*.json")):
        status = max(status, page.make(asked))
    return status


def summarize(outcome: Outcome) -> int:
    """Print which rows failed; return the exit status."""
    failed = [
        f"{cell.replace('/', ' ')} {row} ({now.status.replace('_', ' ')})"
        for (cell, row, _), now in outcome.cells.items()
        if now.status not in ("ok", "skipped")
    ]
    if failed:
        say(f"{len(failed)} of {len(outcome.cells)} rows failed: {', '.join(failed)}; the page has the reasons")
    if outcome.interrupted:
        return INTERRUPTED
    return ROW_FAILED if failed or outcome.broken else OK
