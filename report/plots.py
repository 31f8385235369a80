"""The page's pictures, as SVG files that are the same bytes for the same results.

Text stays text and the background is transparent; every colour is a middle tone, because a picture cannot know whether
the page around it is dark or light (a browser's dark mode says nothing about a theme that has none).
"""

from __future__ import annotations

import math
import tomllib
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from report import escape
from report.files import whole_file
from report.load import Device, Figures, Phase, Result

GREY = "#767676"  # 4.5:1 on white and 4.6:1 on black
COLOURS = ("#2f7fb8", "#d95f02", "#1b9e77", "#8a6fc0", "#e0298a", "#8c7a1f", "#5f8f1e", "#a8703c")
CPU, GPU = COLOURS[0], COLOURS[1]
WIDTH = 6.4  # inches of 72 points: 614 pixels on the page

MOST_GROUPS = 3
"""Machine and stack pairs that get pictures (0.4 s each); a page about hundreds of machines is read by its tables."""
MOST_PANELS = 12
MOST_POINTS = 1000  # of one line; more than the picture has pixels

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "erabench",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib: the layout depends on no installed font
    "font.size": 11,
    "text.parse_math": False,  # a "$" in a title is a "$"
    "text.color": GREY,
    "axes.titlecolor": GREY,
    "axes.labelcolor": GREY,
    "axes.edgecolor": GREY,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "grid.color": GREY,
    "grid.alpha": 0.3,
    "grid.linewidth": 0.6,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "legend.frameon": False,
    "legend.fontsize": 10,
    "lines.linewidth": 1.4,
}

Texts = Mapping[str, str]
PhaseName = Literal["train", "predict"]
Published = Mapping[tuple[str, Device, PhaseName], float]
"""(model key, device, "train" or "predict") to the published seconds a batch."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture on disk. ``title`` and ``alt`` hold names from the results as they are: escape them."""

    kind: str  # "forecasts", "seconds", "losses" or "unstable"
    machine: str
    stack: str
    path: Path
    title: str
    alt: str


@dataclass(frozen=True, slots=True)
class _Drawing:
    figure: Figure
    who: Sequence[str]  # what the picture shows, for its alt text


def draw_pictures(results: Sequence[Result], published: Published, folder: Path, locale: str) -> list[Picture]:
    """Draws what there is to draw to ``folder/<machine>/<stack>/<kind>.svg``, at most ``MOST_GROUPS`` machines' worth.

    A picture with nothing on it is not drawn. ``published`` holds only figures that are seconds a batch. Raises OSError
    where the folder cannot be written.
    """
    texts = _texts(locale)
    usable = sorted((result for result in results if result.status == "ok"), key=lambda r: (r.machine, r.stack))
    pictures = []
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the browser has the Hangul that DejaVu lacks
        matplotlib.rcdefaults()  # a user's matplotlibrc must not change the page
        matplotlib.rcParams.update(_STYLE)
        groups = groupby(usable, key=lambda r: (r.machine, r.stack))
        for (machine, stack), group in [(key, list(rows)) for key, rows in groups][:MOST_GROUPS]:
            where = f"{machine}, {stack}"
            for kind, drawing in _drawings(group, published, texts):
                path = folder / machine / stack / f"{kind}.svg"
                _save(drawing.figure, path)
                who = _listed(drawing.who, texts)
                alt = texts[f"{kind}-alt"].format(where=where, who=who)
                pictures.append(Picture(kind, machine, stack, path, texts[kind].format(where=where), alt))
    return pictures


@cache
def _texts(language: str) -> Texts:
    path = Path(__file__).parent / "locale" / "plots" / f"{language}.toml"
    return MappingProxyType(tomllib.loads(path.read_text(encoding="utf-8")))


def _drawings(results: Sequence[Result], published: Published, texts: Texts) -> Iterator[tuple[str, _Drawing]]:
    ordered = sorted(results, key=lambda result: (result.model.position, result.model.key, result.device))
    draw: dict[str, Callable[[], _Drawing | None]] = {
        "forecasts": lambda: _forecasts(ordered, texts),
        "seconds": lambda: _seconds(ordered, published, texts),
        "losses": lambda: _losses(ordered, texts),
        "unstable": lambda: _unstable(ordered, texts),
    }
    for kind, drawn in draw.items():
        drawing = drawn()
        if drawing is not None:
            yield kind, drawing


