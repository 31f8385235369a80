"""The complete content of the page, built from results before translation. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from report.frameworks.tables import Table, tables
from report.page import measurements as measured
from report.page import published
from report.page.audit import Item, audit
from report.page.models import COLUMNS, Cell, Footnote
from report.page.protocols import ProtocolTable, protocol_tables
from report.page.reproduction import Comparison, Verdicts, by_verdict, compared
from report.page.rows import MachineStack, Row
from report.page.summary import Overview, overviews, summary
from report.page.system import Fact, provenance, remarks, system
from report.page.tuning import Tuned, tuned
from report.records import Problem, Tuning
from report.text import Joined, Safe, Text, joined, message, unused

PAGE_NAME = "2017-08-05_Model-Comparison"
"""The page's file below ``pages/``, without its ending, and the folder beside it with the files it links to."""

DETAILED_SECTIONS = 6
"""A page about more machines and stacks has their tables and sources, but no reproduction and no pictures of each."""

MOST_SECTIONS = 50
"""Of still more machines and stacks, the rest is in the tables for programs alone: nobody reads a thousand tables."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the Models table."""

    row: Row
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """The part of the page about one machine with one stack."""

    place: int  # from 0
    group: MachineStack
    system: tuple[Fact, ...]
    remarks: tuple[Text, ...]
    lines: tuple[Line, ...]
    comparisons: tuple[Comparison, ...]
    verdicts: tuple[Verdicts, ...]
    protocols: tuple[ProtocolTable, ...]
    measurements: tuple[measured.Measurement, ...]
    energy_sources: Joined
    gpu_memory: tuple[measured.GpuMemory, ...]
    across_nodes: tuple[measured.AcrossNodes, ...]
    warnings: tuple[measured.Warned, ...]
    unmeasured: tuple[measured.Unmeasured, ...]
    tuned: tuple[Tuned, ...]
    frameworks: tuple[Table, ...]
    notes: tuple[tuple[Row, tuple[Text, ...]], ...]
    provenance: tuple[Fact, ...]

    @property
    def anchor(self) -> Safe:
        """Its place on a page about several machines."""
        return Safe(f"section-{self.place + 1}")

    @property
    def gpus(self) -> Text:
        """The graphics cards."""
        return next((fact.value for fact in self.system if fact.name == "GPU" and self.group.has_gpu()), "–")

    @property
    def commits(self) -> Text:
        """The commits of the code that measured, as git abbreviates them."""
        found = [result.provenance.git_commit for result in self.group.results]
        return joined(commit[:12] for commit in found if commit) if any(found) else message("unknown")

    def count(self, *statuses: str) -> int:
        """Return how many results have one of these statuses."""
        return sum(result.status in statuses for result in self.group.results)


@dataclass(frozen=True, slots=True)
class Page:
    """The content of the page."""

    summary: Text
    groups: tuple[MachineStack, ...]
    detailed: bool  # whether it is short enough for all details of each machine
    sections: tuple[Section, ...]  # of the first groups
    overviews: tuple[Overview, ...]  # of several machines, those of the sections
    audit: tuple[Item, ...]
    known: tuple[published.Row, ...]
    footnotes: Mapping[Footnote, str]  # to its label, in the order of their use
    problems: tuple[Problem, ...] = ()
    years: tuple[str, ...] = ()  # of the page of eras, which this page links to


def build_page(
    groups: Iterable[MachineStack], problems: Sequence[Problem] = (), tunings: Sequence[Tuning] = ()
) -> Page:
    """Return the page about ``groups``: a summary, and one section per machine and stack."""
    found = tuple(groups)
    detailed = len(found) <= DETAILED_SECTIONS
    beside: dict[tuple[str, str], list[Tuning]] = {}
    for tuning in tunings if detailed else ():
        beside.setdefault((tuning.machine, tuning.stack), []).append(tuning)
    comparisons = [tuple(compared(group)) for group in found]
    sections = tuple(
        _section(place, group, which if detailed else (), beside.get((group.machine, group.stack), ()), detailed)
        for place, (group, which) in enumerate(zip(found[:MOST_SECTIONS], comparisons, strict=False))
    )
    return Page(
        summary(found, comparisons),
        found,
        detailed,
        sections,
        overviews(found[:MOST_SECTIONS]) if len(found) > 1 else (),
        audit([result for group in found for result in group.results]),
        published.ROWS,
        _labels(note for section in sections for line in section.lines for cell in line.cells for note in cell.notes),
        tuple(problems),
    )


def _section(
    place: int, group: MachineStack, comparisons: tuple[Comparison, ...], tunings: Sequence[Tuning], detailed: bool
) -> Section:
    names = {row.model.key: row.name for row in group.every_row}
    return Section(
        place=place,
        group=group,
        system=tuple(system(group)),
        remarks=tuple(remarks(group)),
        lines=tuple(Line(row, tuple(column.cell(row) for column in COLUMNS)) for row in group.rows),
        comparisons=comparisons,
        verdicts=by_verdict(comparisons),
        protocols=tuple(protocol_tables(group)) if detailed else (),
        measurements=tuple(measured.measurements(group)) if detailed else (),
        energy_sources=measured.energy_sources(group),
        gpu_memory=tuple(measured.gpu_memory(group)) if detailed else (),
        across_nodes=tuple(measured.across_nodes(group)) if detailed else (),
        warnings=measured.warnings(group),
        unmeasured=tuple(measured.unmeasured(group)),
        tuned=tuple(
            tuned(one, names.get(one.model.key, f"{one.model.title} ({one.model.library})")) for one in tunings
        ),
        frameworks=tuple(tables(group.results, tunings)) if detailed else (),
        notes=tuple(measured.notes(group.rows)) if detailed else (),
        provenance=tuple(provenance(group.results)),
    )


def _labels(footnotes: Iterable[Footnote]) -> dict[Footnote, str]:
    """Return a unique label for each different footnote: its name, with a number if another one has that name."""
    labels: dict[str, Footnote] = {}
    for note in dict.fromkeys(footnotes):
        name = re.sub(r"[^a-z0-9]+", "-", note.name.lower()).strip("-")[:40] or "note"
        labels[unused(name, labels, "{}-{}")] = note
    return {note: label for label, note in labels.items()}
