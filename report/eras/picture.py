"""Seconds against years: one picture per net."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from report.eras.years import Eras, Line, Net
from report.page.measurements import PHASE_NAMES
from report.records import Figure, PhaseName
from report.render.pictures.dots import SHAPES
from report.render.pictures.svg import COLOURS, WIDTH, Drawing, Scale, log_scale
from report.text import Number, Text, joined, message

LEFT, HEIGHT = 52, 190
PER = {
    "fit": message("seconds per fit or batch, logarithmic scale"),
    "batch": message("seconds per batch, logarithmic scale"),
}
DASHES: Mapping[PhaseName, str] = {"train": "", "predict": "4 3"}


def draw(eras: Eras, net: Net, say: Callable[[Text], str]) -> tuple[str, Text] | None:
    """Draw a net's times with their intervals; return the picture and its description. None without two times."""
    series = [(line, phase, found) for line in net.lines for phase in SHAPES if len(found := times(line, phase)) > 1]
    if not series:
        return None
    names = list(dict.fromkeys(line.name for _, line, _ in eras.points))  # a framework has one colour in all pictures
    drawing = Drawing(0)
    legend = [
        (f"{line.name}: {say(PHASE_NAMES[phase])}", SHAPES[phase], COLOURS[names.index(line.name) % len(COLOURS)])
        for line, phase, _ in series
    ]
    top = drawing.legend([(*entry, False) for entry in legend])
    bottom = top + HEIGHT
    y = log_scale([one.median_s for _, _, found in series for one in found.values()], bottom, top)
    x = Scale(int(eras.years[0]), int(eras.years[-1]), LEFT + 14, WIDTH - 22)
    drawing.x_axis(x, top, bottom, {float(year): year for year in eras.years})
    drawing.y_axis(y, LEFT, WIDTH - 8, most=5)
    for (_, phase, found), (_, shape, colour) in zip(series, legend, strict=True):
        places = [(x(year), found.get(year)) for year in map(int, eras.years)]
        drawing.area([(at, y(one.ends[0]), y(one.ends[1])) for at, one in places if one], colour)
        drawing.curve([(at, y(one.median_s)) if one else None for at, one in places], colour, 1.6, DASHES[phase])
        for at, one in places:
            if one:
                drawing.marker(at, y(one.median_s), shape, colour)
    return drawing.above(bottom, say(PER[net.unit])), described(net, series)


def times(line: Line, phase: PhaseName) -> dict[int, Figure]:
    """Return the figures of a line by year."""
    return {int(point.year): point.times[phase] for point in line.points if phase in point.times}


def described(net: Net, series: Sequence[tuple[Line, PhaseName, Mapping[int, Figure]]]) -> Text:
    """Return what the picture shows, in words."""
    parts: list[Text] = [message("{net}: line chart of seconds by year on a logarithmic scale.", net=net.title)]
    for line, phase, found in series:
        first, last = min(found), max(found)
        parts.append(
            message(
                "{line}, {phase}: {before} s in {first}, {after} s in {last}.",
                line=line.name,
                phase=PHASE_NAMES[phase],
                before=Number(found[first].median_s, digits=2),
                first=str(first),
                after=Number(found[last].median_s, digits=2),
                last=str(last),
            )
        )
    return joined(parts, " ")
