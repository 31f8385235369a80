"""Dot charts of seconds: published beside measured, or machines beside one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from report.page import published
from report.page.build import Section
from report.page.measurements import PHASES
from report.page.summary import Overview
from report.records import Device, PhaseName
from report.render.pictures.svg import COLOURS, GREY, WIDTH, Drawing, Say, Shape, log_scale
from report.text import N_, Message, Number, Text, joined, message

Interval = tuple[float, float, float]  # value, low, high
ROW_HEIGHT = 40
SHAPES: Mapping[PhaseName, Shape] = {"train": "circle", "predict": "triangle"}
RANGES: Mapping[PhaseName, str] = {
    "train": N_("Training takes from {low} s ({row}) to {high} s ({other})."),
    "predict": N_("Prediction takes from {low} s ({row}) to {high} s ({other})."),
}
MOST_MACHINES = len(COLOURS)


@dataclass(frozen=True)
class Series:
    """Marks of one kind, at most one per row."""

    label: str
    colour: str
    shape: Shape
    hollow: bool = False
    values: dict[int, Interval] = field(default_factory=dict)  # by row


def seconds(section: Section, say: Say) -> tuple[str, Text] | None:
    """Draw the seconds per batch of one machine beside the published ones; return the picture and what it shows."""
    printed = published.seconds_per_batch()
    devices: tuple[tuple[Device, str], ...] = (("cpu", COLOURS[0]), ("gpu", COLOURS[1]))
    series: list[Series] = []
    for device, colour in devices:
        for phase, shape in SHAPES.items():
            label = f"{device.upper()}({'T' if phase == 'train' else 'P'})"
            ours = Series(label, colour, shape)
            theirs = Series("", colour, shape, hollow=True)
            for place, row in enumerate(section.group.rows):
                result = row.on(device)
                step = row.step(device, phase)
                if step and result and result.phases(phase)[0].unit == "batch":
                    ours.values[place] = (step.median_s, *step.ends)
                if (row.model.key, device, phase) in printed:
                    value = printed[row.model.key, device, phase]
                    theirs.values[place] = (value, value, value)
            series += [ours, theirs if ours.values else replace(theirs, label=label)]
    if not any(one.values for one in series if not one.hollow):
        return None
    rows = [row.name for row in section.group.rows]
    drawn = _draw(rows, [one for one in series if one.values], say, say(message("published in 2017")))
    return drawn, _described(rows, series)


def machines(overviews: Sequence[Overview], say: Say) -> tuple[str, Text] | None:
    """Draw the seconds of several machines."""
    series = []
    for overview, shape in zip(overviews, SHAPES.values(), strict=True):
        for number, line in enumerate(overview.lines):
            colour = COLOURS[number] if number < MOST_MACHINES else GREY
            values = {place: (step.median_s, *step.ends) for place, step in enumerate(line.steps) if step}
            named = shape == "circle" and number < MOST_MACHINES
            series.append(Series(line.name if named else "", colour, shape, values=values))
    rows = [name for overview in overviews[:1] for name in overview.rows]
    if not any(one.values for one in series):
        return None
    return _draw(rows, series, say, ""), _described(rows, series)


def _draw(rows: Sequence[str], series: Sequence[Series], say: Say, published_label: str) -> str:
    shown = [place for place in range(len(rows)) if any(place in one.values for one in series)]
    values = [value for one in series for value, _, _ in one.values.values()]
    drawing = Drawing(0)
    legend = [(one.label, one.shape, one.colour, one.hollow) for one in series if one.label]
    if published_label and any(one.hollow for one in series):
        legend.append((published_label, "circle", GREY, True))
    if not published_label:
        legend += [(say(Message(PHASES[phase])), shape, GREY, False) for phase, shape in SHAPES.items()]
    top = drawing.legend(16, legend)
    bottom = top + ROW_HEIGHT * len(shown)
    scale = log_scale(values, 16, WIDTH - 20)
    drawing.x_axis(scale, top, bottom)
    for number, place in enumerate(shown):
        y = top + ROW_HEIGHT * number
        drawing.line(8, y, WIDTH - 8, y, opacity=0.3)
        drawing.text(8, y + 15, say(rows[place]), bold=True)
        for one in series:
            if place in one.values:
                value, low, high = one.values[place]
                drawing.interval(scale, (low, high), y + 27, one.colour)
                drawing.marker(scale(value), y + 27, one.shape, one.colour, one.hollow)
    return drawing.above(bottom, say(message("seconds per batch, logarithmic scale")))


def _described(rows: Sequence[str], series: Sequence[Series]) -> Text:
    """What the picture shows, in words: the range of training and prediction, and how much was published."""
    parts: list[Text] = [message("Dot chart of the seconds per batch on a logarithmic scale.")]
    for phase, shape in SHAPES.items():
        found = [(v[0], place) for s in series if s.shape == shape and not s.hollow for place, v in s.values.items()]
        if found:
            (low, first), (high, last) = min(found), max(found)
            ends = (("low", Number(low, digits=2)), ("row", rows[first]), ("high", Number(high, digits=2)))
            parts.append(Message(RANGES[phase], (*ends, ("other", rows[last]))))
    printed = sum(len(one.values) for one in series if one.hollow)
    if printed:
        parts.append(message("Hollow marks: {count} published times.", count=str(printed)))
    return joined(parts, " ")
