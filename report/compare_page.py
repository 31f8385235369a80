"""A comparison in words: as a page for Jekyll and as tables on the terminal."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Container, Iterable, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType

import jinja2
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text as Styled

from report import escape, figures, site
from report.comparison import Comparison, ComparisonImpossible, Row, Time, Word
from report.differences import Difference, Pair, Scalar
from report.escape import Safe
from report.load import Phase, Result, Whole
from report.messages import Locale, Message, Text, locale, message
from report.statistics import Noise, Ratio

NAME = "comparison"
"""The page's file below ``pages/``, and the folder beside it that holds the results it links to."""

ROWS_NAMED = 4
LINES_SHOWN = 200  # on the terminal; the page has them all
WORDS: tuple[Word, ...] = ("faster", "slower", "indistinguishable", "incomparable", "unmeasured")
MOST = 120  # characters of a cell on the terminal
_FOLDER = Path(__file__).parent
_SHA256 = re.compile(r"[0-9a-f]{64}")
_COLOURS = {"faster": "green", "slower": "red", "incomparable": "yellow", "unmeasured": "yellow"}

TIMES = ("model", "params", "device", "phase", "a", "b", "ratio", "interval", "noise", "verdict")
SCORES = ("loss-a", "loss-b", "accuracy-a", "accuracy-b")
QUALITIES = ("model", "params", "device", "protocol", *SCORES, "comparable-column")
ON_TERMINAL = ("row", "phase", "a", "b", "ratio", "interval", "verdict")
DIFFERENCES = ("field", "a", "b", "rows", "effect")
RIGHT = {"a", "b", "ratio", "interval", "noise", *SCORES}


@cache
def words(language: str) -> Locale:
    """The comparison's sentences in "ko" or "en"."""
    path = _FOLDER / "locale" / "compare" / f"{language}.toml"
    sentences = MappingProxyType(tomllib.loads(path.read_text(encoding="utf-8")))
    return Locale(language, sentences, locale(language).spoken)


def write_page(comparison: Comparison, folders: tuple[Path, Path], folder: Path, language: str) -> Path:
    """Writes ``pages/comparison.markdown`` below the site's ``folder``, and beside it the results that it links to.

    The page comes last, so that it never links to what is not there yet. Raises OSError, and ComparisonImpossible where
    the page's own folder would swallow the results.
    """
    path = folder / "pages" / f"{NAME}.markdown"
    beside = path.with_suffix("")
    if beside.is_symlink() or any(given.resolve().is_relative_to(beside.resolve()) for given in folders):
        raise ComparisonImpossible(f"{beside} is the page's own folder and gets emptied: keep the results elsewhere")
    copies = [site.copy_records(comparison.side(place), beside / "ab"[place]) for place in (0, 1)]
    names = [given.resolve().name for given in folders]
    site.write_text(path, render_page(comparison, (names[0], names[1]), language))
    site.prune(beside, copies[0] | copies[1])
    return path


def render_page(comparison: Comparison, names: tuple[str, str], language: str) -> str:
    """The page as Markdown for Jekyll, front matter included; ``names`` are what the folders are called."""
    say = words(language).markdown
    times = [_time_cells(time) for time in comparison.times]
    scored = [row for row in comparison.rows if any(r.quality and r.quality.scores for r in row.pair)]
    return (
        _environment()
        .get_template("compare.md.j2")
        .render(
            language=language,
            t=lambda key: say(message(key)),
            say=say,
            overview=_overview(comparison, names),
            conclusion=list(_conclusion(comparison)),
            tables=[
                ("times-heading", "times-legend", _columns(TIMES, say), times),
                ("quality-heading", "", _columns(QUALITIES, say), list(map(_quality_cells, scored))),
                ("differences-heading", "differences-legend", _columns(DIFFERENCES, say, ()), _field_rows(comparison)),
            ],
        )
    )


