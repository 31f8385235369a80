"""How a document of an older version becomes one of the next. The history is in ``report/schema/README.md``.

A step takes a record that nobody has checked yet: what is missing or of the wrong kind may raise LookupError,
TypeError, ValueError or AttributeError. What it returns is checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

JSON = dict[str, Any]

_CONDITIONS = {
    "processors": "cpus",
    "others_busy": "other_load_cpus",
    "stolen": "steal_cpus",
    "frequency_mhz_before": "cpu_mhz_before",
    "frequency_mhz_after": "cpu_mhz_after",
    "temperature_c_before": "cpu_temperature_c_before",
    "temperature_c_after": "cpu_temperature_c_after",
    "throttled": "cpu_throttled",
    "quota_stops": "cgroup_throttled",
}
_WARNINGS = {"falling-card-clock": "falling-gpu-clock", "quota": "cgroup-throttled"}
_OPTIONS = {"any-order": "nondeterministic", "direct-step": "tf-function"}
_MEMORY = {
    "device_before_bytes": "gpu_used_before_bytes",
    "device_after_bytes": "gpu_used_after_bytes",
    "device_total_bytes": "gpu_total_bytes",
}
_PEAKS = {"since the last reset": "timed-steps", "of the whole process": "process"}
_SEED = ("seed", "seconds", "loss", "accuracy", "recursive_loss", "recursive_accuracy")
_ENVIRONMENT = ("cpu", "threads", "governor", "memory_bytes", "os", "python", "versions")
_GPU = ("name", "memory_bytes", "driver", "compute_capability")
_KERNEL = re.compile(r"^\d+\.\d+")


def result_from_1(old: JSON) -> JSON:
    """Return a result of version 1 as version 2 writes it: one process, and statements as keys."""
    timing = old["timing"] or {"train": None, "predict": None, "epoch": None, "test_set": None}
    process = {
        "started": old["started"],
        "duration_s": old["duration_s"],
        "round": 1,
        "order": None,
        "order_seed": None,
        "status": old["status"],
        "reason": _reason(old["reason"]),
        "train": _phase(timing["train"]),
        "predict": _phase(timing["predict"]),
        "memory": old["memory"] and _renamed(old["memory"], _MEMORY),
        "energy": old["energy"],
        "warnings": _warnings(old["marks"]),
        "environment_sha256": None,
        "code_sha256": old["provenance"]["code_sha256"],
    }
    taken = ("timing", "started", "duration_s", "memory", "energy", "marks", "kernel_path")
    return {
        **{name: value for name, value in old.items() if name not in taken},
        "schema_version": 2,
        "model": _model(old["model"]) | {"details": old["model"]["details"] or {}},
        "reason": process["reason"],
        "settings": _renamed(old["settings"], {"rule": "stopping_rule"}),
        "quality": old["quality"] and _quality(old["quality"]),
        "epoch": _total(timing["epoch"]),
        "test_set": _total(timing["test_set"]),
        "processes": [] if old["status"] == "skipped" else [process],
        "data": old["data"] and {**old["data"], "note": _reason(old["data"]["note"])},
        "environment": old["environment"] and _environment(old["environment"]),
        "execution": _execution(old["kernel_path"]),
    }


def tuning_from_1(old: JSON) -> JSON:
    """Return a tuning of version 1 as version 2 writes it."""
    pairs = old["pairs"]
    names = {"outputs_difference": "max_relative_error", "pairs": "confirmation"}
    return {
        **_renamed(old, names),
        "schema_version": 2,
        "model": _model(old["model"]),
        "chosen": _options(old["chosen"]),
        "confirmation": pairs and {side: _with_warnings(values) for side, values in pairs.items()},
        "attempts": [_attempt(attempt) for attempt in old["attempts"]],
        "environment": old["environment"] and _environment(old["environment"]),
        "reason": _reason(old.get("reason")),
    }


def _attempt(old: JSON) -> JSON:
    names = {"outputs_difference": "max_relative_error", "kernel_path": "execution"}
    changed: JSON = {"reason": _reason(old["reason"]), "with": _options(old["with"])}
    changed["execution"] = _execution(old["kernel_path"])
    if old["option"] is not None:
        changed["option"] = _OPTIONS.get(old["option"], old["option"])
    return _with_warnings(_renamed(old, names)) | changed


def _options(old: Iterable[str]) -> list[str]:
    return [_OPTIONS.get(option, option) for option in old]


def _with_warnings(old: JSON) -> JSON:
    kept = {name: value for name, value in old.items() if name != "marks"}
    return {**kept, "warnings": _warnings(old.get("marks", []))}


def _renamed(old: JSON, names: dict[str, str]) -> JSON:
    return {names.get(name, name): value for name, value in old.items()}


def _reason(sentence: str | None) -> JSON | None:
    """Version 1 had English sentences; the report shows them as they are."""
    return {"key": "text", "values": {"text": sentence}} if sentence else None


def _warnings(old: Iterable[JSON]) -> list[JSON]:
    return [
        {
            "key": _WARNINGS.get(mark["key"], mark["key"]),
            "phase": mark["phase"],
            "values": mark.get("figures") or {"text": mark["reason"]},
        }
        for mark in old
    ]


def _model(old: JSON) -> JSON:
    return _renamed(old, {"position": "order"})


def _phase(old: JSON | None) -> JSON | None:
    if old is None:
        return None
    conditions = old.get("conditions")
    kept = {name: value for name, value in old.items() if name not in ("counts", "process_medians_s")}
    return {
        **kept,
        "valid": old["counts"],
        "reason": _reason(old["reason"]),
        "conditions": conditions
        and {_CONDITIONS.get(name, re.sub("^card_", "gpu_", name)): value for name, value in conditions.items()},
    }


def _total(old: JSON | None) -> JSON | None:
    return old and {**old, "how": "extrapolated" if old["how"] == "multiplied" else old["how"]}


def _quality(old: JSON) -> JSON:
    return {
        **old,
        "scores": [{**score, "note": _reason(score["note"])} for score in old["scores"]],
        "by_seed": [{name: seed[name] for name in _SEED if name in seed} for seed in old["by_seed"]],
        "reason": _reason(old["reason"]),
        "notes": [_reason(note) for note in old["notes"] if note],
    }


def _environment(old: JSON) -> JSON:
    kernel = _KERNEL.match(old["kernel"] or "")
    return {
        **{name: old[name] for name in _ENVIRONMENT},
        "logical_cpus": old["cores"],
        "cpu_affinity": old.get("processors"),
        "kernel": kernel and kernel[0],
        "gpu": old["gpu"] and {name: old["gpu"][name] for name in _GPU},
    }


def _execution(old: JSON | None) -> JSON | None:
    """What version 1 said of the peaks in words is a key."""
    return old and {name: _PEAKS.get(value, value) if name == "peak_memory" else value for name, value in old.items()}
