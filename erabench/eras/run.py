"""``make eras``: measure the rows of several years in rounds over the years, and make the page."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from erabench import options, page
from erabench.bench.rounds import Row, run_rounds
from erabench.bench.run import checked, commit, fetch, summarize
from erabench.choose import choose
from erabench.environments import locks
from erabench.eras import plan
from erabench.eras.engine import EraEngine, value
from erabench.eras.room import remove
from erabench.frameworks import datasets


def eras(asked: Namespace) -> int:
    """Measure the editions that are asked for and write the page; return the exit status. Raises Problem."""
    editions = plan.chosen(asked.ERA, asked.NET, asked.FRAMEWORK)
    if asked.ENGINE:  # refused later, it would be recorded as a failure of every row
        choose(asked.ENGINE, min(editions).partition("/")[0])
    asked.DEVICE = asked.DEVICE or "cpu"
    arguments = [*checked(asked), "--seeds", "1"]
    results = options.writable("RESULTS", Path(asked.RESULTS or "results"))
    locks.host()
    machine = value(arguments, "--machine")
    identity = plan.identity(editions, [*arguments, asked.ENGINE])
    journal = plan.Journal(results / machine / plan.NAME, identity, options.switched_on("FORCE"))
    fetch(datasets(editions), options.data_folder(asked))
    engine = EraEngine(asked, editions, results, machine, journal)
    arguments += ["--commit", commit()]
    outcome = run_rounds(engine.run, editions, arguments, journal.seed, journal.force)
    status = summarize(outcome, by_year)
    if not outcome.interrupted and not options.switched_on("KEEP"):
        for edition in editions:
            remove(edition)
    if any(results.glob("*/*/*.json")):
        status = max(status, page.make(asked))
    return status


def by_year(row: Row) -> str:
    """What a row is called in a message: ``2020 keras lstm``."""
    edition, key, _ = row
    return f"{edition.replace('/', ' ')} {key}"
