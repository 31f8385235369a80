"""The page: built from results as data, then rendered in one language. Both steps are pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import jinja2

from report import escape, figures
from report.audit import Item, audit
from report.card_memory import CardMemory, card_memory
from report.columns import COLUMNS, Cell, PhaseName, dataset, device_text, uncertainty
from report.documents import Problem
from report.escape import Safe
from report.load import Phase, Result
from report.messages import Locale, Message, Text, locale, message
from report.protocols import NOT_A_PROTOCOL, ORDER, ProtocolTable, protocol_tables
from report.published import Published
from report.reproduction import TOLERANCES, Comparison, Verdict, compared
from report.rows import Group, Row, groups
from report.tuned import Tuned, tuned
from report.tuning import Tuning

PAGE_NAME = "2017-08-05_Model-Comparison"
"""The page's file below ``pages/``, without its ending, and the folder beside it that holds what it links to."""

DETAILED_SECTIONS = 6
"""A page about more machines and stacks has their tables and sources, but no reproduction and no pictures."""

PROBLEMS_SHOWN = 100

T = TypeVar("T")

_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the Models table."""

    row: Row
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One timed phase in full."""

    result: Result
    phase_name: PhaseName
    phase: Phase

    @property
    def threads(self) -> int | None:
        """How many threads the processor's figures were made with; None where nobody said, and of a card's."""
        environment = self.result.environment
        return environment.threads if environment is not None and self.result.device == "cpu" else None

    @property
    def joules(self) -> float | None:
        """Energy a batch; None where nobody counted, a counter stood still, or the time does not count either."""
        energy = self.result.energy
        if energy is None or not self.phase.counts:
            return None
        joules = energy.train_joules_per_batch if self.phase_name == "train" else energy.predict_joules_per_batch
        return joules if joules is not None and joules > 0 else None

    @property
    def peak_bytes(self) -> int | None:
        """The most memory that the whole process had resident during the steps; None where nobody counted."""
        return (self.result.memory.peak_resident_bytes or None) if self.result.memory else None

    @property
    def added_bytes(self) -> int | None:
        """What the steps added: the peak less what was resident before them."""
        before = self.result.memory.resident_before_bytes if self.result.memory else None
        if before is None or self.peak_bytes is None or self.peak_bytes < before:
            return None
        return self.peak_bytes - before


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture below the page's folder. ``alt`` and ``caption`` are untrusted: they hold names from the results."""

    file: str
    alt: str
    caption: str
    machine: str = ""
    stack: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """What the page says of one machine with one stack."""

    place: int  # 1 for the first
    group: Group
    system: tuple[tuple[Text, tuple[Text, ...]], ...]
    lines: tuple[Line, ...]
    notes: tuple[Message, ...]  # of the Models table
    more_notes: tuple[Message, ...]  # of the reproduction table, those that are new there
    numbers: Mapping[Message, int]  # of both, from 1: the marks on the cells
    comparisons: tuple[Comparison, ...]
    protocols: tuple[ProtocolTable, ...]
    measurements: tuple[Measurement, ...]
    card_memory: tuple[CardMemory, ...]
    tuned: tuple[Tuned, ...]
    provenance: tuple[tuple[Text, tuple[Text, ...]], ...]

    @property
    def names(self) -> tuple[str, str]:
        """Machine and stack."""
        return self.group.machine, self.group.stack

    @property
    def smoke(self) -> bool:
        """Whether any figure comes from a run that only proves the plumbing."""
        return any(result.profile == "smoke" for result in self.group.results)

    @property
    def synthetic(self) -> tuple[str, ...]:
        """Data sets for which generated data stood in."""
        return _distinct(row.model.dataset for row in self.group.rows if row.synthetic)

    @property
    def profiles(self) -> tuple[str, ...]:
        """The profiles of the results."""
        return _distinct(result.profile for result in self.group.results)

    @property
    def engines(self) -> tuple[str, ...]:
        """The engines of the results."""
        return _distinct(result.engine for result in self.group.results)

    @property
    def processors(self) -> tuple[Text, ...]:
        """The processors of the results, one if all is well."""
        return dict(self.system)["CPU"]

    @property
    def cards(self) -> tuple[Text, ...]:
        """The graphics cards, or the words for none."""
        return dict(self.system)["GPU"]

    @property
    def failures(self) -> int:
        """How many results have failed in whatever way."""
        return sum(result.status not in ("ok", "skipped") for result in self.group.results)

    @property
    def energy_sources(self) -> tuple[str, ...]:
        """What counted the energy of any phase; empty where nothing did."""
        return _distinct(m.result.energy.source for m in self.measurements if m.joules is not None and m.result.energy)

    @property
    def threads_known(self) -> bool:
        """Whether any row of the measurements says how many threads made it."""
        return any(m.threads is not None for m in self.measurements)

    def verdict_count(self, verdict: Verdict) -> int:
        """How many published figures got this verdict."""
        return sum(comparison.verdict == verdict for comparison in self.comparisons)

    def count(self, status: str) -> int:
        """How many results ended so."""
        return sum(result.status == status for result in self.group.results)


