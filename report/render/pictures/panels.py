"""Small multiples: forecasts by model, training losses by model, samples by process."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from report.page.build import Section
from report.page.measurements import PHASES
from report.page.rows import Row
from report.records import PhaseName, Result, complete
from report.render.pictures.svg import COLOURS, GREY, WIDTH, Drawing, Scale, thinned, tick
from report.text import N_, Message, Number, Text, joined, message

Say = Callable[[Text], str]
COLUMNS, LEFT, GAP = 2, 52, 58
PANEL_WIDTH = (WIDTH - LEFT - GAP - 8) / COLUMNS
PANEL_HEIGHT, PANEL_PITCH = 92, 146
MOST_PANELS = 24
MOST_POINTS = 400
UNITS = (("s", 1.0), ("ms", 1e3), ("µs", 1e6), ("ns", 1e9))
PROTOCOLS = {"recursive": (COLOURS[1], "4 3", N_("recursive")), "one-step": (COLOURS[0], "", N_("one step ahead"))}


@dataclass(frozen=True, slots=True)
class Panel:
    """The area of one small chart."""

    left: float
    top: float

    @property
    def right(self) -> float:
        """Its other end."""
        return self.left + PANEL_WIDTH

    @property
    def bottom(self) -> float:
        """Its lower end."""
        return self.top + PANEL_HEIGHT


def forecasts(section: Section, say: Say) -> tuple[str, Text] | None:
    """Draw the airline rows' forecasts, a panel per model: the truth, recursively and one step ahead."""
    found = [(row, result) for row in section.group.rows if (result := _completed(row, "airline")) is not None]
    shown = [(row, lines) for row, result in found if (lines := _forecasts(result))]
    if not shown:
        return None
    drawing, panels = _grid(len(shown), legend=19)
    _legend(drawing, say, [(GREY, "", N_("truth")), *PROTOCOLS.values()])
    for (row, lines), panel in zip(shown, panels, strict=False):
        truth = lines["truth"]
        values = [v for line in lines.values() for v in line if v is not None and abs(v) < 10] or [0.0, 1.0]
        x, y = (
            Scale(0, len(truth) - 1, panel.left, panel.right),
            Scale(min(values), max(values), panel.bottom, panel.top),
        )
        drawing.text(panel.left, panel.top - 6, say(row.name), bold=True)
        years = {float(place): year for place, year in ((8, "1958"), (20, "1959"), (32, "1960"))}
        drawing.x_axis(x, panel.top, panel.bottom, years if len(truth) == 44 else None)
        drawing.y_axis(y, panel.left, panel.right)
        for name, line in lines.items():
            colour, dash, _ = PROTOCOLS.get(name, (GREY, "", ""))
            points = [None if v is None else (x(place), y(v)) for place, v in thinned(line, MOST_POINTS)]
            drawing.curve(points, colour, 3 if name == "truth" else 1.6, dash)
    return drawing.document(), joined(_best_forecasts([row for row, _ in shown]), " ")


def losses(section: Section, say: Say) -> tuple[str, Text] | None:
    """Draw the training loss after each epoch, a panel per model."""
    shown = [(row, lines) for row in section.group.rows if (lines := _losses(row))][:MOST_PANELS]
    if not shown:
        return None
    drawing, panels = _grid(len(shown))
    parts: list[Text] = [message("Line charts of the training loss after each epoch.")]
    for (row, lines), panel in zip(shown, panels, strict=False):
        values = [v for line in lines.values() for _, v in line if v is not None and v > 0] or [1.0]
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
        first, last = Number(values[0], digits=2), Number(values[-1], digits=2)
        parts.append(message("{row}: from {first} to {last}.", row=row.name, first=first, last=last))
    return drawing.document(), joined(parts, " ")


