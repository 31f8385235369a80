"""Dot chart of one net in every framework: seconds per training step and prediction, a block per net and device."""

from __future__ import annotations

from collections.abc import Callable

from report.page.build import Section
from report.page.measurements import PHASES
from report.records import PhaseName, figure
from report.render.pictures.svg import COLOURS, GREY, WIDTH, Drawing, Shape, log_scale
from report.text import Message, Number, Text, joined, message

Say = Callable[[Text], str]
ROW_HEIGHT = 36
MARKS: tuple[tuple[PhaseName, Shape, str], ...] = (("train", "circle", COLOURS[0]), ("predict", "triangle", COLOURS[1]))


def frameworks(section: Section, say: Say) -> tuple[str, Text] | None:
    """Draw every table of the section; return the picture and what it shows."""
    shown = [table for table in section.frameworks if len(table.lines) > 1]
    figures = [
        [[(figure(line.result, phase), shape, colour) for phase, shape, colour in MARKS] for line in table.lines]
        for table in shown
    ]
    values = [found.median_s for table in figures for line in table for found, _, _ in line if found]
    if not values:
        return None
    drawing = Drawing(0)
    top = drawing.legend(16, [(say(Message(PHASES[phase])), shape, colour, False) for phase, shape, colour in MARKS])
    bottom = top + sum(ROW_HEIGHT * len(table.lines) + 22 for table in shown)
    scale = log_scale(values, 16, WIDTH - 20)
    drawing.x_axis(scale, top, bottom)
    y, parts = top, [message("Dot chart of the seconds per batch on a logarithmic scale.")]
    for table, lines in zip(shown, figures, strict=True):
        title = message("{net} on the {device}", net=table.net, device=table.device.upper())
        drawing.text(8, y + 15, say(title), bold=True)
        y += 22
        for line, marks in zip(table.lines, lines, strict=True):
            drawing.line(8, y, WIDTH - 8, y, opacity=0.3)
            drawing.text(8, y + 14, line.name)
            for found, shape, colour in marks:
                if found:
                    low, high = found.ends
                    if 0 < low < high:
                        drawing.line(scale(low), y + 25, scale(high), y + 25, colour, 3)
                    drawing.marker(scale(found.median_s), y + 25, shape, colour)
            y += ROW_HEIGHT
        first, last = table.lines[0], table.lines[-1]
        parts.append(
            message(
                "{title}: a training step takes from {low} s ({first}) to {high} s ({last}).",
                title=title,
                low=Number(first.train.median_s, digits=2),
                first=first.name,
                high=Number(last.train.median_s, digits=2),
                last=last.name,
            )
        )
    drawing.text(WIDTH / 2, bottom + 34, say(message("seconds per batch, logarithmic scale")), "middle")
    drawing.line(8, bottom, WIDTH - 8, bottom, GREY, opacity=0.3)
    drawing.height = bottom + 42
    return drawing.document(), joined(parts, " ")
