"""One table per net and device: frameworks by time, each proven to compute the same net, before translation."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from report.comparison.statistics import Ratio
from report.comparison.verdicts import compare_phase
from report.page import models
from report.page.models import seconds
from report.page.tuning import tuned
from report.records import DEVICES, Device, Figure, Result, Tuning, figure
from report.sentences import said
from report.text import Joined, Message, Number, Text, joined, message, ratio_with_ends

QUANTITIES = ("outputs", "loss", "gradients", "parameters", "losses", "later-outputs")
NOT_NAMED = ("numpy", "cuda", "cudnn", "jaxlib", "torchvision")  # versions that the table leaves out
LSTM: Mapping[str, Text] = {"cuDNN": "cuDNN", "generic": message("generic LSTM")}


@dataclass(frozen=True, slots=True)
class Line:
    """One framework."""

    result: Result
    seconds: Number  # per training step, with their uncertainty
    ratio: Text  # of its training step to the fastest one's
    versions: Text
    predict: Text
    per_second: Number
    memory: Number | None
    imports: Text
    first_step: Text  # of the first process, which finds no cache
    later_first_step: Text  # of the processes after it
    execution: Text
    tuned: Text  # seconds per training step with the framework's speed settings, or why there are none; "": not tried

    @property
    def name(self) -> str:
        """The framework, as its row calls it."""
        return self.result.model.library

    @property
    def rounded(self) -> Number:
        """Seconds per training step, for a sentence."""
        return Number(self.seconds.value, digits=2)


@dataclass(frozen=True, slots=True)
class Difference:
    """How far a framework's net is from the reference in one precision."""

    result: Result
    precision: str
    values: tuple[Text, ...]  # in the order of QUANTITIES


@dataclass(frozen=True, slots=True)
class Table:
    """A net on a device."""

    net: str  # title of the published row
    device: Device
    lines: tuple[Line, ...]  # the fastest training step first
    alike: tuple[Text, ...]  # pairs that the processes cannot tell apart
    others: tuple[tuple[Result, Text], ...]  # those that stand outside the comparison, with the reason
    differences: tuple[Difference, ...]

    @property
    def title(self) -> Message:
        """The net and the device."""
        return message("{net} on the {device}", net=self.net, device=self.device.upper())

    @property
    def summary(self) -> Text:
        """The fastest and the slowest training step, and their ratio."""
        if not self.lines:
            return message("no framework can be compared")
        first, last = self.lines[0], self.lines[-1]
        if last is first:
            return message("a training step takes {seconds} s ({name})", seconds=first.rounded, name=first.name)
        return message(
            "a training step takes from {low} s ({first}) to {high} s ({last}), ratio {ratio}",
            low=first.rounded,
            first=first.name,
            high=last.rounded,
            last=last.name,
            ratio=last.ratio,
        )

    @property
    def has_tuned(self) -> bool:
        """Whether speed settings were tried."""
        return any(line.tuned for line in self.lines)


def tables(results: Sequence[Result], tunings: Iterable[Tuning] = ()) -> Iterator[Table]:
    """Yield a table for each net and device of one machine and stack that a twin was measured on."""
    by_row = {(tuning.model.key, tuning.device): tuning for tuning in tunings}
    members = sorted(results, key=lambda result: (result.model.order, result.key))
    with_twins = {result.model.twin_of for result in members}
    for net in dict.fromkeys(result.model.twin_of or result.key for result in members):
        for device in DEVICES if net in with_twins else ():
            found = [r for r in members if r.device == device and net in (r.key, r.model.twin_of)]
            if any(result.status != "skipped" for result in found):
                yield _table(found, device, by_row)


def _table(members: Sequence[Result], device: Device, tunings: Mapping[tuple[str, Device], Tuning]) -> Table:
    reasons = _reasons(members)
    timed = [(found, r) for r in members if reasons[r.file] is None and (found := figure(r, "train"))]
    timed.sort(key=lambda pair: pair[0].median_s)
    fastest = timed[0][1] if timed else None
    same = [result for _, result in timed]
    return Table(
        net=members[0].model.title,
        device=device,
        lines=tuple(_line(r, found, fastest, tunings.get((r.key, device))) for found, r in timed),
        alike=tuple(_alike(same)),
        others=tuple((r, reason) for r in members if (reason := reasons[r.file]) is not None),
        differences=tuple(_differences(members)),
    )


def _reasons(members: Sequence[Result]) -> Mapping[str, Text | None]:
    """Return why each result stands outside the comparison, by its file; None if it belongs to it."""
    reasons = {result.file: _reason(result) for result in members}
    timed = [result for result in members if reasons[result.file] is None]
    measured = [result for result in timed if result.profile != "smoke"] or timed
    works = Counter(map(_work, measured))
    usual = max(measured, key=lambda result: works[_work(result)], default=None)
    return {**reasons, **{result.file: _other_work(result, usual) for result in timed if usual}}