def samples(section: Section, say: Say) -> tuple[str, Text] | None:
    """Draw every sample of every phase by process, in the order of measurement, with each process's median."""
    shown = list(_sampled(section))[:MOST_PANELS]
    if not shown:
        return None
    drawing, panels = _grid(len(shown), title=17)
    for (name, title, processes), panel in zip(shown, panels, strict=False):
        most = max(map(max, processes))
        unit, factor = next((unit for unit in UNITS if most * unit[1] >= 1), UNITS[-1])
        low, high = factor * min(map(min, processes)), factor * most
        x, y = Scale(0, len(processes), panel.left, panel.right), Scale(low, high, panel.bottom, panel.top)
        drawing.text(panel.left, panel.top - 23, name, bold=True)
        drawing.text(panel.left, panel.top - 6, f"{say(title)} ({unit})")
        drawing.y_axis(y, panel.left, panel.right)
        for number, process in enumerate(processes):
            step, middle = 0.8 / len(process), y(factor * median(process))
            places = [(x(number + 0.1 + step * place), y(factor * value)) for place, value in enumerate(process)]
            drawing.points(places, COLOURS[0])
            drawing.line(x(number + 0.1), middle, x(number + 0.9), middle)
            drawing.text(x(number + 0.5), panel.bottom + 15, str(number + 1), "middle")
    return drawing.document(), message(
        "Dot charts of every sample in seconds by process, in the order of measurement, for {count} timed phases.",
        count=str(len(shown)),
    )


def _completed(row: Row, dataset: str) -> Result | None:
    """The row's scored result with its series, if it is of this data set."""
    result = row.scored_result
    known = result.quality is not None and bool(result.quality.forecasts) and result.status == "ok"
    return complete(result) if known and row.model.dataset == dataset else None


def _forecasts(result: Result) -> dict[str, Sequence[float | None]]:
    found = result.quality.forecasts if result.quality else {}
    truth = found.get("truth", ())
    lines = {name: found[name] for name in PROTOCOLS if len(found.get(name, ())) == len(truth) > 1}
    return {"truth": truth, **lines} if lines else {}


def _best_forecasts(rows: Sequence[Row]) -> Iterator[Text]:
    yield message("Line charts of the 44 test months, one model each: the truth in grey, and the forecasts.")
    for protocol, (_, _, name) in PROTOCOLS.items():
        scores = [
            (score.accuracy, row.name)
            for row in rows
            if row.scored_result.quality
            and (score := row.scored_result.quality.score(protocol))
            and score.accuracy is not None
        ]
        if scores:
            accuracy, row_name = max(scores)
            yield message(
                "Closest {protocol}: {row} (R² {accuracy}).",
                protocol=Message(name),
                row=row_name,
                accuracy=Number(accuracy),
            )


def _losses(row: Row) -> Mapping[str, list[tuple[int, float | None]]]:
    quality = row.scored_result.quality
    if quality is None or not any("loss" in name and len(values) > 1 for name, values in quality.history.items()):
        return {}
    history = complete(row.scored_result).quality
    found = sorted(history.history.items()) if history else []
    lines = {name: thinned(values, MOST_POINTS) for name, values in found if "loss" in name and len(values) > 1}
    return {name: line for name, line in lines.items() if any(v is not None and v > 0 for _, v in line)}


def _sampled(section: Section) -> Iterator[tuple[str, Text, list[list[float]]]]:
    """Each phase with its row, its name and the samples of each process."""
    phases: tuple[PhaseName, ...] = ("train", "predict")
    for row in section.group.rows:
        for result in row.results:
            if result.status != "ok":
                continue
            known = complete(result)
            for phase in phases:
                found = [list(timed.samples_s)[:: 1 + len(timed.samples_s) // 100] for timed in known.phases(phase)]
                if found:
                    yield row.name, joined((result.device.upper(), Message(PHASES[phase]))), found


def _grid(count: int, legend: float = 0, title: float = 0) -> tuple[Drawing, list[Panel]]:
    """A drawing with so many panels; ``title`` is the height of a second line above each."""
    rows, pitch, top = math.ceil(count / COLUMNS), PANEL_PITCH + title, legend + 26 + title
    panels = [
        Panel(LEFT + place % COLUMNS * (PANEL_WIDTH + GAP), top + place // COLUMNS * pitch) for place in range(count)
    ]
    return Drawing(legend + 26 + rows * pitch - 20), panels


def _legend(drawing: Drawing, say: Say, entries: Sequence[tuple[str, str, str]]) -> None:
    x = 8.0
    for colour, dash, name in entries:
        drawing.curve([(x, 10), (x + 24, 10)], colour, 3 if colour == GREY else 1.6, dash)
        drawing.text(x + 30, 14, say(Message(name)))
        x += 150