def _forecasts(results: Sequence[Result], texts: Texts) -> _Drawing | None:
    """The airline rows' forecasts against the truth, a panel for each protocol."""
    rows = _one_a_model([r for r in results if r.model.dataset == "airline" and r.quality and r.quality.forecasts])
    truths: list[Figures] = [
        row.quality.forecasts["truth"] for row in rows if row.quality and row.quality.forecasts.get("truth")
    ]
    if not truths:
        return None
    truth = truths[0]
    panels: dict[str, list[tuple[Result, Figures]]] = {"recursive": [], "one-step": []}
    for row in rows:
        for protocol, lines in panels.items():
            forecast = row.quality.forecasts.get(protocol) if row.quality else None
            if forecast and len(forecast) == len(truth):
                lines.append((row, forecast))
    panels = {protocol: lines for protocol, lines in panels.items() if lines}
    if not panels:
        return None
    colours = {row.model.key: COLOURS[place % len(COLOURS)] for place, row in enumerate(rows)}
    figure = _figure(0.5 + 2.3 * len(panels), left=0.09, right=0.74)
    for place, (protocol, lines) in enumerate(panels.items()):
        axes = figure.add_subplot(len(panels), 1, place + 1)
        axes.set_title(texts[protocol])
        _line(axes, truth, GREY, texts["truth"], width=3.0)
        for row, forecast in lines:
            _line(axes, forecast, colours[row.model.key], _name(row))
        axes.grid(axis="y")
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.05), borderaxespad=0.2, handlelength=1.2)
        if len(truth) == 44:  # May 1957 to December 1960
            axes.set_xticks([9, 21, 33], ["1958-01", "1959-01", "1960-01"])
    axes.set_xlabel(texts["month"])
    shown = {row.model.key for lines in panels.values() for row, _ in lines}
    return _Drawing(figure, [_name(row) for row in rows if row.model.key in shown])


def _seconds(results: Sequence[Result], published: Published, texts: Texts) -> _Drawing | None:
    """Median seconds a batch with intervals, ours and published; rows from top to bottom as on the page."""
    keys = list(dict.fromkeys(r.model.key for r in results if _shown_phases(r)))[: 4 * MOST_PANELS]
    if not keys:
        return None
    named = {result.model.key: result for result in results}
    figure = _figure(1.3 + 0.62 * len(keys), left=0.34, right=0.97, top=0.85)  # room for the longest name
    axes = figure.add_subplot()
    axes.set_xscale("log")
    series: list[tuple[Device, PhaseName]] = [
        ("cpu", "train"),
        ("cpu", "predict"),
        ("gpu", "train"),
        ("gpu", "predict"),
    ]
    for offset, (device, phase_name) in zip((-0.27, -0.09, 0.09, 0.27), series, strict=True):
        colour = CPU if device == "cpu" else GPU
        style: dict[str, Any] = {"color": colour, "marker": "o" if phase_name == "train" else "^", "linestyle": ""}
        label = f"{device.upper()}({'T' if phase_name == 'train' else 'P'})"
        for result in results:
            phase = _shown_phases(result).get(phase_name)
            if result.device == device and phase is not None and result.model.key in keys:
                place = keys.index(result.model.key) + offset
                low, high = phase.interval_s or (phase.median_s, phase.median_s)
                if 0 < low <= high < math.inf:
                    axes.plot([low, high], [place, place], color=colour, linewidth=2)
                axes.plot([phase.median_s], [place], markersize=6, label=label, **style)
                label = "_"
        for place, key in enumerate(keys):
            seconds = published.get((key, device, phase_name))
            if seconds:
                axes.plot([seconds], [place + offset], markersize=8, markerfacecolor="none", **style)
    if any(key[0] in keys for key in published):
        style = {"color": GREY, "marker": "o", "linestyle": "", "markersize": 8, "markerfacecolor": "none"}
        axes.plot([], [], label=texts["published"], **style)
    axes.set_ylim(len(keys) - 0.5, -0.5)
    axes.set_yticks(range(len(keys)), [f"{_name(named[key])}\n{_plain(named[key].model.params)}" for key in keys])
    axes.xaxis.set_major_locator(LogLocator(numticks=6))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(texts["seconds-axis"])
    axes.grid(axis="x")
    axes.legend(loc="lower left", bbox_to_anchor=(-0.5, 1.0), ncols=5, columnspacing=1.0, handletextpad=0.2)
    return _Drawing(figure, [f"{_name(named[key])} ({_plain(named[key].model.params)})" for key in keys])


