"""Find what a framework offers to make a model faster without changing what it computes.

    python -m runners.tune keras --model lstm --device cpu --out results

Options are tried one after the other on top of those kept so far, in fresh processes. One is kept if the model still
gives the same outputs and even its slowest process is faster than the fastest of what was best before. What was found
is then timed beside the row as written, in turns and in fresh processes: those times, which had no part in the choice,
are the ones to quote. Written with all that was tried to ``<out>/<machine>/<stack>/tuning/<model>.<device>.json``.
Options: ``tuning.py`` of each framework.
"""

import json
import math
import os
import sys
import time
from importlib import import_module
from typing import Any, Dict, List, NamedTuple, Optional

import runners.__main__ as parent
from runners import registry, store
from runners.parent.child import run_child
from runners.contract import DataUnavailable, Model, Option, UsageError
from runners.parent.display import Display
from runners.worker.gate import reason_not_timed
from runners.worker.measure import quantile

SCHEMA_VERSION = 1
TOLERANCE = 1e-4  # largest difference of outputs, relative to the largest of them, that rounding may explain
LEAST_GAIN = 0.02  # of the time, between the slowest process with the option and the fastest without
RUNS = 2  # processes an attempt, so that one lucky process is no gain
PAIRS = 3  # of processes for the confirmation
PATIENCE = 5  # times what the row takes as written, or LEAST_PATIENCE_S: a compiler that needs longer has timed out
LEAST_PATIENCE_S = 600.0
TUNABLE = ("keras", "pytorch")
PHASES = ("train", "predict")


class Job(NamedTuple):
    """One model on one device, and what it takes to run it again and again."""

    model: Model
    device: str
    source: Any
    options: Any
    display: Display
    limit_s: float  # for one process

    def run(self, kept: List[Option], name: str) -> Dict[str, Any]:
        """A record of the model with the options laid over it, timed only; its ``outputs`` are those untrained."""
        self.display.start("{:<18} {}  {}".format(self.model.key, self.device, name))
        job = parent.make_job(self.model, self.device, self.source, self.options)
        variant: Dict[str, Any] = {}
        variables: Dict[str, str] = {}
        threads = job["threads"]
        for option in kept:
            variant.update(option.settings)
            variables.update(option.variables)
            threads = option.threads or threads
        rule = job["rule"]  # half as long a look as a bench's, since every answer here comes from several processes
        rule = dict(rule, min_samples=min(3, rule["min_samples"]), budget_s=rule["budget_s"] / 2)
        job.update(timing_only=True, variant=variant, variables=variables, threads=threads, rule=rule)
        job["record"] = dict(job["record"], outputs=None)
        record = run_child(job, self.limit_s, self.display.on_event)
        reason = reason_not_timed(record)
        if reason is None:
            times = [record["timing"][phase]["median_s"] for phase in PHASES]
            self.display.finish("train {:.4g} s, predict {:.4g} s a batch".format(*times))
            return record
        if record["status"] == "ok":  # it ran, but was not really training
            record.update(status="failed", reason=reason)
        self.display.finish(record["status"].upper().replace("_", " "))
        return record

    def say(self, text: str) -> None:
        """One line about the whole of it."""
        self.display.say("{} on {}: {}".format(self.model.key, self.device, text))


class Attempt(NamedTuple):
    """A model run with some options in one process or more."""

    record: Dict[str, Any]  # of the first process
    times: List[Dict[str, float]]  # phase -> median seconds, a process

    def time(self, phase: str) -> float:
        """The median over the processes, in seconds."""
        return quantile(sorted(times[phase] for times in self.times), 0.5)


def main(arguments: Any = None) -> int:
    options = parent.parse(arguments)
    display = Display()
    try:
        parent.check(options)
        parent.one_of("framework", options.framework, TUNABLE)
        keys = [key for key in registry.select(options.model) if registry.framework_of(key) == options.framework]
        with store.only_bench(options.out, display.say):
            return tune_all(keys, options, display)
    except (UsageError, DataUnavailable) as error:
        display.say(str(error))
        return 2
    except KeyboardInterrupt:
        display.say("stopped; the models that are finished are kept")
        return 130


def tune_all(keys: List[str], options: Any, display: Display) -> int:
    """Tune every model on every device asked for; 0 unless one of them fails as written."""
    failed = False
    for key in keys:
        model = registry.load_model(options.framework, key)
        source = parent.find_source(model.dataset, options, display)
        if isinstance(source, DataUnavailable):
            raise source
        for device in options.device:
            if device in model.devices:
                limit_s = model.time_limit_s[options.profile]
                failed = not tune(Job(model, device, source, options, display, limit_s)) or failed
    return 1 if failed else 0


