"""The few shapes that the pictures need, as SVG with text that stays text.

Every colour is a middle tone and the background is transparent, because a picture cannot know whether the page around
it is dark or light. Drawn here and not by a library: importing matplotlib takes 0.6 s, most of what a page may take.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Literal

from report.render.escape import terminal
from report.render.layout import width
from report.text import Text

GREY = "#767676"  # 4.5:1 on white and 4.6:1 on black
COLOURS = ("#2f7fb8", "#d95f02", "#1b9e77", "#8a6fc0", "#e0298a", "#8c7a1f", "#5f8f1e", "#a8703c")
"""Told apart by people who see no red or green, and beside a shape or a dash wherever two meet."""
WIDTH = 480  # on a phone of 390 pixels the text below is still 10 pixels high
FONT = 13
CHARACTER = 6.7  # its average width
MOST_POINTS = 400  # of a line
LEAST_SPAN = 1e-300  # a fraction of less may be rounded to zero

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

Say = Callable[[Text], str]  # a text in the language of the page
Anchor = Literal["start", "middle", "end"]
Shape = Literal["circle", "triangle"]


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to pixels."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Return the place of ``value``, kept within the picture."""
        low, high, value = (
            (math.log10(v) for v in (self.low, self.high, value)) if self.log else (self.low, self.high, value)
        )
        share = (value - low) / (high - low) if high > low else 0.5
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def ticks(self, most: int = 6) -> Iterator[float]:
        """Yield round values between the ends."""
        if self.log:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            step = max(1, math.ceil((last - first + 1) / most))
            yield from (10.0**exponent for exponent in range(first, last + 1, step))
            return
        span = next((one for one in (self.high - self.low, abs(self.low)) if one > LEAST_SPAN), 1.0)
        power = 10.0 ** math.floor(math.log10(span / most))
        step_ = next(power * factor for factor in (1, 2, 5, 10) if span / (power * factor) <= most)
        first = math.ceil(self.low / step_ - 1e-9)
        yield from (
            place * step_ for place in range(first, first + most + 1) if place * step_ <= self.high + 1e-9 * span
        )


