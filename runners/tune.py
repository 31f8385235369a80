"""Find what a framework offers to make a model faster without changing what it computes.

    python -m runners.tune keras --model lstm --device cpu --out results

Options are tried one after the other on top of those kept so far, each in a fresh process. One is kept if the model
still gives the same outputs and takes less time. What was found is then timed beside the row as written, in turns and
in fresh processes: those times, which had no part in the choice, are the ones to quote. Written with all that was
tried to ``<out>/<machine>/<stack>/tuning/<model>.<device>.json``. Options: ``tuning.py`` of each framework.
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
from runners.child import run_child
from runners.contract import DataUnavailable, Model, Option, UsageError
from runners.display import Display
from runners.measure import quantile

SCHEMA_VERSION = 1
TOLERANCE = 1e-4  # largest difference of outputs, relative to the largest of them, that rounding may explain
LEAST_GAIN = 0.02  # of the time: the loop's own precision, so less is no gain that one process can show
PAIRS = 3  # of processes for the confirmation
TUNABLE = ("keras", "pytorch")


class Job(NamedTuple):
    """One model on one device, and what it takes to run it again and again."""

    model: Model
    device: str
    source: Any
    options: Any
    display: Display

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
        job.update(timing_only=True, variant=variant, variables=variables, threads=threads)
        job["record"] = dict(job["record"], outputs=None)
        return run_child(job, self.model.time_limit_s[self.options.profile], self.display.on_event)


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
                failed = not tune(Job(model, device, source, options, display)) or failed
    return 1 if failed else 0


def tune(job: Job) -> bool:
    """Tune one model on one device, unless nothing changed since it was done; whether there is an answer."""
    path = os.path.join(
        job.options.out,
        job.options.machine,
        job.options.stack,
        "tuning",
        "{}.{}.json".format(job.model.key, job.device),
    )
    record = parent.make_job(job.model, job.device, job.source, job.options)["record"]
    job.display.start("{:<18} {}".format(job.model.key, job.device))
    if not job.options.force and _fingerprint(path) == record["provenance"]["fingerprint"]:
        job.display.finish("unchanged, kept: {}".format(path))
        return True
    began = time.time()
    first = job.run([], "as written")
    if first["status"] != "ok":
        job.display.finish("{}: {}".format(first["status"].upper(), first["reason"]))
        return first["status"] == "skipped"
    job.display.finish(_times(first))
    offered = import_module("runners.{}.tuning".format(job.options.framework)).options(
        job.device, job.options.threads, len(os.sched_getaffinity(0))
    )
    kept, attempts = search(job, first, offered)
    document = {name: record[name] for name in ("machine", "stack", "engine", "profile", "framework", "device")}
    document.update(
        schema_version=SCHEMA_VERSION,
        model={name: record["model"][name] for name in ("key", "title", "params", "library", "dataset", "position")},
        started=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began)),
        threads=job.options.threads,
        tolerance=TOLERANCE,
        chosen=[option.key for option in kept],
        attempts=attempts,
        environment=first["environment"],
        provenance=record["provenance"],
        **confirm(job, kept),
    )
    document["duration_s"] = time.time() - began
    store.write_whole(path, json.dumps(document, indent=1, sort_keys=True, allow_nan=False) + "\n")
    job.display.start("{:<18} {}".format(job.model.key, job.device))
    job.display.finish(_outcome(document))
    return True


def search(job: Job, first: Dict[str, Any], offered: List[Option]) -> Any:
    """Forward selection: (options kept, everything tried as the document holds it)."""
    kept: List[Option] = []
    best = first
    attempts = [_attempt(None, [], first, None, False)]
    for option in offered:
        record = job.run(kept + [option], option.key)
        apart = difference(first, record) if record["status"] == "ok" else None
        if apart is not None and not apart <= TOLERANCE:
            record["status"] = "different"
            record["reason"] = "the outputs differ by {:.1e}; rounding may explain {:.0e}".format(apart, TOLERANCE)
        keep = record["status"] == "ok" and gain(best, record) > LEAST_GAIN
        attempts.append(_attempt(option.key, [one.key for one in kept], record, apart, keep))
        if keep:
            kept, best = kept + [option], record
        job.display.finish(_verdict(record, keep))
    return kept, attempts


def confirm(job: Job, kept: List[Option]) -> Dict[str, Any]:
    """Times of the row as written and tuned, in turns, and how far their outputs are apart; none if none was kept."""
    if not kept:
        return {"pairs": None, "outputs_difference": None}
    pairs: Dict[str, Dict[str, List[float]]] = {
        name: {"train_s": [], "predict_s": []} for name in ("as_written", "tuned")
    }
    apart = 0.0
    for turn in range(PAIRS):
        records = []
        for name, options in (("as_written", []), ("tuned", kept)):
            record = job.run(options, "{}, {} of {}".format(name.replace("_", " "), turn + 1, PAIRS))
            if record["status"] != "ok":
                raise UsageError("{} failed when it was run again: {}".format(name, record["reason"]))
            for phase in ("train", "predict"):
                pairs[name][phase + "_s"].append(record["timing"][phase]["median_s"])
            job.display.finish(_times(record))
            records.append(record)
        apart = max(apart, difference(*records))
    return {"pairs": pairs, "outputs_difference": _finite(apart)}


def difference(one: Dict[str, Any], other: Dict[str, Any]) -> float:
    """How far two records' outputs are apart: max |a - b| / max |a|; infinite where one is not a number.

    The untrained nets' answers to one batch; on the CPU also the loss of the first training step, which has gone
    through the net in training mode. On a GPU that step may use TF32, whose rounding differs from kernel to kernel.
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