def print_tables(comparison: Comparison, language: str, console: Console | None = None) -> None:
    """The comparison on the terminal: the times, what differs, the conclusion, and what a verdict needs said."""
    console = console or Console()
    plain = words(language).plain
    times = _terminal_table("times-heading", ON_TERMINAL, plain)
    shown = comparison.times[:LINES_SHOWN]
    for time in shown:
        ratio = figures.ratio(time.ratio.value) if time.ratio else ""
        values = [_seconds(value) if value else "" for value in (time.a, time.b)]
        cells = [_row_name(time.pair), message(time.phase), *values, ratio, _interval(time.ratio), message(time.word)]
        times.add_row(*(Styled(plain(cell)) for cell in cells), style=_COLOURS.get(time.word, ""))
    console.print(times)
    if len(comparison.times) > LINES_SHOWN:
        console.print(Styled(plain(message("more-times", count=len(comparison.times) - LINES_SHOWN))))
    fields = _terminal_table("differences-heading", DIFFERENCES, plain)
    for row in _field_rows(comparison)[:LINES_SHOWN]:
        fields.add_row(*(Styled(escape.terminal(plain(cell), MOST)) for cell in row))
    if comparison.differences:
        console.print(fields)
    reasons = (_reasoned(time) for time in shown if time.reason)
    for sentence in (*_conclusion(comparison), *dict.fromkeys(reasons)):
        console.print(Styled(plain(sentence)))


def _terminal_table(heading: str, names: Sequence[str], plain: Callable[[Text], str]) -> Table:
    title = Styled(plain(message(heading)))
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in names:
        column = Styled(_heading(name, plain))
        right = name in RIGHT and heading == "times-heading"
        least = 10 if name in ("row", "verdict") else None
        table.add_column(
            column,
            justify="right" if right else "left",
            overflow="fold",
            no_wrap=right or name == "phase",
            min_width=least,
        )
    return table


def _reasoned(time: Time) -> Message:
    name = message("row-time", row=_row_name(time.pair), phase=message(time.phase))
    return message("with-reason", word=name, reason=time.reason or "")


def _overview(comparison: Comparison, names: tuple[str, str]) -> list[tuple[str, Text, Text]]:
    """What the two sides are: rows of a key, a's value and b's."""
    sides = [comparison.side(place) for place in (0, 1)]
    values: dict[str, Callable[[Result], Text | None]] = {
        "machines": lambda r: r.machine,
        "stacks": lambda r: r.stack,
        "engines": lambda r: r.engine,
        "profiles": lambda r: r.profile,
        "commits": _commit,
        "locks": lambda r: _shown(r.provenance.lock_sha256) if r.provenance.lock_sha256 else None,
        "images": lambda r: r.provenance.image,
        "data": lambda r: f"{r.data.name} {_shown(r.data.sha256)}" if r.data else None,
    }
    counts = [message("results-value", count=len(side), ok=sum(r.status == "ok" for r in side)) for side in sides]
    return [
        ("folder", *names),
        ("results", counts[0], counts[1]),
        ("measured", _span(sides[0]), _span(sides[1])),
        *((key, _distinct(map(value, sides[0])), _distinct(map(value, sides[1]))) for key, value in values.items()),
    ]


def _commit(result: Result) -> Text | None:
    commit = result.provenance.git_commit
    return message("dirty", commit=commit) if commit and not result.provenance.git_clean else commit


def _span(results: Sequence[Result]) -> Text:
    started = sorted({result.started for result in results if result.started})
    if len(started) > 1:
        return message("span", first=started[0], last=started[-1])
    return started[0] if started else message("not-recorded")


def _conclusion(comparison: Comparison) -> Iterable[Message]:
    yield message("verdicts", **{word: comparison.count(word) for word in WORDS})
    count = len(comparison.rows)
    for key, broken in (
        ("time-incomparable", [row.time_broken_by for row in comparison.rows if row.time_broken_by]),
        ("quality-incomparable", [row.quality_broken_by for row in comparison.rows if row.quality_broken_by]),
    ):
        if broken:
            fields = _distinct((field for fields in broken for field in fields), most=8)
            yield message(key, count=count, broken=len(broken), fields=fields)
    if not any(row.time_broken_by or row.quality_broken_by for row in comparison.rows):
        yield message("comparable", count=count)
    conditions = {difference.field for difference in comparison.differences if not difference.breaks}
    yield message("conditions", count=len(conditions)) if conditions else message("same-conditions")
    if comparison.uncalibrated:
        machines = _distinct((f"{machine} ({device.upper()})" for machine, device in comparison.uncalibrated), most=8)
        yield message("uncalibrated", machines=machines)
    else:
        yield message("calibrated")
    for side, results in (("A", comparison.only_a), ("B", comparison.only_b)):
        if results:
            yield message("unpaired", side=side, count=len(results), rows=_distinct((r.file for r in results), most=8))


