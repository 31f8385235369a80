"""Makes result records, and folders of them, for tests that need their own."""

import json
import math
import statistics
from pathlib import Path
from typing import Any

from report.load import Result, load_results

ROWS: dict[str, tuple[int, str, str, str, str, str]] = {
    "lstm": (1, "LSTM", "2 stacked LSTM", "Keras", "keras", "airline"),
    "ar": (3, "AR", "12 lags", "statsmodels", "classical", "airline"),
    "bi-lstm": (6, "Bi-LSTM", "2 stacked Bi-LSTM", "Keras", "keras", "household"),
    "densenet-24x3": (7, "DenseNet", "3 x 24 dense", "PyTorch", "pytorch", "cifar10"),
}


def phase(seconds: float, seed: int = 1, count: int = 40, spread: float = 0.01, **changes: Any) -> dict[str, Any]:
    """A timed phase whose samples lie around ``seconds``; another ``seed`` lays them in another order."""
    waves = [math.sin(seed + 2.4 * place) for place in range(count)]
    samples = [float(f"{seconds * (1 + spread * wave):.9g}") for wave in waves]
    ordered = sorted(samples)
    made = {
        "unit": "batch",
        "batch_size": 32,
        "inner_loops": 1,
        "warmup_s": [seconds * 2],
        "samples_s": samples,
        "stopped_by": "precision",
        "median_s": statistics.median(samples),
        "interval_s": [ordered[count // 3], ordered[count - count // 3]],
        "iqr_s": ordered[3 * count // 4] - ordered[count // 4],
        "losses": [],
        "counts": True,
        "reason": None,
    }
    return {**made, **changes}


def quality(row: str, loss: float = 0.0017, accuracy: float = 0.923) -> dict[str, Any]:
    """Scores; for the airline rows with 44 test months and a training history."""
    truth = [0.5 + 0.3 * math.sin(month / 2) for month in range(44)]
    airline = ROWS[row][5] == "airline"
    return {
        "protocol": "one-step" if airline else "held-out",
        "loss_metric": "mse",
        "accuracy_metric": "r2",
        "scores": [
            {
                "protocol": "one-step" if airline else "held-out",
                "loss": loss,
                "accuracy": accuracy,
                "note": "",
                "baseline": False,
                "name": "",
            }
        ],
        "by_seed": [{"seed": 1, "seconds": 3.0, "loss": loss, "accuracy": accuracy}],
        "epochs": 20,
        "history": {"loss": [1 / (1 + epoch) for epoch in range(20)]} if row != "ar" else {},
        "forecasts": {
            "truth": truth,
            "one-step": [value + 0.02 for value in truth],
            "recursive": [value * 0.9 for value in truth],
        }
        if airline
        else {},
        "test_seconds": None,
        "epoch_seconds": None,
        "reason": "",
        "notes": [],
    }


def record(
    row: str = "lstm", device: str = "cpu", machine: str = "box", stack: str = "cpu", **changes: Any
) -> dict[str, Any]:
    """A whole record of one of ``ROWS``; ``changes`` replaces fields of its top level."""
    position, title, params, library, framework, dataset = ROWS[row]
    seed = sum(map(ord, row + device + machine))
    made = {
        "schema_version": 1,
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
            "position": position,
            "parameters": 1000 * position,
            "details": {},
        },
        "status": "ok",
        "reason": None,
        "log": None,
        "started": "2026-11-24T03:00:00Z",
        "duration_s": 12.5,
        "settings": {"units": 32},
        "quality": quality(row),
        "timing": {
            "train": phase(0.01 * position, seed),
            "predict": phase(0.004 * position, seed + 1),
            "epoch": None,
            "test_set": None,
        },
        "memory": None,
        "energy": None,
        "kernel_path": {"threads": 2},
        "data": {"name": dataset, "source": "built in", "sha256": "d" * 64, "synthetic": False, "note": ""},
        "marks": [],
        "environment": {
            "cpu": "Example CPU 3000",
            "cores": 2,
            "threads": 2,
            "governor": None,
            "memory_bytes": 24 * 2**30,
            "gpu": None,
            "os": "Debian 12",
            "kernel": "6.1.0",
            "python": "3.11.7",
            "versions": {"numpy": "2.4.6"},
        },
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


def failed(row: str, reason: str, **changes: Any) -> dict[str, Any]:
    """A record of a row that failed."""
    return record(row, **{"status": "failed", "reason": reason, "timing": None, "quality": None, **changes})


def write(root: Path, *records: dict[str, Any]) -> Path:
    """Writes records where results lie; gives ``root`` back."""
    for made in records:
        path = root / made["machine"] / made["stack"] / f"{made['model']['key']}.{made['device']}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(made, ensure_ascii=False), encoding="utf-8")
    return root


def loaded(root: Path, *records: dict[str, Any]) -> tuple[Result, ...]:
    """The records as the report reads them; every one must be valid."""
    found = load_results(write(root, *records))
    assert found.problems == ()
    return found.results