@dataclass(frozen=True, slots=True)
class Page:
    """Everything the page says, before it has a language."""

    sections: tuple[Section, ...]
    audit: tuple[Item, ...]
    published: Published
    problems: tuple[Problem, ...] = ()
    pictures: tuple[Picture, ...] = field(default=())


def build_page(
    results: Iterable[Result],
    published: Published,
    problems: Sequence[Problem] = (),
    pictures: Sequence[Picture] = (),
    tunings: Sequence[Tuning] = (),
) -> Page:
    """The page about ``results``: one section a machine and stack, and what is wrong with the published table."""
    results = tuple(results)
    found = tuple(groups(results))
    detailed = is_detailed(found)
    beside: dict[tuple[str, str], list[Tuning]] = {}
    for tuning in tunings if detailed else ():
        beside.setdefault((tuning.machine, tuning.stack), []).append(tuning)
    sections = tuple(
        _section(place, group, published, detailed, beside.get((group.machine, group.stack), ()))
        for place, group in enumerate(found, 1)
    )
    return Page(sections, audit(published, results), published, tuple(problems), tuple(pictures))


def is_detailed(found: Sequence[Group]) -> bool:
    """Whether a page about these groups is short enough to say everything of each."""
    return len(found) <= DETAILED_SECTIONS


def render_page(page: Page, language: str) -> str:
    """The page as Markdown for Jekyll, front matter included, in "ko" or "en"."""
    words = locale(language)
    template = _templates().get_template("page.md.j2")
    return template.render(
        page=page,
        columns=COLUMNS,
        tolerances=TOLERANCES,
        verdicts=tuple(Verdict),
        problems_shown=PROBLEMS_SHOWN,
        language=language,
        several=len(page.sections) > 1,
        detailed_sections=DETAILED_SECTIONS,
        box=_box,
        stacked=lambda values: Safe("<br>".join(words.markdown(value) for value in values)),
        listed=lambda values: Safe(", ".join(words.markdown(value) for value in values)),
        dataset=dataset,
        device=lambda name, threads: words.markdown(device_text(name, threads)),
        baseline=lambda name: message(f"baseline.{name}") if f"baseline.{name}" in words.sentences else name,
        metric=lambda name: message(f"metric.{name}") if f"metric.{name}" in words.sentences else name,
        say=words.markdown,
        t=lambda key, **values: words.markdown(message(key, **values)),
        figure=lambda text, source: _figure(text, source, words),
        spread=lambda value, quartiles, source: _spread(value, quartiles, source, words),
        table=lambda label, name: escape.link(label, f"{PAGE_NAME}/{name}"),
        marks=_marks,
        protocol=_protocol,
        median=lambda phase: figures.rounded(phase.median_s, uncertainty(phase)),
        interval=_interval,
        percent=figures.percent,
        joules=lambda value: Safe("") if value is None else figures.significant(value, 3),
        ratio=figures.ratio,
        tolerance=lambda value: Safe(f"{value:g}"),
        megabytes=lambda count: Safe("") if count is None else figures.megabytes(count),
    )


def _box(label: str) -> Safe:
    """Opens a box in which a table too wide for its column scrolls, by keyboard too; ``</div>`` closes it.

    keep-all, or a narrow column would break Korean words at every syllable.
    """
    named = escape.text(label, escape.LINE)
    style = "overflow-x: auto; word-break: keep-all"
    return Safe(f'<div style="{style}" markdown="1" tabindex="0" role="region" aria-label="{named}">')


def _figure(text: Text, source: Result | Tuning | None, words: Locale) -> Safe:
    """A figure, linked to the JSON it came from."""
    shown = words.markdown(text)
    return escape.link(shown, f"{PAGE_NAME}/{source.file}") if source is not None and shown else shown


def _spread(value: float | None, quartiles: Sequence[float], source: Result, words: Locale) -> Safe:
    """An error with its quartiles over the origins in brackets; empty where there is none."""
    if value is None:
        return Safe("")
    shown = _figure(figures.significant(value, 3), source, words)
    between = "–".join(figures.significant(one, 3) for one in quartiles)
    return Safe(f"{shown} ({between})") if between else shown


def _marks(section: Section, notes: Sequence[Message]) -> Safe:
    """The numbers of a cell's notes, linked to them. In brackets, so that without a style sheet 0.3 [7] is not 0.37."""
    numbers = sorted({section.numbers[note] for note in notes})
    joined = "".join(f'<a href="#note-{section.place}-{number}">[{number}]</a>' for number in numbers)
    return Safe(f"<sup>{joined}</sup>" if joined else "")


def _protocol(name: str | None) -> Text:
    return message(f"protocol.{name}") if name in (*ORDER, *NOT_A_PROTOCOL) else name or message("protocol.unknown")