def _link(label: Text, side: str, result: Result) -> Text:
    return escape.link(label, f"{NAME}/{side}/{result.file}")


def _time_cells(time: Time) -> list[Text]:
    model, device = time.pair[0].model, time.pair[0].device.upper()
    values = [
        _link(_seconds(value), side, result) if value else ""
        for side, result, value in zip("ab", time.pair, (time.a, time.b), strict=True)
    ]
    ratio = [figures.ratio(time.ratio.value), _interval(time.ratio), _noise(time.noise)] if time.ratio else [""] * 3
    word: Text = message(time.word)
    verdict = message("with-reason", word=word, reason=time.reason) if time.reason else word
    return [model.title, model.params, device, message(time.phase), *values, *ratio, verdict]


def _seconds(value: Phase | Whole) -> Safe:
    if isinstance(value, Whole):
        return figures.rounded(value.seconds, None)
    return figures.rounded(value.median_s, figures.half_width(value.interval_s))


def _interval(ratio: Ratio | None) -> Text:
    if ratio is None or ratio.low is None or ratio.high is None:
        return ""
    return Safe(f"{figures.ratio(ratio.low)} – {figures.ratio(ratio.high)}")


def _noise(noise: Noise) -> Text:
    shown = figures.percent(noise.relative)
    return shown if noise.calibrated else message("assumed", noise=shown)


def _quality_cells(row: Row) -> list[Text]:
    model = row.pair[0].model
    scores = [result.quality.score(result.quality.protocol) if result.quality else None for result in row.pair]
    figures_: list[Text] = []
    for name in ("loss", "accuracy"):
        for side, result, score in zip("ab", row.pair, scores, strict=True):
            value = getattr(score, name, None)
            figures_.append("" if value is None else _link(figures.significant(value, 4), side, result))
    protocol = _distinct(score.protocol for score in scores if score)
    if None in scores:
        comparable = message("unmeasured")
    elif row.quality_broken_by:
        comparable = message("because", fields=", ".join(row.quality_broken_by))
    else:
        comparable = message("yes")
    return [model.title, model.params, row.pair[0].device.upper(), protocol, *figures_, comparable]


def _field_rows(comparison: Comparison) -> list[list[Text]]:
    return [
        [found.field, _shown(found.a), _shown(found.b), _rows(found, comparison), _effect(found)]
        for found in comparison.differences
    ]


def _rows(difference: Difference, comparison: Comparison) -> Text:
    count = len(comparison.rows)
    if len(difference.pairs) == count:
        return message("all-rows", count=count)
    return _distinct((_row_name(pair) for pair in difference.pairs), most=ROWS_NAMED)


def _row_name(pair: Pair) -> str:
    return f"{pair[0].model.key}.{pair[0].device}"


def _effect(difference: Difference) -> Message:
    if len(difference.breaks) == 2:
        return message("breaks-both")
    return message(f"breaks-{next(iter(difference.breaks))}" if difference.breaks else "condition")


def _shown(value: Scalar) -> Text:
    """A value of a record; of a checksum its beginning, as git shows its own."""
    if value is None:
        return message("not-recorded")
    if isinstance(value, bool):
        return "true" if value else "false"
    return value[:12] if isinstance(value, str) and _SHA256.fullmatch(value) else str(value)


def _distinct(values: Iterable[Text | None], most: int = ROWS_NAMED) -> Text:
    """The different values in a row; beyond ``most`` only how many more."""
    kept = list(dict.fromkeys(value for value in values if value is not None))
    if not kept:
        return message("not-recorded")
    return _joined(kept) if len(kept) <= most else message("more", shown=_joined(kept[:most]), count=len(kept) - most)


def _joined(values: Sequence[Text]) -> Text:
    joined = values[0]
    for value in values[1:]:
        joined = message("pair", first=joined, second=value)
    return joined


def _columns(
    names: Sequence[str], say: Callable[[Text], Safe], right: Container[str] = RIGHT
) -> list[tuple[str, Safe]]:
    """Headings, each with what aligns its column in a Markdown table."""
    return [(_heading(name, say), Safe("---:" if name in right else ":---")) for name in names]


def _heading(name: str, say: Callable[[Text], str]) -> str:
    figure, _, side = name.partition("-")
    return say(message("of-side", what=message(figure), side=side.upper()) if side in ("a", "b") else message(name))


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER / "templates"),
        finalize=escape.finalize,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