def _reason(result: Result) -> Text | None:
    """Why a result cannot be compared with any; None if it can."""
    if result.status != "ok":
        return models.ended(result.status, result.reason)
    if result.sameness is None:
        return message("not compared with the reference yet (run make frameworks)")
    if not result.sameness.same and not result.sameness.precisions:
        return message("the comparison with the reference failed: {reason}", reason=said(result.sameness.reason))
    if not result.sameness.same:
        return message("not the same net: {reason}", reason=said(result.sameness.reason))
    return None if figure(result, "train") else models.not_training(result, "train") or message("no valid time")


def _work(result: Result) -> tuple[str | None, int]:
    """The net and the batch of a training step."""
    description = result.sameness.description_sha256 if result.sameness else None
    return description, result.phases("train")[0].batch_size


def _other_work(result: Result, usual: Result) -> Text | None:
    """Why a time is not of the same work as the usual ones; None if it is."""
    if result.profile == "smoke" and usual.profile != "smoke":
        return message("a smoke run measures nothing")
    (description, batch), (common, others) = _work(result), _work(usual)
    if description != common:
        return message("measured with another description of the net; measure it again")
    if batch != others:
        sizes = {"batch": Number(batch, "count"), "others": Number(others, "count")}
        return message("measured with batches of {batch}, the others with {others}; measure it again", **sizes)
    return None


def _line(result: Result, found: Figure, fastest: Result | None, tuning: Tuning | None) -> Line:
    predict = figure(result, "predict")
    batch = result.phases("train")[0].batch_size
    which = "peak_allocated_bytes" if result.device == "gpu" else "peak_resident_bytes"
    memory = models.peak_memory(result, which)
    startups = [process.startup for process in result.finished if process.startup]
    cold = result.processes[0].startup  # also of a disturbed process: no later one starts cold
    warm = [startup.first_step_s for startup in startups if startup is not cold]
    environment = result.environment
    return Line(
        result,
        seconds(found),
        _ratio(compare_phase(fastest, result, "train") if fastest and fastest.file != result.file else None),
        _versions(environment.versions if environment else {}),
        seconds(predict) if predict else "",
        Number(batch / found.median_s, digits=3),
        None if memory is None else Number(memory, "bytes"),
        _median([startup.import_s for startup in startups]),
        _median([cold.first_step_s] if cold else []),
        _median(warm),
        execution(result),
        _tuned(tuning) if tuning else "",
    )


def _tuned(tuning: Tuning) -> Text:
    one = tuned(tuning, tuning.model.title)
    if not one.confirmed:
        return one.settings
    return message("{seconds}: {settings}", seconds=one.phases[0].tuned, settings=one.settings)


def _median(values: Sequence[float | None]) -> Text:
    known = [value for value in values if value is not None]
    return Number(statistics.median(known), digits=2) if known else ""


def _ratio(found: Ratio | None) -> Text:
    if found is None:
        return Number(1.0, "ratio")
    shown = ratio_with_ends(found.value, found.low, found.high)
    if found.low is not None and found.verdict == "indistinguishable":
        return message("{ratio}, {verdict}", ratio=shown, verdict=message("indistinguishable"))
    return shown


def _versions(versions: Mapping[str, str]) -> Joined:
    return joined(f"{name} {version}" for name, version in versions.items() if name not in NOT_NAMED)


def execution(result: Result) -> Joined:
    """Return how a framework computed, in the words of its record."""
    found: Mapping[str, Any] = result.execution or {}
    parts: list[Text] = []
    if isinstance(found.get("execution"), str):
        parts.append(found["execution"])
    kind = found.get("lstm")
    if isinstance(kind, str) and kind in LSTM and "lstm" in result.key:  # Keras says it of every row
        parts.append(LSTM[kind])
    if found.get("xla"):
        parts.append("XLA")
    operators = found.get("operators")
    if isinstance(operators, Sequence) and not isinstance(operators, str):
        parts += [str(name) for name in operators]
    if found.get("compiled"):
        parts.append(message("compiled"))
    if _allows_tf32(result):
        parts.append(message("TF32 allowed"))
    return joined(parts)


def _allows_tf32(result: Result) -> bool:
    """Whether products or convolutions of float32 values may be computed in TF32. JAX's default does so from 8.0 on."""
    found, gpu = result.execution or {}, result.environment.gpu if result.environment else None
    if found.get("matmul_precision") == "default":
        generation = ((gpu and gpu.compute_capability) or "").partition(".")[0]
        return (len(generation), generation) >= (1, "8")  # "8", "9", "10", ...
    return any(found.get(name) is True for name in ("tf32", "tf32_convolution", "tf32_matmul", "tf32_rnn"))


def _alike(results: Sequence[Result]) -> Iterator[Text]:
    for place, one in enumerate(results):
        for other in results[place + 1 :]:
            found = compare_phase(one, other, "train")
            if found and found.low is not None and found.verdict == "indistinguishable":
                yield message("{one} and {other}", one=one.model.library, other=other.model.library)


def _differences(results: Sequence[Result]) -> Iterator[Difference]:
    for result in results:
        for precision in result.sameness.precisions if result.sameness else ():
            values = (precision.differences.get(quantity) for quantity in QUANTITIES)
            shown = ("–" if value is None else Number(value, digits=2) for value in values)
            yield Difference(result, precision.precision, tuple(shown))