def _interval(phase: Phase) -> Safe:
    if phase.interval_s is None:
        return Safe("")
    spread = figures.half_width(phase.interval_s)
    low, high = (figures.rounded(end, spread and spread / 10) for end in phase.interval_s)
    return Safe(f"{low}–{high}")


def _section(place: int, group: Group, published: Published, detailed: bool, tunings: Sequence[Tuning]) -> Section:
    lines = tuple(Line(row, tuple(column.format(row) for column in COLUMNS)) for row in group.rows)
    comparisons = tuple(compared(group, published)) if detailed else ()
    notes = _distinct(note for line in lines for cell in line.cells for note in cell.notes)
    numbers = {note: number for number, note in enumerate(notes, 1)}
    more_notes = _distinct(note for c in comparisons for note in c.reasons if note not in numbers)
    numbers.update((note, number) for number, note in enumerate(more_notes, len(notes) + 1))
    return Section(
        place=place,
        group=group,
        system=tuple(_system(group.results)),
        lines=lines,
        notes=notes,
        more_notes=more_notes,
        numbers=MappingProxyType(numbers),
        comparisons=comparisons,
        protocols=tuple(protocol_tables(group, published)) if detailed else (),
        measurements=tuple(_measurements(group)) if detailed else (),
        card_memory=tuple(card_memory(group.results)) if detailed else (),
        tuned=tuple(tuned(tuning) for tuning in tunings),
        provenance=tuple(_provenance(group.results)),
    )


def _measurements(group: Group) -> Iterable[Measurement]:
    for result in group.results:
        if result.timing is not None:
            if result.timing.train is not None:
                yield Measurement(result, "train", result.timing.train)
            if result.timing.predict is not None:
                yield Measurement(result, "predict", result.timing.predict)


def _system(results: Sequence[Result]) -> Iterable[tuple[Text, tuple[Text, ...]]]:
    environments = [result.environment for result in results if result.environment is not None]
    cpus = (
        message("system.cpu", cpu=e.cpu or message("system.unknown"), cores=f"{e.cores or '?'}") for e in environments
    )
    cards = (
        message("system.gpu", gpu=e.gpu.name or message("system.unknown"), memory=_gigabytes(e.gpu.memory_bytes))
        for e in environments
        if e.gpu is not None
    )
    yield "CPU", _distinct(cpus)
    yield "Memory", _distinct(_gigabytes(e.memory_bytes) for e in environments if e.memory_bytes is not None)
    yield "GPU", _distinct(cards) or (message("system.no-gpu"),)
    drivers = _distinct(e.gpu.driver for e in environments if e.gpu is not None and e.gpu.driver)
    if drivers:
        yield message("system.driver"), drivers
    yield "OS", _distinct(e.os for e in environments if e.os)


def _provenance(results: Sequence[Result]) -> Iterable[tuple[Text, tuple[Text, ...]]]:
    """What made the section's results, each value once."""
    yield (
        message("provenance.commit"),
        _distinct(
            message(
                "provenance.clean" if r.provenance.git_clean else "provenance.unclean",
                commit=r.provenance.git_commit or message("system.unknown"),
            )
            for r in results
        ),
    )
    yield message("provenance.stack"), _distinct(r.stack for r in results)
    yield message("provenance.engine"), _distinct(r.engine for r in results)
    yield message("provenance.profile"), _distinct(r.profile for r in results)
    started = sorted(r.started for r in results if r.started)
    if started:
        yield message("provenance.started"), _distinct((started[0], started[-1]))
    yield (
        message("provenance.software"),
        _distinct(
            message(
                "provenance.versions", framework=r.framework, python=r.environment.python or "?", versions=_versions(r)
            )
            for r in results
            if r.environment is not None
        ),
    )
    yield (
        message("provenance.image"),
        _distinct(
            message("provenance.of", framework=r.framework, value=r.provenance.image or message("provenance.no-image"))
            for r in results
        ),
    )
    yield (
        message("provenance.lock"),
        _distinct(
            message("provenance.of", framework=r.framework, value=r.provenance.lock_sha256)
            for r in results
            if r.provenance.lock_sha256
        ),
    )
    yield (
        message("provenance.data"),
        _distinct(
            message("provenance.source", data=r.data.name, source=r.data.source, sha256=r.data.sha256)
            for r in results
            if r.data is not None
        ),
    )


def _versions(result: Result) -> str:
    versions = result.environment.versions if result.environment else {}
    return ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))


def _gigabytes(count: int | None) -> Text:
    """Bytes as "32GB" (2^30 bytes, as memory is sold)."""
    if count is None:
        return message("system.unknown")
    return Safe(f"{count / 2**30:.0f}GB") if count < 2**60 else Safe(f"{count / 2**30:.1e}GB")


def _distinct(values: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(values))


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        finalize=escape.finalize,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
