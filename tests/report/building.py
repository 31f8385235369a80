"""Makes result and tuning records of schema version 2, and folders of them."""

import json
import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from report.records import Result, load_results

Json = dict[str, Any]

ROWS: dict[str, tuple[int, str, str, str, str, str, int]] = {
    "lstm": (1, "LSTM", "2 stacked LSTM", "Keras", "keras", "airline", 12705),
    "lstm-aug": (2, "LSTM(AUG)", "2 stacked LSTM", "Keras", "keras", "airline", 12705),
    "ar": (3, "AR", "12 lags", "statsmodels", "classical", "airline", 13),
    "ar-ols": (4, "AR(OLS)", "12 lags; 1 w, 1 b", "NumPy", "classical", "airline", 13),
    "ar-polyfit": (5, "AR(Polyfit)", "12 lags; degree 1", "NumPy", "classical", "airline", 2),
    "bilstm": (6, "Bi-LSTM", "2 stacked Bi-LSTM", "Keras", "keras", "household", 33985),
    "densenet-24x3": (7, "DenseNet", "3 x 24 dense", "PyTorch", "pytorch", "cifar10", 6112450),
    "densenet-32-24-32": (8, "DenseNet", "32 x 24 x 32", "PyTorch", "pytorch", "cifar10", 5134030),
}


def reason(key: str, **values: Any) -> Json:
    """A statement as a key with values."""
    return {"key": key, "values": values}


def warning(key: str, where: str, **values: Any) -> Json:
    """A warning on a phase."""
    return {"key": key, "phase": where, "values": values}


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


def memory(**counted: int | None) -> Json:
    """The bytes that a process counted."""
    names = ("peak_allocated_bytes", "peak_reserved_bytes", "gpu_used_before_bytes", "gpu_used_after_bytes")
    return {**dict.fromkeys((*names, "gpu_total_bytes", "resident_before_bytes", "peak_resident_bytes")), **counted}


def energy(train: float | None, predict: float | None, source: str = "RAPL") -> Json:
    """The joules per batch that a process counted."""
    return {"train_joules_per_batch": train, "predict_joules_per_batch": predict, "source": source}


def processes(train_s: Sequence[float], predict_s: Sequence[float]) -> list[Json]:
    """One process per pair of medians."""
    return [process(1 + place, *medians) for place, medians in enumerate(zip(train_s, predict_s, strict=True))]


def around(seconds: float, count: int = 5) -> list[float]:
    """Medians of processes around ``seconds``, which is their median, a hundredth apart."""
    return [seconds * (1 + 0.01 * ((place * 2) % count - count // 2)) for place in range(count)]


def score(protocol: str, loss: float | None, accuracy: float | None, baseline: str = "", **changes: Any) -> Json:
    """One score; a baseline's where it names one."""
    made = {"protocol": protocol, "loss": loss, "accuracy": accuracy, "note": None}
    return {**made, "baseline": bool(baseline), "name": baseline, **changes}


def quality(protocol: str, *scores: Json, **changes: Any) -> Json:
    """What training gave."""
    made: Json = {
        "protocol": protocol,
        "loss_metric": "mse",
        "accuracy_metric": "r2",
        "scores": list(scores),
        "by_seed": [],
        "epochs": None,
        "history": {},
        "forecasts": {},
        "test_seconds": None,
        "epoch_seconds": None,
        "reason": None,
        "notes": [],
        "rolling_origin": [],
    }
    return {**made, **changes}


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
    order, title, params, library, framework, dataset, parameters = ROWS[row]
    seed = {"seed": 1, "seconds": 3.0, "loss": 0.0017, "accuracy": 0.923}
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
            "parameters": parameters,
            "details": {},
        },
        "status": "ok",
        "reason": None,
        "log": None,
        "settings": {"units": 32},
        "quality": quality("one-step", score("one-step", 0.0017, 0.923), by_seed=[seed], epochs=20),
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


def attempt(option: str | None, train: float | None, predict: float | None, **changes: Any) -> Json:
    """One option tried, with its seconds per batch in two processes; as written where it is None."""

    def times(seconds: float | None) -> Json | None:
        medians = seconds and [seconds * 0.997, seconds * 1.003]
        made = {"median_s": seconds, "interval_s": None, "samples_s": [seconds], "process_medians_s": medians}
        return made if seconds else None

    made: Json = {"option": option, "with": [], "status": "ok", "reason": None, "train": times(train)}
    made |= {"predict": times(predict), "max_relative_error": None if option is None else 0.0}
    return {**made, "execution": None, "kept": False, "warnings": [], **changes}


def side(train: list[float], predict: list[float], *warnings: Json) -> Json:
    """One side of a confirmation."""
    return {"train_s": train, "predict_s": predict, "warnings": list(warnings)}


def tuning(*attempts: Json, row: str = "lstm", device: str = "cpu", **changes: Any) -> Json:
    """A tuning that kept one of two options, unless it gets attempts of its own."""
    result = record(row, device)
    copied = ("schema_version", "machine", "stack", "engine", "profile", "framework", "device")
    model = {name: result["model"][name] for name in ("key", "title", "params", "library", "dataset", "order")}
    tried = (attempt(None, 0.01, 0.003), attempt("unroll", 0.007, 0.002, kept=True), attempt("xla", 0.012, 0.004))
    made = {
        **{name: result[name] for name in (*copied, "environment", "provenance")},
        "model": model,
        "started": "2026-11-24T05:00:00Z",
        "duration_s": 400.0,
        "threads": None,
        "tolerance": 1e-4,
        "chosen": ["unroll"],
        "max_relative_error": 1e-7,
        "confirmation": {
            "as_written": side([0.01, 0.011, 0.0105], [0.004, 0.0041, 0.004]),
            "tuned": side([0.007, 0.0072, 0.0071], [0.003, 0.003, 0.0031]),
        },
        "attempts": list(attempts or tried),
        "reason": None,
    }
    return {**made, **changes}


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
