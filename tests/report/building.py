"""Makes result and tuning records of schema version 2, and folders of them, for tests that need their own."""

import json
import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from report.records import Result, load_results

Json = dict[str, Any]

ROWS: dict[str, tuple[int, str, str, str, str, str]] = {
    "lstm": (1, "LSTM", "2 stacked LSTM", "Keras", "keras", "airline"),
    "ar": (3, "AR", "12 lags", "statsmodels", "classical", "airline"),
    "bilstm": (6, "Bi-LSTM", "2 stacked Bi-LSTM", "Keras", "keras", "household"),
    "densenet-24x3": (7, "DenseNet", "3 x 24 dense", "PyTorch", "pytorch", "cifar10"),
}


def reason(key: str, **values: Any) -> Json:
    """A statement as a key with values."""
    return {"key": key, "values": values}


def phase(median_s: float, count: int = 40, spread: float = 0.01, **changes: Any) -> Json:
    """A phase of one process whose samples lie around ``median_s``."""
    samples = [float(f"{median_s * (1 + spread * math.sin(2.4 * place)):.9g}") for place in range(count)]
    ordered = sorted(samples)
    made = {
        "unit": "batch",
        "batch_size": 32,
        "inner_loops": 1,
        "warmup_s": [median_s * 2],
        "samples_s": samples,
        "stopped_by": "precision",
        "median_s": median_s,
        "interval_s": [ordered[count // 3], ordered[count - 1 - count // 3]],
        "iqr_s": statistics.quantiles(samples)[2] - statistics.quantiles(samples)[0] if count > 1 else 0.0,
        "losses": [],
        "valid": True,
        "reason": None,
        "conditions": None,
    }
    return {**made, **changes}


def process(number: int, train_s: float, predict_s: float, **changes: Any) -> Json:
    """The process of round ``number`` (from 1): the rounds of a bench start an hour apart."""
    made = {
        "started": f"2026-11-24T{number:02}:00:00Z",
        "duration_s": 12.5,
        "round": number,
        "order": 1,
        "order_seed": 7,
        "status": "ok",
        "reason": None,
        "train": phase(train_s),
        "predict": phase(predict_s),
        "memory": None,
        "energy": None,
        "warnings": [],
        "environment_sha256": "e" * 64,
        "code_sha256": "c" * 64,
        "startup": {"import_s": 2.0, "prepare_s": 0.5},
    }
    return {**made, **changes}


def processes(train_s: Sequence[float], predict_s: Sequence[float]) -> list[Json]:
    """One process per pair of medians."""
    return [process(1 + place, *medians) for place, medians in enumerate(zip(train_s, predict_s, strict=True))]


def around(seconds: float, count: int = 5, spread: float = 0.01) -> list[float]:
    """Medians of processes around ``seconds``, which is their median."""
    return [seconds * (1 + spread * ((place * 2) % count - count // 2)) for place in range(count)]


def quality(row: str, loss: float = 0.0017, accuracy: float = 0.923) -> Json:
    """Scores; of the airline rows with 44 test months and a training history."""
    truth = [0.5 + 0.3 * math.sin(month / 2) for month in range(44)]
    airline = ROWS[row][5] == "airline"
    protocol = "one-step" if airline else "held-out"
    forecasts = {
        "truth": truth,
        "one-step": [value + 0.02 for value in truth],
        "recursive": [value * 0.9 for value in truth],
    }
    own = {"protocol": protocol, "loss": loss, "accuracy": accuracy, "note": None, "baseline": False, "name": ""}
    return {
        "protocol": protocol,
        "loss_metric": "mse",
        "accuracy_metric": "r2",
        "scores": [own],
        "by_seed": [{"seed": 1, "seconds": 3.0, "loss": loss, "accuracy": accuracy}],
        "epochs": 20,
        "history": {"loss": [1 / (1 + epoch) for epoch in range(20)]} if row != "ar" else {},
        "forecasts": forecasts if airline else {},
        "test_seconds": None,
        "epoch_seconds": None,
        "reason": None,
        "notes": [],
        "rolling_origin": [],
    }


def record(
    row: str = "lstm",
    device: str = "cpu",
    machine: str = "box",
    stack: str = "cpu",
    train_s: Sequence[float] | None = None,
    predict_s: Sequence[float] | None = None,
    **changes: Any,
) -> Json:
    """A complete record of one of ``ROWS`` with five processes; ``changes`` replaces fields of its top level."""
    order, title, params, library, framework, dataset = ROWS[row]
    made = {
        "schema_version": 2,
        "machine": machine,
        "stack": stack,
        "engine": "venv",
        "profile": "quick",
        "framework": framework,
        "device": device,
        "model": {
            "key": row,
            "title": title,
            "params": params,
            "library": library,
            "dataset": dataset,
            "order": order,
            "parameters": 1000 * order,
            "details": {},
        },
        "status": "ok",
        "reason": None,
        "log": None,
        "settings": {"units": 32},
        "quality": quality(row),
        "epoch": None,
        "test_set": None,
        "processes": processes(train_s or around(0.01 * order), predict_s or around(0.004 * order)),
        "data": {"name": dataset, "source": "built in", "sha256": "d" * 64, "synthetic": False, "note": None},
        "environment": {
            "cpu": "Example CPU 3000",
            "logical_cpus": 2,
            "cpu_affinity": None,
            "threads": 2,
            "governor": None,
            "memory_bytes": 24 * 2**30,
            "gpu": None,
            "os": "Debian 12",
            "kernel": "6.1",
            "python": "3.11.7",
            "versions": {"numpy": "2.4.6"},
        },
        "execution": {"threads": 2},
        "provenance": {
            "git_commit": "0123456789ab",
            "git_clean": True,
            "code_sha256": "c" * 64,
            "lock_sha256": "1" * 64,
            "image": None,
            "fingerprint": "f" * 64,
        },
    }
    return {**made, **changes}


def failed(row: str, key: str = "killed", **changes: Any) -> Json:
    """A record of a row that failed before it was timed."""
    empty: Json = {"quality": None, "processes": [], "environment": None, "execution": None}
    return record(row, **{"status": "failed", "reason": reason(key, signal="SIGKILL"), **empty, **changes})


def changed(made: Json, path: str, value: Any) -> Json:
    """The record with the field at a dotted path replaced; a number in the path is a place in a list."""
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    part: Any = made
    for step in steps:
        part = part[step]
    part[last] = value
    return made


def write(root: Path, *records: Json) -> Path:
    """Write records where they lie; a tuning is known by its attempts. Returns ``root``."""
    for made in records:
        folder = root / made["machine"] / made["stack"] / ("tuning" if "attempts" in made else "")
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{made['model']['key']}.{made['device']}.json"
        (folder / name).write_text(json.dumps(made, ensure_ascii=False), encoding="utf-8")
    return root


def loaded(root: Path, *records: Json) -> tuple[Result, ...]:
    """The records as the report reads them; every one must be valid."""
    found = load_results(write(root, *records))
    assert found.problems == ()
    return found.results


def tuning(**changes: Any) -> Json:
    """A tuning of LSTM that kept one of two options."""

    def times(median_s: float) -> Json:
        return {
            "median_s": median_s,
            "interval_s": None,
            "samples_s": [median_s] * 3,
            "process_medians_s": [median_s * 0.99, median_s * 1.01],
        }

    def attempt(option: str | None, median_s: float, kept: bool = False, **more: Any) -> Json:
        return {
            "option": option,
            "with": [],
            "status": "ok",
            "reason": None,
            "train": times(median_s),
            "predict": times(median_s / 3),
            "max_relative_error": None if option is None else 1e-7,
            "execution": {"threads": 2},
            "kept": kept,
            "warnings": [],
            **more,
        }

    result = record()
    copied = ("machine", "stack", "engine", "profile", "framework", "device", "environment", "provenance")
    model = ("key", "title", "params", "library", "dataset", "order")
    made = {
        **{name: result[name] for name in copied},
        "schema_version": 2,
        "model": {name: result["model"][name] for name in model},
        "started": "2026-11-24T05:00:00Z",
        "duration_s": 400.0,
        "threads": None,
        "tolerance": 1e-4,
        "chosen": ["unroll"],
        "max_relative_error": 1e-7,
        "confirmation": {
            "as_written": {"train_s": [0.01, 0.011, 0.0105], "predict_s": [0.004, 0.0041, 0.004], "warnings": []},
            "tuned": {"train_s": [0.007, 0.0072, 0.0071], "predict_s": [0.003, 0.003, 0.0031], "warnings": []},
        },
        "attempts": [attempt(None, 0.01), attempt("unroll", 0.007, kept=True), attempt("xla", 0.012)],
        "reason": None,
    }
    return {**made, **changes}