def tune(job: Job) -> bool:
    """Tune one model on one device, unless nothing changed since it was done; whether there is an answer."""
    began = time.time()
    record = parent.make_job(job.model, job.device, job.source, job.options)["record"]
    path = os.path.join(job.options.out, record["machine"], record["stack"], "tuning")
    path = os.path.join(path, "{}.{}.json".format(job.model.key, job.device))
    if not job.options.force and _is_there(path, record):
        job.say("unchanged, kept: {}".format(path))
        return True
    first = attempt(job, [])
    document = {name: record[name] for name in ("machine", "stack", "engine", "profile", "framework", "device")}
    document.update(
        schema_version=SCHEMA_VERSION,
        model={name: record["model"][name] for name in ("key", "title", "params", "library", "dataset", "position")},
        started=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began)),
        threads=job.options.threads,
        tolerance=TOLERANCE,
        environment=first.record["environment"],
        provenance=record["provenance"],
        **_found(job, first),
    )
    document["duration_s"] = time.time() - began
    old = store.read(path)
    if old is not None and old.get("profile") != record["profile"]:
        store.set_aside(path, str(old.get("profile")))
    store.write_whole(path, json.dumps(document, indent=1, sort_keys=True, allow_nan=False) + "\n")
    job.say(_outcome(document))
    return first.record["status"] in ("ok", "skipped")


def _found(job: Job, first: Attempt) -> Dict[str, Any]:
    """What the search and its confirmation give, as the document holds it; the search needs a row that runs."""
    nothing: Dict[str, Any] = {"chosen": [], "pairs": None, "outputs_difference": None, "reason": None}
    if first.record["status"] == "ok" and first.record["outputs"] is None:
        first.record.update(status="skipped", reason="the model does not tell its outputs, so nothing can be compared")
    attempts = [_attempt(None, [], first, None, False)]
    if first.record["status"] != "ok":
        return dict(nothing, attempts=attempts, reason=first.record["reason"])
    patience_s = max(LEAST_PATIENCE_S, PATIENCE * first.record["duration_s"])
    job = job._replace(limit_s=min(job.limit_s, patience_s))
    tuning = import_module("runners.{}.tuning".format(job.options.framework))
    offered = tuning.options(job.device, job.options.threads, len(os.sched_getaffinity(0)))
    kept, tried = search(job, first, offered)
    confirmed = confirm(job, kept) if kept else {}
    return dict(nothing, attempts=attempts + tried, chosen=[option.key for option in kept], **confirmed)


def attempt(job: Job, options: List[Option], best: Optional[Attempt] = None) -> Attempt:
    """Run the model with the options. A second process is spared where the first is slower than ``best`` already."""
    record = job.run(options, options[-1].key if best else "as written")
    found = Attempt(record, [])
    again = record
    while again["status"] == "ok":
        found.times.append({phase: again["timing"][phase]["median_s"] for phase in PHASES})
        if len(found.times) == RUNS or (best and gain(best, found) <= LEAST_GAIN):
            return found
        again = job.run(options, "again")
    record.update(status=again["status"], reason=again["reason"])
    return found


def search(job: Job, first: Attempt, offered: List[Option]) -> Any:
    """Forward selection: (options kept, everything tried as the document holds it)."""
    kept: List[Option] = []
    best, tried = first, []
    for option in offered:
        others = [one for one in kept if not (one.threads and option.threads)]
        found = attempt(job, others + [option], best)
        record = found.record
        apart = difference(first.record, record) if record["status"] == "ok" else None
        if apart is not None and not apart <= TOLERANCE:
            record["status"] = "different"
            record["reason"] = "the outputs differ by {:.1e}; rounding may explain {:.0e}".format(apart, TOLERANCE)
        keep = record["status"] == "ok" and len(found.times) == RUNS and gain(best, found) > LEAST_GAIN
        tried.append(_attempt(option.key, [one.key for one in others], found, apart, keep))
        if keep:
            kept, best = others + [option], found
        job.say(_verdict(option, found, keep))
    return kept, tried


