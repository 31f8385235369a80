"""Dot charts of seconds: published beside measured, machines beside one another, one net in every framework."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from report.page import published
from report.page.build import Section
from report.page.measurements import PHASE_NAMES
from report.page.reproduction import HEADINGS
from report.page.summary import Overview
from report.records import DEVICES, Figure, PhaseName, figure
from report.render.pictures.svg import COLOURS, GREY, WIDTH, Drawing, Say, Shape, log_scale
from report.text import N_, Message, Number, Text, joined, message

SHAPES: Mapping[PhaseName, Shape] = {"train": "circle", "predict": "triangle"}
RANGES: Mapping[PhaseName, str] = {
    "train": N_("Training takes from {low} s ({row}) to {high} s ({other})."),
    "predict": N_("Prediction takes from {low} s ({row}) to {high} s ({other})."),
}
SUBJECT = message("Dot chart of the seconds per batch on a logarithmic scale.")
Legend = list[tuple[str, Shape, str, bool]]


class Series(NamedTuple):
    """Marks of one kind, at most one per row."""

    label: str  # in the legend; "" is not there
    shape: Shape
    colour: str
    figures: Mapping[int, Figure]  # by row
    hollow: bool = False


class Layout(NamedTuple):
    """The height of a row, where its name and its marks are in it, and where the scale begins."""

    row: float
    name: float
    marks: float
    left: float


ALONE, BELOW_HEADINGS = Layout(40, 15, 27, 16), Layout(36, 14, 25, 24)
HEADING_HEIGHT = 22


def seconds(section: Section, say: Say) -> tuple[str, Text] | None:
    """Draw the seconds per batch of one machine beside the published ones; return the picture and what it shows."""
    known = published.seconds_per_batch()
    series = []
    for device, colour in zip(DEVICES, COLOURS, strict=False):
        for phase, shape in SHAPES.items():
            ours: dict[int, Figure] = {}
            theirs: dict[int, Figure] = {}
            for place, row in enumerate(section.group.rows):
                result, step = row.on(device), row.step(device, phase)
                timed = result.phases(phase)[0] if result and step else None
                size = timed.batch_size if timed and timed.unit == "batch" else None
                if step and size:
                    ours[place] = step
                printed, printed_size = known.get((row.model.key, device, phase), (None, None))
                if printed and size in (None, printed_size):  # two times of different batches do not belong together
                    theirs[place] = Figure(printed, None, None, 1)
            label = HEADINGS[f"{device}_{phase}"]
            series.append(Series(label if ours else "", shape, colour, ours))
            series.append(Series(label if theirs and not ours else "", shape, colour, theirs, hollow=True))
    if not any(one.figures for one in series if not one.hollow):
        return None
    legend = _legend(series)
    if any(one.figures for one in series if one.hollow):
        legend.append((say(message("published in 2017")), "circle", GREY, True))
    rows = [row.name for row in section.group.rows]
    return _draw(rows, {}, series, legend, say), _described(rows, series)


def machines(overviews: Sequence[Overview], say: Say) -> tuple[str, Text] | None:
    """Draw the seconds of several machines."""
    series = []
    for overview, shape in zip(overviews, SHAPES.values(), strict=True):
        for number, line in enumerate(overview.lines):
            colour = COLOURS[number] if number < len(COLOURS) else GREY
            figures = {place: step for place, step in enumerate(line.steps) if step}
            series.append(Series(line.name if shape == "circle" and colour != GREY else "", shape, colour, figures))
    if not series:
        return None
    legend = _legend(series)
    legend += [(say(PHASE_NAMES[phase]), shape, GREY, False) for phase, shape in SHAPES.items()]
    rows = overviews[0].rows
    return _draw(rows, {}, series, legend, say), _described(rows, series)


def frameworks(section: Section, say: Say) -> tuple[str, Text] | None:
    """Draw every table of one net in several frameworks; return the picture and what it shows."""
    tables = [table for table in section.frameworks if len(table.lines) > 1]
    lines = [line for table in tables for line in table.lines]
    if not lines:
        return None
    starts = accumulate((len(table.lines) for table in tables), initial=0)
    headings = {start: say(table.title) for start, table in zip(starts, tables, strict=False)}
    described = (message("{title}: {summary}.", title=table.title, summary=table.summary) for table in tables)
    series = []
    for (phase, shape), colour in zip(SHAPES.items(), COLOURS, strict=False):
        figures = {place: found for place, line in enumerate(lines) if (found := figure(line.result, phase))}
        series.append(Series(say(PHASE_NAMES[phase]), shape, colour, figures))
    drawn = _draw([line.name for line in lines], headings, series, _legend(series), say)
    return drawn, joined((SUBJECT, *described), " ")


def _legend(series: Sequence[Series]) -> Legend:
    return [(one.label, one.shape, one.colour, one.hollow) for one in series if one.label]


def _draw(rows: Sequence[str], headings: Mapping[int, str], series: Sequence[Series], legend: Legend, say: Say) -> str:
    shown = [place for place in range(len(rows)) if any(place in one.figures for one in series)]
    layout = BELOW_HEADINGS if headings else ALONE
    drawing = Drawing(0)
    top = drawing.legend(legend)
    bottom = top + HEADING_HEIGHT * len(headings) + layout.row * len(shown)
    scale = log_scale([found.median_s for one in series for found in one.figures.values()], layout.left, WIDTH - 20)
    drawing.x_axis(scale, top, bottom)
    y = top
    for place in shown:
        if place in headings:
            drawing.text(8, y + 15, headings[place], bold=True)
            y += HEADING_HEIGHT
        drawing.line(8, y, WIDTH - 8, y, opacity=0.3)
        drawing.text(8, y + layout.name, rows[place], bold=not headings)
        for one in series:
            if place in one.figures:
                drawing.interval(scale, one.figures[place].ends, y + layout.marks, one.colour)
                x = scale(one.figures[place].median_s)
                drawing.marker(x, y + layout.marks, one.shape, one.colour, one.hollow)
        y += layout.row
    if headings:
        drawing.line(8, bottom, WIDTH - 8, bottom, opacity=0.3)
    return drawing.above(bottom, say(message("seconds per batch, logarithmic scale")))


def _described(rows: Sequence[str], series: Sequence[Series]) -> Text:
    """What the picture shows, in words: the range of training and prediction, and how much was published."""
    parts: list[Text] = [SUBJECT]
    for phase, shape in SHAPES.items():
        ours = [one.figures.items() for one in series if one.shape == shape and not one.hollow]
        found = [(time.median_s, place) for figures in ours for place, time in figures]
        if found:
            (low, first), (high, last) = min(found), max(found)
            ends = (("low", Number(low, digits=2)), ("row", rows[first]), ("high", Number(high, digits=2)))
            parts.append(Message(RANGES[phase], (*ends, ("other", rows[last]))))
    printed = sum(len(one.figures) for one in series if one.hollow)
    if printed:
        parts.append(message("Hollow marks: {count} published times.", count=str(printed)))
    return joined(parts, " ")
