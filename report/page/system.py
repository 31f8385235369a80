"""The machine, and the code and packages behind its figures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from report.page.models import DATASETS
from report.page.rows import MachineStack
from report.records import PHASES, Data, Result
from report.sentences import said
from report.text import Joined, Number, Safe, Text, joined, message

BREAK = Safe("<br>")


class Fact(NamedTuple):
    """One line of a table of names and values; several values are listed below one another."""

    name: Text
    value: Joined


def system(group: MachineStack) -> Iterator[Fact]:
    """Yield the rows of the published System table, and what measured here."""
    environments = [result.environment for result in group.results if result.environment is not None]
    gpus = [found.gpu for found in environments if found.gpu is not None]
    unknown = message("unknown")
    processors = (
        message("{cpu}, {count} logical CPUs", cpu=found.cpu or unknown, count=str(found.logical_cpus or "?"))
        for found in environments
    )
    yield _fact("CPU", processors)
    yield _fact("Memory", (Number(f.memory_bytes, "gibibytes") for f in environments if f.memory_bytes is not None))
    if gpus:
        cards = (
            (gpu.name or unknown, unknown if gpu.memory_bytes is None else Number(gpu.memory_bytes, "gibibytes"))
            for gpu in gpus
        )
        yield _fact("GPU", map(Joined, cards))
        if any(gpu.driver for gpu in gpus):
            yield _fact(message("Driver"), (gpu.driver for gpu in gpus if gpu.driver))
    else:
        yield _fact("GPU", [message("none, so Memory and the GPU columns stay empty")])
    yield _fact("OS", (found.os for found in environments if found.os))
    used = message(
        "stack {stack}, engine {engine}, profile {profile}",
        stack=group.stack,
        engine=joined(result.engine for result in group.results),
        profile=joined(result.profile for result in group.results),
    )
    yield _fact(message("Software"), [used])


def remarks(group: MachineStack) -> Iterator[Text]:
    """Yield what limits every figure of the section."""
    results = [result for result in group.results if result.status == "ok"]
    if any(result.profile == "smoke" for result in results):
        yield message("Smoke runs only prove that everything runs: their figures mean nothing.")
    for name in dict.fromkeys(row.model.dataset for row in group.rows if row.synthetic):
        yield message(
            "The data of {data} are synthetic, because the real ones could not be fetched. No accuracy is shown for "
            "them.",
            data=DATASETS.get(name, name),
        )
    if max((len(result.phases(phase)) for result in results for phase in PHASES), default=0) == 1:
        yield message(
            "Every time comes from a single process, so there is no uncertainty to show: another process may differ."
        )


def provenance(results: Sequence[Result]) -> Iterator[Fact]:
    """Yield what made the section's results, each value once."""
    yield _fact(message("Commit"), map(_commit, results))
    started = sorted(process.started for result in results for process in result.processes if process.started)
    if started:
        yield _fact(message("Measured (UTC)"), [joined((started[0], started[-1]), " – ")])
    versions = (
        message(
            "{framework}: Python {python}; {versions}",
            framework=result.framework,
            python=result.environment.python or "?",
            versions=Joined(tuple(f"{name} {found}" for name, found in sorted(result.environment.versions.items()))),
        )
        for result in results
        if result.environment is not None
    )
    yield _fact(message("Software"), versions)
    for name, field in ((message("Environment"), "image"), (message("Lock (sha256)"), "lock_sha256")):
        values = ((result.framework, getattr(result.provenance, field)) for result in results)
        yield _fact(name, (message("{framework}: {value}", framework=of, value=value) for of, value in values if value))
    yield _fact(message("Data"), (_data(result.data) for result in results if result.data is not None))


def _data(data: Data) -> Text:
    source = message("{data}: {source}; sha256 {sha256}", data=data.name, source=data.source, sha256=data.sha256)
    return Joined((source, said(data.note)), ". ") if data.note else source


def _commit(result: Result) -> Text:
    made = result.provenance
    if made.git_commit is None:
        return message("unknown")
    return made.git_commit if made.git_clean else message("{commit}, with uncommitted changes", commit=made.git_commit)


def _fact(name: Text, values: Iterable[Text]) -> Fact:
    return Fact(name, joined(values, BREAK))