def confirm(job: Job, kept: List[Option]) -> Dict[str, Any]:
    """Times of the row as written and tuned, in turns, and how far their outputs are apart."""
    sides: Dict[str, List[Option]] = {"as_written": [], "tuned": kept}
    pairs: Dict[str, Any] = {name: {"train_s": [], "predict_s": [], "marks": []} for name in sides}
    apart = 0.0
    for turn in range(PAIRS):
        records = []
        for name, options in sides.items():
            record = job.run(options, "{}, {} of {}".format(name.replace("_", " "), turn + 1, PAIRS))
            if record["status"] != "ok":
                reason = "{} failed when it was run again: {}".format(name.replace("_", " "), record["reason"])
                return {"pairs": None, "reason": reason}
            for phase in PHASES:
                pairs[name][phase + "_s"].append(record["timing"][phase]["median_s"])
            pairs[name]["marks"] += record["marks"]
            records.append(record)
        apart = max(apart, difference(*records))
    return {"pairs": pairs, "outputs_difference": _finite(apart)}


def difference(one: Dict[str, Any], other: Dict[str, Any]) -> float:
    """How far two records' outputs are apart: max |a - b| / max |a|; infinite where one is not a number.

    The untrained nets' answers to one batch; on the CPU also the loss of the first training step, which has gone
    through the net in training mode. On a GPU that step may use TF32, whose rounding differs from kernel to kernel.
    Losses after an update are not compared: Adam's first update follows the gradients' signs, so that rounding alone
    moves the next loss of a narrow net by a per cent.
    """
    apart = _apart(one["outputs"], other["outputs"])
    if one["device"] == "cpu":
        losses = [record["timing"]["train"]["losses"][:1] for record in (one, other)]
        apart = max(apart, _apart(*losses))
    return apart


def _apart(a: List[Optional[float]], b: List[Optional[float]]) -> float:
    if len(a) != len(b) or None in a or None in b:
        return math.inf
    scale = max(abs(value) for value in a)
    return max(abs(x - y) for x, y in zip(a, b)) / (scale or 1.0)


def gain(before: Attempt, after: Attempt) -> float:
    """The share of the time that is surely saved: 1 - the slowest process after over the fastest before.

    A process's time is the geometric mean of a training step's and a prediction's.
    """

    def means(found: Attempt) -> List[float]:
        return [math.sqrt(times["train"] * times["predict"]) for times in found.times]

    return 1 - max(means(after)) / min(means(before))


def _attempt(
    key: Optional[str], others: List[str], found: Attempt, apart: Optional[float], keep: bool
) -> Dict[str, Any]:
    """One attempt as the document holds it: samples and interval of its first process, the median over all."""
    timed: Dict[str, Any] = dict.fromkeys(PHASES)
    for phase in PHASES:
        if found.times:
            timed[phase] = {name: found.record["timing"][phase][name] for name in ("interval_s", "samples_s")}
            timed[phase].update(median_s=found.time(phase), process_medians_s=[times[phase] for times in found.times])
    return dict(
        timed,
        option=key,
        status=found.record["status"],
        reason=found.record["reason"],
        outputs_difference=_finite(apart),
        kernel_path=found.record["kernel_path"],
        marks=found.record["marks"],
        kept=keep,
        **{"with": others},
    )


def _finite(value: Optional[float]) -> Optional[float]:
    return value if value is not None and math.isfinite(value) else None


def _is_there(path: str, record: Dict[str, Any]) -> bool:
    """Whether a document with the record's fingerprint is at its place, brought back if another profile's was there."""
    kept = store.kept_path(path, record["profile"])
    for candidate in (path, kept):
        found = store.read(candidate)
        provenance = (found or {}).get("provenance")
        same = isinstance(provenance, dict) and provenance.get("fingerprint") == record["provenance"]["fingerprint"]
        if same and found.get("reason") is None:  # one that did not come to an end is made again
            if candidate == kept:
                other = store.read(path)
                if other is not None:
                    store.set_aside(path, str(other.get("profile")))
                os.rename(kept, path)
            return True
    return False


def _verdict(option: Option, found: Attempt, keep: bool) -> str:
    record = found.record
    if record["status"] != "ok":
        reason = (record["reason"] or "").split("\n")[0][:200]
        return "{}: {}: {}".format(option.key, record["status"].upper().replace("_", " "), reason)
    times = "train {:.4g} s, predict {:.4g} s a batch".format(*map(found.time, PHASES))
    return "{}: {}: {}".format(option.key, "kept" if keep else "not faster", times)


def _outcome(document: Dict[str, Any]) -> str:
    if document["reason"]:
        return "not tuned: {}".format(document["reason"])
    if not document["chosen"]:
        return "nothing that was tried is faster"
    pairs = document["pairs"]
    ratios = [after / before for before, after in zip(pairs["as_written"]["train_s"], pairs["tuned"]["train_s"])]
    return "tuned with {}: a training step takes {:.2f} to {:.2f} of the time".format(
        ", ".join(document["chosen"]), min(ratios), max(ratios)
    )


if __name__ == "__main__":
    sys.exit(main())
