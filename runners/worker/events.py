"""What the worker sends to its parent: one JSON object per line, over a pipe of its own.

The pipe is not standard output, so nothing that a framework prints can be taken for an event.
    {"event": "phase", "phase": "train"}
    {"event": "samples", "phase": "train", "count": 12, "median_s": 0.01, "interval_s": [0.009, 0.011], "left_s": 4.0}
    {"event": "progress", "phase": "epoch", "done": 3, "total": 300}
    {"event": "result", "result": {...}}
"""

import json
import math
import time
from typing import Any, Dict, List

from runners.contract import Rule
from runners.worker.measure import median_interval, quantile

_SHORTEST_INTERVAL_S = 0.2
_FIELDS = {
    "phase": ("phase",),
    "samples": ("phase", "count", "median_s", "interval_s", "left_s"),
    "progress": ("phase", "done", "total"),
    "result": ("result",),
}


def empty_result() -> Dict[str, Any]:
    """What one process measured, before it did: every field is always there, and ``None`` is "not measured"."""
    process = dict.fromkeys(("startup", "train", "predict", "memory", "energy"))
    names = ("parameters", "details", "environment", "execution", "quality", "epoch", "test_set", "sameness")
    row = dict.fromkeys(names)
    return dict(
        process, status="failed", reason=None, warnings=[], quality_s=None, outputs=None, first_loss=None, **row
    )


class Sender:
    """Writes events to a file descriptor; drops most of the progress, so that sending costs nothing."""

    def __init__(self, descriptor: int) -> None:
        self._file = open(descriptor, "w", encoding="utf-8")  # noqa: SIM115 (open while the process lives)
        self._last_sent = 0.0

    def send(self, event: str, **fields: Any) -> None:
        self._file.write(json.dumps(plain(dict(fields, event=event)), allow_nan=False) + "\n")
        self._file.flush()

    def progress(self, phase: str, done: int, total: int) -> None:
        if done < total and time.monotonic() - self._last_sent < _SHORTEST_INTERVAL_S:
            return
        self._last_sent = time.monotonic()
        self.send("progress", phase=phase, done=int(done), total=int(total))

    def samples(self, phase: str, rule: Rule) -> Any:
        """Return a callback for ``measure`` that sends the median so far, its interval and the longest time left."""

        def tell(samples_s: List[float], elapsed_s: float) -> None:
            ordered = sorted(samples_s)
            missing_s = max(0, rule.min_samples - len(ordered)) * quantile(ordered, 0.5)
            left_s = max(missing_s, rule.budget_s - elapsed_s)
            self.send(
                "samples",
                phase=phase,
                count=len(ordered),
                median_s=quantile(ordered, 0.5),
                interval_s=median_interval(ordered),
                left_s=max(0.0, left_s),
            )

        return tell


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: records become objects, NumPy's scalars Python's, NaN and infinity null."""
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def is_event(message: Any) -> bool:
    """Whether a decoded line is one of the events above."""
    return (
        isinstance(message, dict)
        and message.get("event") in list(_FIELDS)  # in a list, since what came may not be hashable
        and all(field in message for field in _FIELDS[message["event"]])
    )
