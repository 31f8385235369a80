"""A bench for tests: measures nothing, writes realistic records, and behaves as behaviour.json beside its ledger says.

    python3 stub_bench.py --home FOLDER --stack … --model … --results …       (the driver's options follow)

FOLDER/behaviour.json: {"<type>/<framework>" or "<type>" or "": behaviour}, where a behaviour may have
"seconds" (per row, or a list whose last is for all others), "exit" (status), "memory" (MB), "deaf" (ignores signals),
"fail" (rows), "factors" (node: of the times) and "clocks" (node: hours off).
FOLDER/ledger.jsonl gets a line per start, measured row and end.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

FRAMEWORK = {
    "lstm": "keras", "lstm-aug": "keras", "bilstm": "keras", "densenet-24x3": "pytorch", "densenet-32-24-32": "pytorch",
    "ar": "classical", "ar-ols": "classical", "ar-polyfit": "classical", "sarimax": "classical",
}  # fmt: skip
ROWS = list(FRAMEWORK)


def phase(seconds: float) -> dict[str, Any]:
    """Return a valid phase around a median."""
    return {
        "unit": "batch", "batch_size": 32, "inner_loops": 1, "warmup_s": [seconds * 1.1],
        "samples_s": [seconds * factor for factor in (0.99, 1.0, 1.01)], "stopped_by": "count", "median_s": seconds,
        "interval_s": [seconds * 0.99, seconds * 1.01], "iqr_s": seconds * 0.02, "losses": [0.5, 0.4, 0.3],
        "valid": True, "reason": None,
    }  # fmt: skip


def record(
    machine: str, stack: str, row: str, device: str, seconds: float = 0.01, started: float = 0.0
) -> dict[str, Any]:
    """Return a record of schema version 2, as the runners would write it."""
    sha = hashlib.sha256(row.encode()).hexdigest()
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started or time.time()))
    process = {
        "started": moment, "duration_s": 1.0, "round": 1, "order": 1, "order_seed": 1, "status": "ok", "reason": None,
        "train": phase(seconds), "predict": phase(seconds / 3), "memory": None, "energy": None, "warnings": [],
        "environment_sha256": sha, "code_sha256": sha, "startup": {"import_s": 1.0, "prepare_s": 0.5},
    }  # fmt: skip
    quality = {
        "protocol": "recursive", "loss_metric": "mse", "accuracy_metric": "mae", "by_seed": [], "epochs": 1,
        "scores": [{"protocol": "recursive", "loss": 0.01, "accuracy": 0.1}], "history": {}, "forecasts": {},
        "test_seconds": 0.1, "epoch_seconds": 0.1, "reason": None, "notes": [],
    }  # fmt: skip
    return {
        "schema_version": 2, "machine": machine, "stack": stack, "engine": "venv", "profile": "quick",
        "framework": FRAMEWORK[row], "device": device, "status": "ok", "reason": None, "log": None,
        "model": {
            "key": row, "title": row.upper(), "params": "for tests", "library": "stub", "dataset": "airline",
            "order": ROWS.index(row) + 1, "parameters": 10, "details": None,
        },
        "settings": {"batch_size": 32, "seed": 1}, "quality": quality, "epoch": None, "test_set": None,
        "processes": [process],
        "data": {"name": "airline", "source": "in the project", "sha256": sha, "synthetic": False, "note": None},
        "environment": {
            "cpu": "Stub CPU", "logical_cpus": 2, "threads": 2, "governor": None, "memory_bytes": 4 * 10**9,
            "gpu": None, "os": "Debian", "kernel": "6.1", "python": "3.11.7", "versions": {"stub": "1"},
        },
        "execution": {"threads": 2},
        "provenance": {
            **dict.fromkeys(("git_commit", "git_clean", "lock_sha256", "image")),
            "code_sha256": sha, "fingerprint": sha,
        },
    }  # fmt: skip


def atomic_write(path: Path, text: str) -> None:
    """Replace a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".writing-{os.getpid()}")
    partial.write_text(text)
    partial.rename(path)


