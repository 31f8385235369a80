"""Find which of a framework's speed settings make a row faster without changing what it computes.

Options are tried one after the other on top of those kept so far, in fresh processes. One is kept if the net still
gives the same outputs and even its slowest process is faster than the fastest of what was best before. The result is
then timed beside the row as written, in turns and in fresh processes: those times, which had no part in the choice,
are the ones to quote. The options are in each framework's ``framework.json``.
"""

import math
import time
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from runners import registry
from runners.contract import PHASES, DataUnavailable, Model, Option, Reason
from runners.machine import cpu
from runners.parent import jobs
from runners.parent.bench import Outcome, failure, find_sources
from runners.parent.child import run_child
from runners.parent.display import Display
from runners.parent.jobs import Row
from runners.parent.store import Place
from runners.worker.events import plain
from runners.worker.measure import quantile

SCHEMA_VERSION = 2
TOLERANCE = 1e-4  # largest difference of outputs, relative to the largest of them, that rounding may explain
LEAST_GAIN = 0.02  # of the time, between the slowest process with the option and the fastest without
PROCESSES = 2  # per attempt, so that one lucky process is no gain
PAIRS = 3  # of processes for the confirmation
PATIENCE = 5  # times what the row takes as written, or LEAST_PATIENCE_S: a compiler that needs longer has timed out
LEAST_PATIENCE_S = 600.0

Document = Dict[str, Any]


class Trial(NamedTuple):
    """One row on one device, and what it takes to run it again and again."""

    row: Row
    display: Display
    limit_s: float  # for one process

    def run(self, options: List[Option], name: str) -> Dict[str, Any]:
        """Time the row with the options in a fresh process; a time that is not valid is a failure."""
        job = self.row.job(timing_only=True)
        job["options"] = {}
        rule = job["rule"]  # half as long as in a bench, since every answer here comes from several processes
        job["rule"] = dict(rule, min_samples=min(3, rule["min_samples"]), budget_s=rule["budget_s"] / 2)
        for option in options:
            job["options"].update(option.settings)
            job["variables"].update(option.variables)
            job["threads"] = option.threads or job["threads"]
        self.display.start("{:<18} {}  {}".format(self.row.model.key, self.row.device, name), brief=True)
        result = run_child(job, self.limit_s, self.display.on_event)
        if result["status"] == "ok" and not result["train"]["valid"]:
            result.update(status="failed", reason=result["train"]["reason"])
        ok = result["status"] == "ok"
        self.display.finish(describe(medians(result)) if ok else failure(result))
        return result

    def say(self, text: str) -> None:
        self.display.say("{} on {}: {}".format(self.row.model.key, self.row.device, text))


class Attempt(NamedTuple):
    """The row run with some options in one process or more."""

    result: Dict[str, Any]  # of the first process
    times: List[Dict[str, float]]  # phase -> median seconds, of each process

    def median_s(self, phase: str) -> float:
        return quantile(sorted(times[phase] for times in self.times), 0.5)


def run_all(models: List[Model], options: Any, display: Display, outcomes: List[Outcome]) -> None:
    """Tune every row on every device that is asked for, and append what came out to ``outcomes``."""
    sources = find_sources(models, options.data, display)
    for model in models:
        source = sources[model.dataset]
        for device in options.devices:
            if isinstance(source, DataUnavailable):
                display.say("{} on {}: cannot be tuned without its data".format(model.key, device))
                outcomes.append(outcome(jobs.make_row(model, device, None, options), "failed", 0.0))
            else:
                row = jobs.make_row(model, device, source, options)
                outcomes.append(tune(Trial(row, display, row.time_limit_s)))


