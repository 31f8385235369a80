"""The child: one model on one device, once.

Reads a job (JSON) from standard input, tells its parent how it goes over the pipe named by ``--events``, and
hands up a result record. It never writes a file of its own: the parent does, whatever happens here.
"""

import ctypes
import json
import os
import signal
import sys
import time
import traceback
from typing import Any, Dict, List, NamedTuple, Optional

from runners import energy, environment, events, marks, nvml
from runners.contract import (
    Backend,
    Context,
    DataUnavailable,
    DeviceUnavailable,
    OptionUnavailable,
    Quality,
    Rule,
    Steps,
)
from runners.data import dataset
from runners.worker.gate import reason_not_training
from runners.worker.measure import interquartile_range, measure, median_interval, quantile
from runners.registry import load_model

OUT_OF_MEMORY_NAMES = ("OutOfMemoryError", "ResourceExhaustedError", "MemoryError")


class Timed(NamedTuple):
    """One timed phase as the record holds it, with the marks it earned and what it cost."""

    phase: Dict[str, Any]
    marks: List[Dict[str, Any]]
    joules_per_batch: Optional[float]


def main() -> int:
    _die_with_parent()
    sender = events.Sender(int(sys.argv[sys.argv.index("--events") + 1]))
    job = json.load(sys.stdin)
    record = job["record"]
    try:
        run(job, record, sender)
    except (DeviceUnavailable, OptionUnavailable, DataUnavailable) as error:
        record["status"] = "failed" if isinstance(error, DataUnavailable) else "skipped"
        record["reason"] = str(error)
    except Exception as error:  # a failure is a result with a reason
        traceback.print_exc()
        record["status"] = "out_of_memory" if _is_out_of_memory(error) else "failed"
        record["reason"] = "{}: {}".format(type(error).__name__, error)[:2000]
    sender.send("result", record=events.plain(record))
    return 0


def run(job: Dict[str, Any], record: Dict[str, Any], sender: events.Sender) -> None:
    """Fill ``record`` by timing the model and training it; raises what the model raises."""
    sender.send("phase", phase="prepare")
    card_before = nvml.read_card() if record["device"] == "gpu" else None
    model = load_model(record["framework"], record["model"]["key"])
    cores = len(os.sched_getaffinity(0))
    backend = _open_backend(record["framework"])(record["device"], job["threads"])
    record["environment"] = environment.describe(job["threads"], cores, backend.versions())
    data = dataset(model.dataset).load(job["data_dir"])
    record["data"] = data.source.record()
    context = Context(
        backend=backend,
        device=record["device"],
        profile=record["profile"],
        settings=dict(model.settings[record["profile"]], **job.get("variant", {})),
        seed=job["seed"],
        data=data,
        progress=sender.progress,
        checkpoints=job["checkpoints"],
    )

    backend.seed(job["seed"])
    steps = model.prepare(context)
    record["model"].update(parameters=steps.parameters, details=steps.details)
    if "outputs" in record and steps.outputs is not None:  # asked for by runners.tune, before anything is trained
        record["outputs"] = steps.outputs()
    time_model(steps, backend, Rule(**job["rule"]), record, card_before, sender)
    record["kernel_path"] = backend.kernel_path()

    if job.get("timing_only"):
        record["status"] = "ok"
        return
    sender.send("phase", phase="quality")
    if data.source.synthetic:
        quality = Quality(reason="the data are synthetic, so a loss or accuracy would mean nothing")
    else:
        backend.seed(job["seed"])
        quality = model.train_to_quality(context)
    record["quality"] = _quality_record(quality)
    record["timing"].update(_whole_passes(steps, quality, record["timing"]))
    record["status"] = "ok"


def time_model(
    steps: Steps,
    backend: Backend,
    rule: Rule,
    record: Dict[str, Any],
    card_before: Optional[nvml.Card],
    sender: events.Sender,
) -> None:
    """Time training and prediction, with the memory they took, into ``record``."""
    resident_before = environment.Resident.now()
    peak_before, is_reset = environment.Resident.peak(), environment.Resident.reset_peak()
    backend.reset_memory()

    losses: List[float] = []
    state_before = steps.state()
    on_gpu = record["device"] == "gpu"

    def keep_loss(answer):
        losses.append(steps.read_loss(answer))

    train = _time_phase("train", steps, backend, rule, keep_loss, on_gpu, sender)
    warmups = len(train.phase["warmup_s"])
    reason = reason_not_training(losses[warmups:], steps.iterative, state_before, steps.state())
    train.phase.update(losses=losses, counts=reason is None, reason=reason)
    predict = _time_phase("predict", steps, backend, rule, lambda answer: None, on_gpu, sender)

    card_after = nvml.read_card() if card_before is not None else None
    counted = backend.read_memory()
    record["memory"] = {
        "peak_allocated_bytes": counted.get("peak_allocated_bytes"),
        "peak_reserved_bytes": counted.get("peak_reserved_bytes"),
        "device_before_bytes": card_before.memory_used if card_before else None,
        "device_after_bytes": card_after.memory_used if card_after else None,
        "device_total_bytes": card_before.memory_total if card_before else None,
        "resident_before_bytes": resident_before,
        "peak_resident_bytes": _peak_resident(None if is_reset else peak_before),
    }
    if train.joules_per_batch is not None or predict.joules_per_batch is not None:
        record["energy"] = {
            "train_joules_per_batch": train.joules_per_batch,
            "predict_joules_per_batch": predict.joules_per_batch,
            "source": energy.SOURCES[record["device"]],
        }
    record["timing"] = {"train": train.phase, "predict": predict.phase, "epoch": None, "test_set": None}
    record["marks"] = train.marks + predict.marks