def _losses(results: Sequence[Result], texts: Texts) -> _Drawing | None:
    """A panel a model: its losses after each epoch, of the median seed."""
    trained = _one_a_model([r for r in results if r.quality and any(len(v) > 1 for v in _loss_lines(r).values())])
    if not trained:
        return None
    figure, panels = _grid(len(trained))
    for row, axes in zip(trained, panels, strict=False):
        axes.set_title(f"{_name(row)}\n{_plain(row.model.params)}")
        lines = _loss_lines(row)
        for place, (key, values) in enumerate(lines.items()):
            _line(axes, values, COLOURS[place % len(COLOURS)], _plain(key))
        if all(value is None or value > 0 for values in lines.values() for value in values):
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel(texts["epoch"])
        axes.legend(loc="upper right")
    return _Drawing(figure, [f"{_name(row)} ({_plain(row.model.params)})" for row in trained[: len(panels)]])


def _unstable(results: Sequence[Result], texts: Texts) -> _Drawing | None:
    """A panel for every phase marked unstable: each sample in the order of measurement, and their median."""
    found: list[tuple[str, Phase]] = []
    for result in results:
        marked = {mark.phase for mark in result.marks if mark.key == "unstable"}
        timing = result.timing
        for name, phase in (("train", timing and timing.train), ("predict", timing and timing.predict)):
            if phase and (name in marked or "all" in marked):
                found.append((f"{_name(result)}, {result.device.upper()}, {texts[name]}", phase))
    if not found:
        return None
    figure, panels = _grid(len(found))
    for (title, phase), axes in zip(found, panels, strict=False):
        axes.set_title(f"{title} (s)")
        places, values = _thinned(phase.samples_s)
        axes.plot(places, values, ".", color=CPU, markersize=4)
        axes.axhline(phase.median_s, color=GREY)
        axes.set_xlabel(texts["sample"])
    return _Drawing(figure, [title for title, _ in found])


def _shown_phases(result: Result) -> dict[str, Phase]:
    """The phases whose time is seconds a batch and counts."""
    if result.timing is None:
        return {}
    phases = {"train": result.timing.train, "predict": result.timing.predict}
    return {name: phase for name, phase in phases.items() if phase and phase.counts and phase.unit == "batch"}


def _loss_lines(result: Result) -> dict[str, Sequence[float | None]]:
    history = result.quality.history if result.quality else {}
    return {key: values for key, values in sorted(history.items()) if "loss" in key}


def _one_a_model(results: Sequence[Result]) -> list[Result]:
    """The first result of each model: CPU and GPU train to the same quality, so one of them is enough."""
    return list({result.model.key: result for result in reversed(results)}.values())[::-1]


def _figure(height: float, left: float, right: float, top: float | None = None) -> Figure:
    """A figure with margins in inches from its top and bottom, laid out without asking how wide its texts are."""
    figure = Figure(figsize=(WIDTH, height))
    FigureCanvasSVG(figure)
    figure.subplots_adjust(
        left=left, right=right, bottom=0.6 / height, top=1 - (top or 0.35) / height, hspace=0.35, wspace=0.42
    )
    return figure


def _grid(count: int) -> tuple[Figure, list[Axes]]:
    """Panels in two columns, ``MOST_PANELS`` at most."""
    count = min(count, MOST_PANELS)
    rows = math.ceil(count / 2)
    figure = _figure(0.3 + 2.4 * rows, left=0.12, right=0.97, top=0.5)
    figure.subplots_adjust(hspace=0.75)
    return figure, [figure.add_subplot(rows, min(count, 2), place + 1) for place in range(count)]


def _line(axes: Axes, values: Sequence[float | None], colour: str, label: str, width: float = 1.4) -> None:
    places, heights = _thinned(values)
    axes.plot(places, heights, color=colour, label=label, linewidth=width)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def _thinned(values: Sequence[float | None]) -> tuple[list[int], list[float]]:
    """Places, counted from 1, and values, at most ``MOST_POINTS`` of them; a gap for what no axis can show."""
    step = max(1, math.ceil(len(values) / MOST_POINTS))
    heights = [math.nan if v is None or not abs(v) < 1e12 else float(v) for v in values[::step]]
    return list(range(1, 1 + len(values), step)), heights


def _name(result: Result) -> str:
    return _plain(result.model.title)


def _plain(text: str) -> str:
    """One short line without the characters that XML or the line's direction cannot bear."""
    return escape.terminal(text, 24)


def _listed(names: Sequence[str], texts: Texts) -> str:
    unique = list(dict.fromkeys(names))
    more = [texts["and-more"].format(count=len(unique) - MOST_PANELS)] if len(unique) > MOST_PANELS else []
    return ", ".join(unique[:MOST_PANELS] + more)


def _save(figure: Figure, path: Path) -> None:
    with whole_file(path) as file:
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