def log_scale(values: Sequence[float], start: float, end: float) -> Scale:
    """Return a logarithmic scale of whole decades around positive values."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return Scale(10.0**low, 10.0 ** max(high, low + 1), start, end, log=True)


@dataclass
class Drawing:
    """A picture being drawn."""

    height: float
    shapes: list[str] = field(default_factory=list)

    def text(self, x: float, y: float, words: str, anchor: Anchor = "start", bold: bool = False) -> None:
        """Write one line; whatever the words are, they are text."""
        shown = escape(terminal(words, 60), quote=False)
        weight = ' font-weight="600"' if bold else ""
        self.shapes.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{GREY}"{weight}>{shown}</text>')

    def line(
        self, x1: float, y1: float, x2: float, y2: float, colour: str = GREY, width: float = 1, opacity: float = 1
    ) -> None:
        """Draw a straight line."""
        faint = f' stroke-opacity="{opacity:g}"' if opacity < 1 else ""
        self.shapes.append(
            f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{colour}" stroke-width="{width:g}"{faint}/>'
        )

    def curve(
        self, points: Sequence[tuple[float, float] | None], colour: str, width: float = 1.6, dash: str = ""
    ) -> None:
        """Draw a line through points, with a gap wherever there is none."""
        steps, joined = [], False
        for point in points:
            if point is not None:
                steps.append(f"{'L' if joined else 'M'}{point[0]:.1f} {point[1]:.1f}")
            joined = point is not None
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self.shapes.append(
            f'<path d="{"".join(steps)}" fill="none" stroke="{colour}" stroke-width="{width:g}"{dashed}/>'
        )

    def area(self, points: Sequence[tuple[float, float, float]], colour: str) -> None:
        """Fill the band between two heights at each place."""
        edge = [*((x, low) for x, low, _ in points), *((x, high) for x, _, high in reversed(points))]
        steps = "L".join(f"{x:.1f} {y:.1f}" for x, y in edge)
        self.shapes.append(f'<path d="M{steps}z" fill="{colour}" fill-opacity="0.2"/>')

    def points(self, points: Sequence[tuple[float, float]], colour: str) -> None:
        """Draw many small dots as one shape."""
        steps = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in points)
        self.shapes.append(
            f'<path d="{steps}" stroke="{colour}" stroke-width="3" stroke-linecap="round" stroke-opacity="0.6"/>'
        )

    def marker(self, x: float, y: float, shape: Shape, colour: str, hollow: bool = False) -> None:
        """Draw a mark of a figure; a hollow one is a published figure."""
        fill = f'fill="none" stroke="{colour}" stroke-width="1.8"' if hollow else f'fill="{colour}"'
        if shape == "circle":
            self.shapes.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{5 if hollow else 4.5}" {fill}/>')
        else:
            self.shapes.append(f'<path d="M{x:.1f} {y - 5.5:.1f}l5.5 9.5h-11z" {fill}/>')

    def interval(self, scale: Scale, ends: tuple[float, float], y: float, colour: str) -> None:
        """Draw a figure's interval, where it has one."""
        low, high = ends
        if 0 < low < high:
            self.line(scale(low), y, scale(high), y, colour, 3)

    def legend(self, entries: Sequence[tuple[str, Shape, str, bool]]) -> float:
        """Write marks with their names at the top, from left to right; return where the next line begins."""
        x, y = 8.0, 16.0
        for words, shape, colour, hollow in entries:
            wide = 18 + CHARACTER * width(words) + 12
            if x > 8 and x + wide > WIDTH:
                x, y = 8.0, y + 19
            self.marker(x, y - 4, shape, colour, hollow)
            self.text(x + 11, y, words)
            x += wide
        return y + 19

    def x_axis(self, scale: Scale, top: float, bottom: float, names: dict[float, str] | None = None) -> None:
        """Draw a grid of vertical lines with their values below."""
        for value in names or scale.ticks():
            x = scale(value)
            self.line(x, top, x, bottom, opacity=0.3)
            self.text(x, bottom + 15, (names or {}).get(value, tick(value)), "middle")

    def y_axis(self, scale: Scale, left: float, right: float, most: int = 3) -> None:
        """Draw a grid of horizontal lines with their values on the left."""
        for value in scale.ticks(most):
            y = scale(value)
            self.line(left, y, right, y, opacity=0.3)
            self.text(left - 4, y + 4, tick(value), "end")

    def above(self, bottom: float, words: str) -> str:
        """Return the picture that ends below ``bottom`` with its horizontal axis' name."""
        self.text(WIDTH / 2, bottom + 34, words, "middle")
        self.height = bottom + 42
        return self.document()

    def document(self) -> str:
        """Return the picture."""
        size = f'viewBox="0 0 {WIDTH} {self.height:.0f}" width="{WIDTH}" height="{self.height:.0f}"'
        shapes = "\n".join(self.shapes)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="system-ui, sans-serif" font-size="{FONT}">\n'
            f"{shapes}\n</svg>\n"
        )


def tick(value: float) -> str:
    """Return a value as an axis shows it: 0.001, and 10⁻⁶ where that would be long."""
    if value == 0 or 0.9999e-4 < abs(value) < 1e6:
        return f"{value:.6g}"
    mantissa, exponent = f"{value:.2g}".partition("e")[::2]
    power = f"10{str(int(exponent or 0)).translate(_SUPERSCRIPT)}"
    return power if mantissa == "1" else f"{mantissa}·{power}"


def thinned(values: Sequence[float | None]) -> list[tuple[int, float | None]]:
    """Return at most MOST_POINTS values with their places; None for what no axis can show."""
    step = max(1, math.ceil(len(values) / MOST_POINTS))
    kept = list(enumerate(values))[::step]
    return [(place, None if value is None or not abs(value) < 1e12 else value) for place, value in kept]
