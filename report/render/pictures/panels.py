"""Small multiples: forecasts by model, training losses by model, samples by process."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from report.page.build import Section
from report.page.measurements import PHASE_NAMES
from report.page.rows import Row
from report.records import PHASES, Quality, Result
from report.render.numbers import short_unit
from report.render.pictures.svg import COLOURS, GREY, WIDTH, Drawing, Say, Scale, thinned, tick
from report.text import N_, Message, Number, Text, joined, message

Whole = Mapping[str, Result]  # by file, with the numbers of their series
COLUMNS, LEFT, GAP = 2, 52, 58
PANEL_WIDTH = (WIDTH - LEFT - GAP - 8) / COLUMNS
PANEL_HEIGHT, PANEL_PITCH = 92, 146
MOST_PANELS = 24
PROTOCOLS = {"recursive": (COLOURS[1], "4 3", N_("recursive")), "one-step": (COLOURS[0], "", N_("one step ahead"))}


class Panel(NamedTuple):
    """The area of one small chart."""

    left: float
    top: float
    right: float
    bottom: float


def forecasts(section: Section, whole: Whole, say: Say) -> tuple[str, Text] | None:
    """Draw the airline rows' forecasts, a panel per model: the truth, recursively and one step ahead."""
    shown = [(row, lines) for row in section.group.rows if (lines := _forecasts(row, whole))]
    if not shown:
        return None
    drawing, panels = _grid(len(shown), legend=19)
    _legend(drawing, say, [(GREY, "", N_("truth")), *PROTOCOLS.values()])
    for (row, lines), panel in zip(shown, panels, strict=False):
        truth = lines["truth"]
        values = [v for line in lines.values() for v in line if v is not None and abs(v) < 10] or [0.0, 1.0]
        x = Scale(0, len(truth) - 1, panel.left, panel.right)
        y = Scale(min(values), max(values), panel.bottom, panel.top)
        drawing.text(panel.left, panel.top - 6, say(row.name), bold=True)
        years = {float(place): year for place, year in ((8, "1958"), (20, "1959"), (32, "1960"))}
        drawing.x_axis(x, panel.top, panel.bottom, years if len(truth) == 44 else None)
        drawing.y_axis(y, panel.left, panel.right)
        for name, line in lines.items():
            colour, dash, _ = PROTOCOLS.get(name, (GREY, "", ""))
            points = [None if v is None else (x(place), y(v)) for place, v in thinned(line)]
            drawing.curve(points, colour, 3 if name == "truth" else 1.6, dash)
    return drawing.document(), joined(_best_forecasts([row for row, _ in shown]), " ")


def losses(section: Section, whole: Whole, say: Say) -> tuple[str, Text] | None:
    """Draw the training loss after each epoch, a panel per model."""
    shown = [(row, lines) for row in section.group.rows if (lines := _losses(row, whole))][:MOST_PANELS]
    if not shown:
        return None
    drawing, panels = _grid(len(shown))
    parts: list[Text] = [message("Line charts of the training loss after each epoch.")]
    for (row, lines), panel in zip(shown, panels, strict=False):
        values = [v for line in lines.values() for _, v in line if v is not None and v > 0]
        x = Scale(0, max(place for line in lines.values() for place, _ in line), panel.left, panel.right)
        y = Scale(min(values), max(max(values), 1.001 * min(values)), panel.bottom, panel.top, log=True)
        drawing.text(panel.left, panel.top - 6, say(row.name), bold=True)
        drawing.x_axis(x, panel.top, panel.bottom)
        for value in (y.low, y.high):
            drawing.text(panel.left - 4, y(value) + 4, tick(float(f"{value:.1g}")), "end")
        for number, (name, line) in enumerate(lines.items()):
            points = [None if v is None or v <= 0 else (x(place), y(v)) for place, v in line]
            drawing.curve(points, COLOURS[number % len(COLOURS)])
            drawing.text(panel.right, panel.top + 12 + 15 * number, say(name[:20]), "end")
        line = lines.get("loss") or next(iter(lines.values()))  # beside it there may be the loss on held-out data
        told = [v for _, v in line if v is not None and v > 0]
        first, last = Number(told[0], digits=2), Number(told[-1], digits=2)
        parts.append(message("{row}: from {first} to {last}.", row=row.name, first=first, last=last))
    return drawing.document(), joined(parts, " ")


