"""A comparison in words, as the page and the terminal print it, before translation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from report.comparison.differences import Difference, Pair, Scalar
from report.comparison.statistics import drift
from report.comparison.verdicts import ComparedRow, Comparison, Time, Word, bench_of
from report.page.measurements import PHASE_NAMES
from report.page.models import SCORES, seconds
from report.records import PHASES, Result
from report.records.spread import exponential
from report.text import N_, Joined, Message, Number, Text, joined, message

NAMED = 4  # rows and values in a cell; of more only how many
WORDS: dict[Word, Message] = {
    "faster": message("faster"),
    "slower": message("slower"),
    "indistinguishable": message("indistinguishable"),
    "incomparable": message("not comparable"),
    "unmeasured": message("not measured"),
}
TIMES: dict[str, Message] = {**PHASE_NAMES, "epoch": message("epoch"), "test_set": message("test set")}
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Linked(NamedTuple):
    """A cell, and the record it comes from: a file below the page's folder."""

    text: Text
    file: str


class Table(NamedTuple):
    """A table with what must be said before it."""

    heading: Text
    legend: Text | None
    columns: tuple[Text, ...]
    right: range  # the columns that are aligned to the right
    rows: tuple[tuple[Text | Linked, ...], ...]


def times_table(comparison: Comparison) -> Table:
    """Return ratio, interval and verdict of every time."""
    legend = message(
        "A and B are seconds: the median over fresh processes and its uncertainty. B/A has a 95 % interval from the "
        "processes, and is without the drift of the machine between the two benches where three other rows show it. "
        "Of separate benches, the slowest of every five processes counts as the next slower one, and 5 % is never "
        "called a difference. B is faster or slower where the interval excludes 1. "
        "Detectable is the slowdown that these data would have shown nine times in ten. Verdicts marked as paired come "
        "from rows that one bench measured side by side."
    )
    compared = message(
        "A ratio compares the fastest sample of each process, which other programs disturb least, and need not be the "
        "ratio of the two medians."
    )
    interval, detectable, verdict = message("95 % interval"), message("Detectable"), message("Verdict")
    columns = (message("Row"), message("Time of"), "A", "B", "B/A", interval, detectable, verdict)
    return Table(
        message("Times"),
        joined((legend, compared), " "),
        columns,
        range(2, 7),
        tuple(_time_cells(time, comparison) for time in comparison.times),
    )


def differences_table(comparison: Comparison) -> Table:
    """Return every field that differs, those that make figures incomparable first."""
    legend = message("Fields are named as in the records. Those that make figures incomparable come first.")
    columns = (message("Field"), "A", "B", message("Rows"), message("Effect"))
    rows = (
        (found.field, _value(found.a), _value(found.b), _rows(found, comparison), _effect(found))
        for found in comparison.differences
    )
    return Table(message("What differs"), legend, columns, range(0), tuple(rows))


def overview(comparison: Comparison, names: tuple[str, str]) -> Iterator[tuple[Text, Text, Text]]:
    """Yield what the two sides are: a name, a's value and b's. ``names`` are what the folders are called."""
    sides = comparison.side(0), comparison.side(1)
    values: tuple[tuple[Text, Callable[[Result], Text | None]], ...] = (
        (message("Machines"), lambda r: r.machine),
        (message("Stacks"), lambda r: r.stack),
        (message("Engines"), lambda r: r.engine),
        (message("Profiles"), lambda r: r.profile),
        (message("Commits"), _commit),
        (message("Locks"), lambda r: _value(r.provenance.lock_sha256) if r.provenance.lock_sha256 else None),
        (message("Images"), lambda r: r.provenance.image),
        (message("Data"), lambda r: f"{r.data.name} {r.data.sha256[:12]}" if r.data else None),
    )
    yield message("Folder"), *names
    yield message("Results"), _counted(sides[0]), _counted(sides[1])
    yield message("Measured"), _span(sides[0]), _span(sides[1])
    for name, value in values:
        yield name, _distinct(map(value, sides[0])), _distinct(map(value, sides[1]))


