"""What the table for other programs has: its columns, and the cells of a row."""

from __future__ import annotations

import statistics
from collections.abc import Mapping

from report.output.tables import Column, Value
from report.page.models import joules, peak_memory
from report.page.rows import Row
from report.records import DEVICES, PHASES, PhaseName, Result, total
from report.records.figure import detectable

ROW = (
    ("machine", "string", "", "name of the machine"),
    ("stack", "string", "", "name of the software stack"),
    ("framework", "string", "", "folder of the framework"),
    ("model", "string", "", "key of the row"),
    ("title", "string", "", "the model as the page names it"),
    ("params", "string", "", "its size as the page gives it"),
    ("library", "string", "", "library as the page names it"),
    ("dataset", "string", "", "key of the data set"),
    ("order", "integer", "", "place of the row on the page"),
    ("parameters", "integer", "", "trainable parameters"),
)
DEVICE = (
    ("status", "string", "", "ok, failed, timeout, out_of_memory or skipped"),
    ("reason", "string", "", "key of the reason why the status is not ok"),
    ("engine", "string", "", "what isolated the framework: venv, docker, podman or none"),
    ("profile", "string", "", "smoke, quick or full"),
    ("started", "string", "", "when the first process started, UTC"),
    ("protocol", "string", "", "how loss and accuracy were scored"),
    ("loss", "number", "", "loss on the test part"),
    ("loss_metric", "string", "", "what the loss is"),
    ("accuracy", "number", "", "accuracy on the test part"),
    ("accuracy_metric", "string", "", "what the accuracy is"),
    ("epoch_s", "number", "s", "time of a complete epoch"),
    ("test_set_s", "number", "s", "time to predict the complete test set"),
    ("peak_allocated_bytes", "integer", "B", "most GPU memory that the framework had allocated"),
    ("peak_reserved_bytes", "integer", "B", "most GPU memory that it had reserved"),
    ("peak_resident_bytes", "integer", "B", "largest resident set of a process during the steps"),
    ("threads", "integer", "", "threads that the framework used"),
    ("warnings", "string", "", "warnings, as phase:key, separated by blanks"),
    ("data_sha256", "string", "", "checksum of the data"),
    ("data_synthetic", "boolean", "", "true: generated in place of the real data"),
    ("git_commit", "string", "", "commit of the code that measured"),
    ("git_clean", "boolean", "", "false: the code had uncommitted changes"),
    ("lock_sha256", "string", "", "checksum of the framework's lock"),
    ("image", "string", "", "image digest, or the environment's identity"),
    ("file", "string", "", "the JSON below the results folder that this is from"),
)
PHASE = (
    ("s", "number", "s", "median over the processes, in seconds per unit"),
    ("low_s", "number", "s", "lower end of its 95 % interval; empty with one process"),
    ("high_s", "number", "s", "upper end of that interval"),
    ("fastest_s", "number", "s", "fastest sample of a process, median; ratios compare these"),
    ("detectable", "number", "", "slowdown that two such benches would show nine times in ten"),
    ("processes", "integer", "", "fresh processes behind it"),
    ("samples", "integer", "", "samples of all processes"),
    ("iqr_s", "number", "s", "interquartile range of the samples of a process, median"),
    ("unit", "string", "", "what the seconds are for: batch, or fit for a model without batches"),
    ("batch_size", "integer", "", "examples per batch"),
    ("joules", "number", "J", "energy per unit, median over the processes that counted it"),
)
_MEMORY = ("peak_allocated_bytes", "peak_reserved_bytes", "peak_resident_bytes")
_OF_DEVICE, _OF_PHASE = ([name for name, *_ in columns] for columns in (DEVICE, PHASE))
STEPS: Mapping[PhaseName, str] = {"train": "a training step", "predict": "a prediction"}


def columns() -> list[Column]:
    """Return each column's name, type, unit and description."""
    found = list(ROW)
    for device in DEVICES:
        found += [(f"{device}_{name}", kind, unit, f"{device.upper()}: {words}") for name, kind, unit, words in DEVICE]
        for phase, step in STEPS.items():
            found += [
                (f"{device}_{phase}_{name}", kind, unit, f"{device.upper()}, {step}: {words}")
                for name, kind, unit, words in PHASE
            ]
    return [dict(zip(("name", "type", "unit", "description"), column, strict=True)) for column in found]


def cells(row: Row) -> list[Value]:
    """Return the values in the order of ``columns``: seconds, bytes and joules, never formatted; None for a gap."""
    first, model = row.results[0], row.model
    found: list[Value] = [first.machine, first.stack, first.framework, model.key]
    found += [getattr(model, name) for name, *_ in ROW[len(found) :]]
    for device in DEVICES:
        result = row.on(device)
        found += map((_of_result(result) if result else {}).get, _OF_DEVICE)
        for phase in PHASES:
            found += map((_of_phase(row, result, phase) if result else {}).get, _OF_PHASE)
    return found


def _of_result(result: Result) -> dict[str, Value]:
    quality, data, made = result.quality, result.data, result.provenance
    score = quality and quality.score(quality.protocol)
    is_ok = result.status == "ok"
    epoch, test_set = total(result, "epoch") if is_ok else None, total(result, "test_set") if is_ok else None
    warnings = {f"{warning.phase}:{warning.key}" for process in result.finished for warning in process.warnings}
    return {
        "status": result.status,
        "reason": result.reason and result.reason.key,
        "engine": result.engine,
        "profile": result.profile,
        "started": result.started,
        "protocol": quality and (quality.protocol or None),
        "loss": score and score.loss,
        "loss_metric": quality and (quality.loss_metric or None),
        "accuracy": score and score.accuracy,
        "accuracy_metric": quality and (quality.accuracy_metric or None),
        "epoch_s": epoch and epoch.median_s,
        "test_set_s": test_set and test_set.median_s,
        **{name: peak_memory(result, name) for name in _MEMORY},
        "threads": result.environment and result.environment.threads,
        "warnings": " ".join(sorted(warnings)) or None,
        "data_sha256": data and data.sha256,
        "data_synthetic": data and data.synthetic,
        **{name: getattr(made, name) for name in ("git_commit", "git_clean", "lock_sha256", "image")},
        "file": result.file,
    }


def _of_phase(row: Row, result: Result, phase: PhaseName) -> dict[str, Value]:
    step, phases = row.step(result.device, phase), result.phases(phase)
    if step is None:
        return {}
    return {
        "s": step.median_s,
        "low_s": step.low_s,
        "high_s": step.high_s,
        "fastest_s": statistics.median(timed.fastest_s for timed in phases),
        "detectable": detectable(result, phase),
        "processes": len(phases),
        "samples": sum(len(timed.samples_s) for timed in phases),
        "iqr_s": statistics.median(timed.iqr_s for timed in phases),
        "unit": phases[0].unit,
        "batch_size": phases[0].batch_size,
        "joules": joules(result, phase),
    }