def tune(trial: Trial) -> Outcome:
    """Tune one row on one device, unless nothing changed since it was done."""
    began, started = time.monotonic(), time.gmtime()
    row, record = trial.row, trial.row.record
    place = Place("{}/tuning".format(row.folder), row.model.key, row.device)
    names = ("machine", "stack", "engine", "profile", "framework", "device", "provenance")
    document = dict({name: record[name] for name in names}, schema_version=SCHEMA_VERSION)
    options = offered(row.options.framework, row.device, row.model.dataset, row.options.threads)
    known = [record["provenance"]["fingerprint"], [option._asdict() for option in options]]
    document["provenance"] = dict(record["provenance"], fingerprint=jobs.sha256(known))
    # An unfinished document is measured again.
    if not row.options.force and place.find(document, lambda found: found.get("reason", "") is None):
        trial.say("unchanged, kept: {}".format(place.path))
        return outcome(row, "ok", 0.0)
    first = attempt(trial, [])
    model = record["model"]
    document.update(
        model={name: model[name] for name in ("key", "title", "params", "library", "dataset", "order")},
        started=time.strftime("%Y-%m-%dT%H:%M:%SZ", started),
        threads=row.options.threads,
        tolerance=TOLERANCE,
        environment=first.result["environment"],
        **search_and_confirm(trial, first, options),
    )
    document["duration_s"] = time.monotonic() - began
    place.save(plain(document))
    trial.say(conclusion(document))
    return outcome(row, first.result["status"], document["duration_s"])


def outcome(row: Row, status: str, seconds: float) -> Outcome:
    """As ``bench.outcome``: a tuning is complete after one call."""
    done = {"processes": 1, "wanted": 1, "measured": seconds > 0, "timing_seconds": seconds}
    return dict(done, row=row.model.key, device=row.device, status=status)


def search_and_confirm(trial: Trial, first: Attempt, options: List[Option]) -> Document:
    """Everything that was found, as the document holds it. ``first`` is the row as written."""
    nothing: Document = {"chosen": [], "confirmation": None, "max_relative_error": None, "reason": None}
    attempts = [attempt_record(None, [], first, None, False)]
    if first.result["status"] != "ok":
        return dict(nothing, attempts=attempts, reason=first.result["reason"])
    patience_s = max(LEAST_PATIENCE_S, PATIENCE * first.result["duration_s"])
    trial = trial._replace(limit_s=min(trial.limit_s, patience_s))
    kept, tried = search(trial, first, options)
    confirmed = confirm(trial, kept) if kept else {}
    return dict(nothing, attempts=attempts + tried, chosen=[option.key for option in kept], **confirmed)