class Bench:
    """The stand-in for `erabench bench`."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self.asked = asked
        self.home = Path(asked.home)
        self.node = os.environ.get("SLURMD_NODENAME", "")
        self.rows_seen = 0
        self.frameworks = {FRAMEWORK[row] for row in asked.model.split(",")}
        known = json.loads((self.home / "behaviour.json").read_text())
        keys = [f"{asked.machine}/{name}" for name in self.frameworks] + [asked.machine, ""]
        self.behaviour = next((known[key] for key in keys if key in known), {})

    def note(self, event: str, **more: Any) -> None:
        """Add a line to the ledger; all nodes of the lab share a clock."""
        line = {"event": event, "node": self.node, "at": time.monotonic(), "machine": self.asked.machine}
        line |= {"framework": sorted(self.frameworks)[0], "attempt": Path(self.asked.results).parent.name, **more}
        with (self.home / "ledger.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")

    def run(self) -> int:
        """Measure each row that has no finished record."""
        self.note("start", pid=os.getpid())
        print(f"bench of {self.asked.model}", flush=True)
        seen = vars(self.asked) | {"environ": dict(os.environ)}
        (self.home / f"seen-{self.asked.machine}.json").write_text(json.dumps(seen))
        if self.behaviour.get("memory"):
            self._fill(self.behaviour["memory"])
        try:
            for row in self.asked.model.split(","):
                for device in self.asked.device.split(","):
                    self._row(row, device)
        except KeyboardInterrupt:
            self.note("stopped")
            return 130
        self.note("end")
        if self.behaviour.get("exit"):
            print(f"erabench: the stub ends with {self.behaviour['exit']} \x1b[31mred\x1b[0m", flush=True)
        return int(self.behaviour.get("exit", 0))

    def _row(self, row: str, device: str) -> None:
        path = Path(self.asked.results) / self.asked.machine / self.asked.stack / f"{row}.{device}.json"
        if path.exists() and json.loads(path.read_text())["status"] == "ok":
            self.note("reused", row=row, device=device)
            return
        checkpoint = path.parent / ".checkpoints" / f"{row}.{device}"
        checkpoint.mkdir(parents=True, exist_ok=True)
        atomic_write(checkpoint / "state", self.node)
        seconds = self.behaviour.get("seconds", 0.1)
        time.sleep(seconds[min(self.rows_seen, len(seconds) - 1)] if isinstance(seconds, list) else seconds)
        self.rows_seen += 1
        seconds = 0.01 * self.behaviour.get("factors", {}).get(self.node, 1)
        clock = time.time() + 3600 * self.behaviour.get("clocks", {}).get(self.node, 0)
        content = record(self.asked.machine, self.asked.stack, row, device, seconds, clock)
        content["profile"] = self.asked.profile
        if row in self.behaviour.get("fail", []):
            content |= {"status": "failed", "reason": {"key": "loss-not-finite"}, "processes": []}
        atomic_write(path, json.dumps(content, indent=1))
        os.utime(path, (clock, clock))
        self.note("measured", row=row, device=device)

    @staticmethod
    def _fill(megabytes: int) -> None:
        kept = []
        for _ in range(megabytes // 50):
            kept.append(b"x" * 50_000_000)
            time.sleep(0.02)
        time.sleep(60)


def main() -> int:
    """Read the driver's options."""
    parser = argparse.ArgumentParser()
    names = ("home", "stack", "engine", "model", "device", "profile", "machine", "results", "site", "venvs", "data-dir")
    for name in names:
        parser.add_argument(f"--{name}", required=name != "data-dir")
    asked = parser.parse_args()
    bench = Bench(asked)
    if bench.behaviour.get("deaf"):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    return bench.run()


if __name__ == "__main__":
    sys.exit(main())
