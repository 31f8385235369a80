"""Learn this machine's noise: time the same rows again and again, each time in a fresh process.

    python -m runners.calibrate keras --model lstm --out results

What repeated runs of one thing differ by is the least that a comparison may call a difference. The rows take turns,
so that what changes with time falls on all of them. Written to ``<out>/<machine>/<stack>/calibration.json``, beside
the results it is for; frameworks are learnt one at a time, and the file holds the noise of each and of the noisiest.
"""

import itertools
import json
import math
import os
import sys
import time
from typing import Any, Dict, List

import runners.__main__ as parent
from runners import registry, store
from runners.parent.child import run_child
from runners.contract import DataUnavailable, UsageError
from runners.parent.display import Display
from runners.worker.gate import reason_not_timed
from runners.worker.measure import quantile

SCHEMA_VERSION = 1
RUNS = 12  # fresh processes a row: 66 pairs
CHEAP = {"classical": ["ar-ols"], "keras": ["lstm"], "pytorch": ["densenet-24x3"]}
"""The row a framework is calibrated with unless others are named: the one that takes least."""


def main(arguments: Any = None) -> int:
    options = parent.parse(arguments)
    display = Display()
    try:
        parent.check(options)
        parent.one_of("framework", options.framework, tuple(CHEAP))
        keys = [key for key in options.model if registry.framework_of(key) == options.framework]
        with store.only_bench(options.out, display.say):
            medians = repeat(keys or CHEAP[options.framework], options, display)
        noise = write(options, medians)
    except (UsageError, DataUnavailable) as error:
        display.say(str(error))
        return 2
    except KeyboardInterrupt:
        display.say("stopped; the calibration of before stands")
        return 130
    for device, shares in sorted(noise.items()):
        share = shares[options.framework]
        display.say("noise of {} on {} of {}: {:.1f} %".format(options.framework, device, options.machine, 100 * share))
    return 0


def repeat(keys: List[str], options: Any, display: Display) -> Dict[str, Dict[str, List[float]]]:
    """Device -> "model phase" -> the medians of each process, in seconds. Raises ``UsageError`` if a run fails."""
    medians: Dict[str, Dict[str, List[float]]] = {}
    for turn in range(RUNS):
        for key, device in itertools.product(keys, options.device):
            model = registry.load_model(options.framework, key)
            if device not in model.devices:
                continue
            source = parent.find_source(model.dataset, options, display)
            if isinstance(source, DataUnavailable):
                raise source
            display.start("{} {}  run {} of {}".format(key, device, turn + 1, RUNS))
            job = dict(parent.make_job(model, device, source, options), timing_only=True)
            record = run_child(job, model.time_limit_s[options.profile], display.on_event)
            if record["status"] == "skipped":
                display.finish("SKIPPED: {}".format(record["reason"]))
                continue
            reason = reason_not_timed(record)
            if reason is not None:
                raise UsageError("{} on {} gave no time: {}; mend that first".format(key, device, reason))
            for phase in ("train", "predict"):
                rows = medians.setdefault(device, {})
                rows.setdefault("{} {}".format(key, phase), []).append(record["timing"][phase]["median_s"])
            display.finish("train {:.4g} s".format(record["timing"]["train"]["median_s"]))
    return medians


def noise_of(medians: List[float]) -> float:
    """The share r for which 95 % of all pairs of runs have a ratio of medians within 1 / (1 + r) and 1 + r."""
    distances = sorted(abs(math.log(a / b)) for a, b in itertools.combinations(medians, 2))
    return math.exp(quantile(distances, 0.95)) - 1


def write(options: Any, medians: Dict[str, Dict[str, List[float]]]) -> Dict[str, Dict[str, float]]:
    """Merge what was learnt into the machine's calibration for this stack; returns device -> framework -> noise."""
    path = os.path.join(options.out, options.machine, options.stack, "calibration.json")
    document = _read(path, options.stack)
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    for device, rows in medians.items():
        learnt = {
            "when": now,
            "engine": options.engine,
            "noise": {row: noise_of(values) for row, values in rows.items()},
            "medians_s": rows,
        }
        document["frameworks"].setdefault(device, {})[options.framework] = learnt
    document["noise_of"] = {
        device: {name: max(learnt["noise"].values()) for name, learnt in frameworks.items()}
        for device, frameworks in document["frameworks"].items()
    }
    document["noise"] = {device: max(shares.values()) for device, shares in document["noise_of"].items()}
    store.write_whole(path, json.dumps(document, indent=1, sort_keys=True) + "\n")
    return {device: document["noise_of"][device] for device in medians}


def _read(path: str, stack: str) -> Dict[str, Any]:
    """The calibration so far; one that cannot be read is replaced, since all of it can be learnt again."""
    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        if document["schema_version"] == SCHEMA_VERSION and isinstance(document["frameworks"], dict):
            return document
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return {"schema_version": SCHEMA_VERSION, "stack": stack, "noise": {}, "frameworks": {}}


if __name__ == "__main__":
    sys.exit(main())