def samples(section: Section, whole: Whole, say: Say) -> tuple[str, Text] | None:
    """Draw samples of every phase by process, in the order of measurement, with the median of all of each process."""
    shown = list(_sampled(section, whole))[:MOST_PANELS]
    if not shown:
        return None
    drawing, panels = _grid(len(shown), title=17)
    for (name, title, processes), panel in zip(shown, panels, strict=False):
        values = [value for median_s, timed in processes for value in (median_s, *timed)]
        unit, factor = short_unit(max(values))
        low, high = factor * min(values), factor * max(values)
        x, y = Scale(0, len(processes), panel.left, panel.right), Scale(low, high, panel.bottom, panel.top)
        drawing.text(panel.left, panel.top - 23, name, bold=True)
        drawing.text(panel.left, panel.top - 6, f"{say(title)} ({unit})")
        drawing.y_axis(y, panel.left, panel.right)
        for number, (median_s, timed) in enumerate(processes):
            step, middle = 0.8 / len(timed), y(factor * median_s)
            places = [(x(number + 0.1 + step * place), y(factor * value)) for place, value in enumerate(timed)]
            drawing.points(places, COLOURS[0])
            drawing.line(x(number + 0.1), middle, x(number + 0.9), middle)
            drawing.text(x(number + 0.5), panel.bottom + 15, str(number + 1), "middle")
    return drawing.document(), message(
        "Dot charts of samples in seconds by process, in the order of measurement, for {count} timed phases.",
        count=str(len(shown)),
    )


def _quality(row: Row, whole: Whole) -> Quality | None:
    result = whole.get(row.scored_result.file)
    return result.quality if result else None


def _forecasts(row: Row, whole: Whole) -> dict[str, Sequence[float | None]]:
    quality = _quality(row, whole)
    found = quality.forecasts if quality and row.model.dataset == "airline" else {}
    truth = found.get("truth", ())
    lines = {name: found[name] for name in PROTOCOLS if len(found.get(name, ())) == len(truth) > 1}
    return {"truth": truth, **lines} if lines else {}


def _best_forecasts(rows: Sequence[Row]) -> Iterator[Text]:
    yield message("Line charts of the 44 test months, one model each: the truth in grey, and the forecasts.")
    for protocol, (_, _, name) in PROTOCOLS.items():
        scores = [(row.scored_result.quality.score(protocol), row.name) for row in rows if row.scored_result.quality]
        found = [(score.accuracy, row_name) for score, row_name in scores if score and score.accuracy is not None]
        if found:
            accuracy, row_name = max(found)
            yield message(
                "Closest {protocol}: {row} (R² {accuracy}).",
                protocol=Message(name),
                row=row_name,
                accuracy=Number(accuracy),
            )


def _losses(row: Row, whole: Whole) -> Mapping[str, list[tuple[int, float | None]]]:
    quality = _quality(row, whole)
    found = sorted(quality.history.items()) if quality else []
    lines = {name: thinned(values) for name, values in found if "loss" in name and len(values) > 1}
    return {name: line for name, line in lines.items() if any(v is not None and v > 0 for _, v in line)}


def _sampled(section: Section, whole: Whole) -> Iterator[tuple[str, Text, list[tuple[float, Sequence[float]]]]]:
    """Each phase with its row, its name, and of each process the median and at most a hundred samples."""
    for row, result in section.group.rows_and_results:
        for phase in PHASES if result.file in whole else ():
            timed = whole[result.file].phases(phase)
            if timed:
                name = joined((result.device.upper(), PHASE_NAMES[phase]))
                thin = [(one.median_s, one.samples_s[:: 1 + len(one.samples_s) // 100]) for one in timed]
                yield row.name, name, thin


def _grid(count: int, legend: float = 0, title: float = 0) -> tuple[Drawing, list[Panel]]:
    """A drawing with so many panels; ``title`` is the height of a second line above each."""
    rows, pitch, top = math.ceil(count / COLUMNS), PANEL_PITCH + title, legend + 26 + title
    panels = []
    for place in range(count):
        x, y = LEFT + place % COLUMNS * (PANEL_WIDTH + GAP), top + place // COLUMNS * pitch
        panels.append(Panel(x, y, x + PANEL_WIDTH, y + PANEL_HEIGHT))
    return Drawing(legend + 26 + rows * pitch - 20), panels


def _legend(drawing: Drawing, say: Say, entries: Sequence[tuple[str, str, str]]) -> None:
    x = 8.0
    for colour, dash, name in entries:
        drawing.curve([(x, 10), (x + 24, 10)], colour, 3 if colour == GREY else 1.6, dash)
        drawing.text(x + 30, 14, say(Message(name)))
        x += 150