def _time_phase(
    name: str, steps: Steps, backend: Backend, rule: Rule, observe: Any, on_gpu: bool, sender: events.Sender
) -> Timed:
    sender.send("phase", phase=name)
    step, next_batch = (steps.train, steps.train_batch) if name == "train" else (steps.predict, steps.predict_batch)
    warm: List[Any] = []  # the machine and the card when the samples begin: building and compiling are no part of them

    def on_warm() -> None:
        warm.extend([nvml.read_card() if on_gpu else None, environment.read_conditions()])

    began = time.monotonic()
    samples = measure(
        step,
        backend.synchronize,
        rule,
        next_batch=next_batch,
        observe=observe,
        progress=sender.samples(name, rule, began),
        on_warm=on_warm,
    )
    card_after = nvml.read_card() if on_gpu else None  # first of all, while it still has its clock
    card_before, conditions_before = warm
    conditions = environment.conditions(conditions_before, environment.read_conditions())
    conditions.update(nvml.conditions(card_before, card_after))
    joules_per_batch = energy.per_batch("gpu" if on_gpu else "cpu", step, next_batch, backend.synchronize)

    ordered = sorted(samples.samples_s)
    phase = {
        "unit": steps.train_unit if name == "train" else "batch",
        "batch_size": steps.batch_size,
        "inner_loops": samples.inner_loops,
        "warmup_s": samples.warmup_s,
        "samples_s": samples.samples_s,
        "stopped_by": samples.stopped_by,
        "median_s": quantile(ordered, 0.5),
        "interval_s": median_interval(ordered),
        "iqr_s": interquartile_range(ordered),
        "process_medians_s": [],
        "losses": [],
        "counts": True,
        "reason": None,
        "conditions": conditions,
    }
    found = marks.of_samples(samples.samples_s, phase["iqr_s"], phase["median_s"], samples.stopped_by, rule)
    found += marks.of_conditions(conditions) + marks.of_card(card_before, card_after, os.getpid())
    return Timed(phase, [dict(mark._asdict(), phase=name) for mark in found], joules_per_batch)


def _peak_resident(peak_before: Optional[int]) -> Optional[int]:
    """The peak of the timed steps. One that could not be set back is theirs only if it rose above ``peak_before``."""
    peak = environment.Resident.peak()
    return None if peak is None or (peak_before is not None and peak <= peak_before) else peak


def _whole_passes(steps: Steps, quality: Quality, timing: Dict[str, Any]) -> Dict[str, Any]:
    """Seconds an epoch and a test set, where the page quotes them: as measured, else multiplied out."""

    def whole(batches, measured_s, phase):
        if batches is None or not phase["counts"]:
            return None
        if measured_s is not None:
            return {"seconds": measured_s, "batches": batches, "how": "measured"}
        return {"seconds": batches * phase["median_s"], "batches": batches, "how": "multiplied"}

    return {
        "epoch": whole(steps.train_batches, quality.epoch_seconds, timing["train"]),
        "test_set": whole(steps.test_batches, quality.test_seconds, timing["predict"]),
    }


def _quality_record(quality: Quality) -> Dict[str, Any]:
    record = dict(quality._asdict())
    record["scores"] = [dict(score._asdict()) for score in quality.scores]
    return record


def _open_backend(framework):
    from importlib import import_module

    return import_module("runners.{}.backend".format(framework)).open_backend


def _is_out_of_memory(error: Exception) -> bool:
    return type(error).__name__ in OUT_OF_MEMORY_NAMES or "out of memory" in str(error).lower()


def _die_with_parent() -> None:
    """Ask the kernel to end this process with its parent (prctl(2), PR_SET_PDEATHSIG = 1): none is left running."""
    try:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    except (OSError, AttributeError):
        pass  # not Linux: the parent's own clean-up has to do


if __name__ == "__main__":
    sys.exit(main())