def gain(before: Dict[str, Any], after: Dict[str, Any]) -> float:
    """The share of the time that is saved: 1 - the geometric mean of training's and prediction's ratio of medians."""
    ratios = []
    for phase in ("train", "predict"):
        a, b = before["timing"][phase], after["timing"][phase]
        if not b["counts"]:
            return -math.inf
        ratios.append(b["median_s"] / a["median_s"])
    return 1 - math.sqrt(ratios[0] * ratios[1])


def _attempt(
    key: Optional[str], kept: List[str], record: Dict[str, Any], apart: Optional[float], keep: bool
) -> Dict[str, Any]:
    """One attempt as the document holds it."""
    timed = {"train": None, "predict": None}
    for phase in timed:
        if record["timing"] is not None:
            timed[phase] = {name: record["timing"][phase][name] for name in ("median_s", "interval_s", "samples_s")}
    return dict(
        timed,
        option=key,
        status=record["status"],
        reason=record["reason"],
        outputs_difference=_finite(apart),
        kernel_path=record["kernel_path"],
        kept=keep,
        **{"with": kept},
    )


def _finite(value: Optional[float]) -> Optional[float]:
    return value if value is not None and math.isfinite(value) else None


def _fingerprint(path: str) -> Optional[str]:
    """That of a document that is there; ``None`` where there is none that can be read: then it is made anew."""
    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        return document["provenance"]["fingerprint"] if document["schema_version"] == SCHEMA_VERSION else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _times(record: Dict[str, Any]) -> str:
    return "train {:.4g} s, predict {:.4g} s a batch".format(
        *(record["timing"][phase]["median_s"] for phase in ("train", "predict"))
    )


def _verdict(record: Dict[str, Any], keep: bool) -> str:
    if record["status"] != "ok":
        return "{}: {}".format(
            record["status"].upper().replace("_", " "), (record["reason"] or "").split("\n")[0][:200]
        )
    return "{}: {}".format("kept" if keep else "not faster", _times(record))


def _outcome(document: Dict[str, Any]) -> str:
    if not document["chosen"]:
        return "nothing that was tried is faster"
    medians = [quantile(sorted(document["pairs"][name]["train_s"]), 0.5) for name in ("as_written", "tuned")]
    return "tuned with {}: a training step takes {:.4g} s instead of {:.4g} s ({:.2f} of the time)".format(
        ", ".join(document["chosen"]), medians[1], medians[0], medians[1] / medians[0]
    )


if __name__ == "__main__":
    sys.exit(main())
