"""Dot chart of one net in every framework: seconds per training step and prediction, a block per net and device."""

from __future__ import annotations

from report.page.build import Section
from report.page.measurements import PHASES
from report.records import PhaseName, figure
from report.render.pictures.svg import COLOURS, GREY, WIDTH, Drawing, Say, Shape, log_scale
from report.text import Message, Text, joined, message

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
    scale = log_scale(values, 24, WIDTH - 20)
    drawing.x_axis(scale, top, bottom)
    y, parts = top, [message("Dot chart of the seconds per batch on a logarithmic scale.")]
    for table, lines in zip(shown, figures, strict=True):
        drawing.text(8, y + 15, say(table.title), bold=True)
        y += 22
        for line, marks in zip(table.lines, lines, strict=True):
            drawing.line(8, y, WIDTH - 8, y, opacity=0.3)
            drawing.text(8, y + 14, line.name)
            for found, shape, colour in marks:
                if found:
                    drawing.interval(scale, found.ends, y + 25, colour)
                    drawing.marker(scale(found.median_s), y + 25, shape, colour)
            y += ROW_HEIGHT
        parts.append(message("{title}: {summary}.", title=table.title, summary=table.summary))
    drawing.line(8, bottom, WIDTH - 8, bottom, GREY, opacity=0.3)
    return drawing.above(bottom, say(message("seconds per batch, logarithmic scale"))), joined(parts, " ")