def conclusion(comparison: Comparison) -> Iterator[Message]:
    """Yield the sentences that sum the comparison up."""
    yield message(
        "Times of B seen from A: {faster} faster, {slower} slower, {indistinguishable} indistinguishable, "
        "{incomparable} not comparable, {unmeasured} not measured on both sides.",
        **{word: str(comparison.count(word)) for word in WORDS},
    )
    yield from _drift(comparison)
    yield from _comparability(comparison)
    conditions = {difference.field for difference in comparison.differences if not difference.breaks}
    if conditions:
        count = str(len(conditions))
        yield message("Conditions that differ: {count} (see What differs). Each may be a cause.", count=count)
    else:
        yield message("The recorded conditions are the same.")
    for side, results in (("A", comparison.only_a), ("B", comparison.only_b)):
        if results:
            values = {"count": str(len(results)), "rows": _distinct((result.file for result in results), most=8)}
            yield message("Results of {side} without a partner: {count} ({rows}).", side=side, **values)


def _drift(comparison: Comparison) -> Iterator[Message]:
    corrected = {bench_of(time.pair[0]) for time in comparison.times if time.ratio and time.ratio.drift != 1}
    for bench, shifts in sorted(comparison.shifts.items()):
        if bench in corrected:
            machine, stack, device = bench
            named = {"machine": machine, "stack": stack}
            yield message(
                "On {device}, {count} rows that nothing changed for took {factor} times as long in B: the machine's "
                "own drift. B/A is without it.",
                device="/".join((*(named[name] for name in comparison.several), device.upper())),
                count=str(len(shifts) // len(PHASES)),
                factor=Number(exponential(drift(shifts).size), "ratio"),
            )


def _comparability(comparison: Comparison) -> Iterator[Message]:
    count = str(len(comparison.rows))
    broken = (
        (
            N_("The times of {broken} of {count} rows cannot be compared, because these fields differ: {fields}."),
            [row.time_broken_by for row in comparison.rows if row.time_broken_by],
        ),
        (
            N_(
                "Loss and accuracy of {broken} of {count} rows cannot be compared, because these fields differ: "
                "{fields}."
            ),
            [row.quality_broken_by for row in comparison.rows if row.quality_broken_by],
        ),
    )
    measured = sum(any(time.ratio for time in row.times) for row in comparison.rows)
    if measured and not comparison.count("incomparable") and not any(rows for _, rows in broken):
        yield message(
            "Times and scores of all {count} rows that both sides measured are comparable: the same work on the same "
            "data.",
            count=str(measured),
        )
    for sentence, rows in broken:
        if rows:
            fields = _distinct((field for fields in rows for field in fields), most=8)
            yield message(sentence, broken=str(len(rows)), count=count, fields=fields)


def row_name(pair: Pair, comparison: Comparison) -> str:
    """Return what a row is called: ``lstm.cpu``, with its machine and stack where there are several."""
    named = (getattr(pair[0], name) for name in comparison.several)
    return "/".join((*named, f"{pair[0].key}.{pair[0].device}"))


def verdict(time: Time) -> Message:
    """Return the verdict in a word."""
    word = WORDS[time.word]
    return message("{verdict} (paired)", verdict=word) if time.ratio and time.ratio.paired else word


def reasons(comparison: Comparison) -> Iterator[Message]:
    """Yield what explains the verdicts that need it, for where a table has no room."""
    for time in comparison.times:
        if time.reason:
            name = message("{row}, {time}", row=row_name(time.pair, comparison), time=TIMES[time.name])
            yield _with_reason(name, time)


def _with_reason(text: Message, time: Time) -> Message:
    return message("{verdict}: {reason}", verdict=text, reason=time.reason) if time.reason else text


def _time_cells(time: Time, comparison: Comparison) -> tuple[Text | Linked, ...]:
    a, b = (
        Linked(seconds(value), f"{side}/{result.file}") if value else ""
        for side, result, value in zip("ab", time.pair, (time.a, time.b), strict=True)
    )
    found = time.ratio
    interval: Text = ""
    if found and found.low is not None and found.high is not None:
        interval = Joined((Number(found.low, "ratio"), Number(found.high, "ratio")), " – ")
    ratio = Number(found.value, "ratio") if found else ""
    detectable = Number(found.detectable - 1, "percent") if found and found.detectable else ""
    word = _with_reason(verdict(time), time)
    return row_name(time.pair, comparison), TIMES[time.name], a, b, ratio, interval, detectable, word


def quality_table(comparison: Comparison) -> Table:
    """Return loss and accuracy of every row that has them."""
    figures = map(message, (N_("Loss A"), N_("Loss B"), N_("Accuracy A"), N_("Accuracy B")))
    columns = (message("Row"), message("Protocol"), *figures, message("Comparable"))
    scored = [row for row in comparison.rows if any(result.quality and result.quality.scores for result in row.pair)]
    return Table(
        message("Quality"), None, columns, range(2, 6), tuple(_quality_cells(row, comparison) for row in scored)
    )


def _quality_cells(row: ComparedRow, comparison: Comparison) -> tuple[Text | Linked, ...]:
    scores = [result.quality.score(result.quality.protocol) if result.quality else None for result in row.pair]
    figures: list[Text | Linked] = []
    for which in SCORES:
        for side, result, score in zip("ab", row.pair, scores, strict=True):
            value = score.value(which) if score else None
            figures.append("" if value is None else Linked(Number(value, digits=4), f"{side}/{result.file}"))
    comparable = message("yes")
    if None in scores:
        comparable = message("not measured")
    elif row.quality_broken_by:
        comparable = message("no: different {fields}", fields=joined(row.quality_broken_by))
    protocols = _distinct(score.protocol for score in scores if score)
    return row_name(row.pair, comparison), protocols, *figures, comparable


def _counted(results: Sequence[Result]) -> Text:
    ok = sum(result.status == "ok" for result in results)
    return message("{count}, {ok} of them ok", count=str(len(results)), ok=str(ok))


def _commit(result: Result) -> Text | None:
    commit = result.provenance.git_commit and result.provenance.git_commit[:12]
    return message("{commit} with changes", commit=commit) if commit and not result.provenance.git_clean else commit


def _span(results: Sequence[Result]) -> Text:
    started = sorted({result.started for result in results if result.started})
    if len(started) > 1:
        return message("{first} to {last}", first=started[0], last=started[-1])
    return started[0] if started else message("not recorded")


def _rows(difference: Difference, comparison: Comparison) -> Text:
    if len(difference.pairs) == len(comparison.rows):
        return message("all {count}", count=str(len(comparison.rows)))
    return _distinct(row_name(pair, comparison) for pair in difference.pairs)


def _effect(difference: Difference) -> Message:
    if len(difference.breaks) == 2:
        return message("nothing is comparable")
    if not difference.breaks:
        return message("a condition")
    return message("times are not comparable") if "time" in difference.breaks else message("scores are not comparable")


def _value(value: Scalar) -> Text:
    """Return a value of a record; of a checksum its beginning, as git shows its own."""
    if value is None:
        return message("not recorded")
    if isinstance(value, bool):
        return "true" if value else "false"
    return value[:12] if isinstance(value, str) and _SHA256.fullmatch(value) else str(value)


def _distinct(values: Iterable[Text | None], most: int = NAMED) -> Text:
    """Return the different values in a row; beyond ``most`` only how many more."""
    kept = list(dict.fromkeys(value for value in values if value is not None))
    if not kept:
        return message("not recorded")
    if len(kept) <= most:
        return joined(kept)
    return message("{shown} and {count} more", shown=joined(kept[:most]), count=str(len(kept) - most))