def offered(framework: str, device: str, dataset: str, threads: Optional[int]) -> List[Option]:
    """The framework's options for a row's device and data; on the CPU also other numbers of threads than the row's."""
    every = [option for option in registry.framework(framework).options if device in option.devices]
    found = [option for option in every if not option.datasets or dataset in option.datasets]
    cpus = len(cpu.affinity())
    others = sorted({1, cpus // 2, cpus} - {threads or cpus, 0}) if device == "cpu" else []
    return found + [Option("threads-{}".format(number), threads=number) for number in others]


def attempt(trial: Trial, options: List[Option], best: Optional[Attempt] = None) -> Attempt:
    """Run the row with the options. A second process is not started where the first is slower than ``best``."""
    result = trial.run(options, options[-1].key if best else "as written")
    found = Attempt(result, [])
    again = result
    while again["status"] == "ok":
        found.times.append(medians(again))
        if len(found.times) == PROCESSES or (best and gain(best, found) <= LEAST_GAIN):
            return found
        again = trial.run(options, "again")
    result.update(status=again["status"], reason=again["reason"])
    return found


def search(trial: Trial, first: Attempt, offered: List[Option]) -> Tuple[List[Option], List[Document]]:
    """Forward selection. Returns the options kept, and everything tried as the document holds it."""
    kept: List[Option] = []
    best, tried = first, []
    for option in offered:
        others = [one for one in kept if not (one.threads and option.threads)]
        found = attempt(trial, others + [option], best)
        result = found.result
        apart = difference(first.result, result, trial.row.device) if result["status"] == "ok" else None
        if apart is not None and not apart <= TOLERANCE:
            result["status"] = "different"
            reason = Reason("outputs-differ", {"difference": apart, "tolerance": TOLERANCE})
            result["reason"] = plain(reason)
        keep = result["status"] == "ok" and len(found.times) == PROCESSES and gain(best, found) > LEAST_GAIN
        tried.append(attempt_record(option.key, [one.key for one in others], found, apart, keep))
        if keep:
            kept, best = others + [option], found
        trial.say("{}: {}".format(option.key, verdict(found, keep)))
    return kept, tried


def confirm(trial: Trial, kept: List[Option]) -> Document:
    """Times of the row as written and tuned, in turns, and how far their outputs are apart."""
    sides: Dict[str, List[Option]] = {"as_written": [], "tuned": kept}
    times: Document = {name: {"train_s": [], "predict_s": [], "warnings": []} for name in sides}
    apart = 0.0
    for turn in range(PAIRS):
        results = []
        for name, options in sides.items():
            result = trial.run(options, "{}, {} of {}".format(name.replace("_", " "), turn + 1, PAIRS))
            if result["status"] != "ok":
                reason = Reason("repeat-failed", {"side": name, "reason": result["reason"]})
                return {"confirmation": None, "reason": plain(reason)}
            for phase in PHASES:
                times[name][phase + "_s"].append(result[phase]["median_s"])
            times[name]["warnings"] += result["warnings"]
            results.append(result)
        apart = max(apart, difference(results[0], results[1], trial.row.device))
    return {"confirmation": times, "max_relative_error": apart}


def difference(one: Dict[str, Any], other: Dict[str, Any], device: str) -> float:
    """How far two results' outputs are apart: max |a - b| / max |a|; infinite where one is not a number.

    These are the untrained nets' answers to one batch; on the CPU also the loss of the first training step, which has
    gone through the net in training mode. On a GPU that step may use TF32, whose rounding differs from kernel to
    kernel. Losses after an update are not compared: Adam's first update follows the gradients' signs, so rounding
    alone moves the next loss of a narrow net by a per cent.
    """
    apart = _apart(one["outputs"], other["outputs"])
    if device == "cpu":
        apart = max(apart, _apart([one["first_loss"]], [other["first_loss"]]))
    return apart


def _apart(a: List[Optional[float]], b: List[Optional[float]]) -> float:
    if len(a) != len(b) or None in a or None in b:
        return math.inf
    scale = max(abs(value) for value in a)
    return max(abs(x - y) for x, y in zip(a, b)) / (scale or 1.0)


def gain(before: Attempt, after: Attempt) -> float:
    """The share of the time that is saved for certain: 1 - the slowest process after over the fastest before.

    A process's time is the geometric mean of a training step's and a prediction's.
    """

    def means(found: Attempt) -> List[float]:
        return [math.sqrt(times["train"] * times["predict"]) for times in found.times]

    return 1 - max(means(after)) / min(means(before))


def attempt_record(
    key: Optional[str], others: List[str], found: Attempt, apart: Optional[float], keep: bool
) -> Document:
    """One attempt as the document holds it: samples and interval of its first process, the median over all."""
    result = found.result
    timed: Document = dict.fromkeys(PHASES)
    for phase in PHASES:
        if found.times:
            timed[phase] = {name: result[phase][name] for name in ("interval_s", "samples_s")}
            medians = [times[phase] for times in found.times]
            timed[phase].update(median_s=found.median_s(phase), process_medians_s=medians)
    timed.update({name: result[name] for name in ("status", "reason", "execution", "warnings")})
    return dict(timed, option=key, max_relative_error=apart, kept=keep, **{"with": others})


def medians(result: Dict[str, Any]) -> Dict[str, float]:
    return {phase: result[phase]["median_s"] for phase in PHASES}


def describe(times: Dict[str, float]) -> str:
    return "train {:.4g} s, predict {:.4g} s per batch".format(*(times[phase] for phase in PHASES))


def verdict(found: Attempt, keep: bool) -> str:
    if found.result["status"] != "ok":
        return failure(found.result)
    times = {phase: found.median_s(phase) for phase in PHASES}
    return "{}: {}".format("kept" if keep else "not faster", describe(times))


def conclusion(document: Document) -> str:
    if document["reason"]:
        return "not tuned: {}".format(failure(dict(document, status="failed")))
    if not document["chosen"]:
        return "nothing that was tried is faster"
    sides = [document["confirmation"][name]["train_s"] for name in ("as_written", "tuned")]
    ratios = [after / before for before, after in zip(*sides)]
    return "tuned with {}: a training step takes {:.2f} to {:.2f} of the time".format(
        ", ".join(document["chosen"]), min(ratios), max(ratios)
    )
