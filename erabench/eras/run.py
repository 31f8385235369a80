"""``make eras``: measure the rows of several years in rounds over the years, and make the page."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from erabench import options, page
from erabench.bench.rounds import Cell, run_rounds
from erabench.bench.run import checked, commit, fetch, summarize
from erabench.environments import locks
from erabench.eras import plan
from erabench.eras.engine import EraEngine, value
from erabench.eras.room import remove
from erabench.frameworks import datasets


def eras(asked: Namespace) -> int:
    """Measure the cells that are asked for and write the page; return the exit status. Raises Problem."""
    cells = plan.chosen(asked.ERA, asked.NET, asked.FRAMEWORK)
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
    outcome = run_rounds(engine.run, cells, arguments, journal.seed, journal.force, only_once=False)
    status = summarize(outcome, by_year)
    if not outcome.interrupted and not options.switched_on("KEEP"):
        for cell in cells:
            remove(cell)
    if any(results.glob("*/*/*.json")):
        status = max(status, page.make(asked))
    return status


def by_year(cell: Cell) -> str:
    """What a row is called in a message: ``2020 keras lstm``."""
    place, row, _ = cell
    return f"{place.replace('/', ' ')} {row}"
