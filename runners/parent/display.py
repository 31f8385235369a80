"""What a person sees during a run: one moving line on a terminal, plain lines elsewhere."""

import os
import sys
import time
from typing import Any, Dict, Optional

PLAIN_EVERY_S = 60.0  # where the output is no terminal, a long phase reports its progress this often

_PHASES = {
    "prepare": "preparing",
    "train": "timing training",
    "predict": "timing prediction",
    "quality": "training",
}


class Display:
    """Shows events of one child at a time on standard error."""

    def __init__(self, stream: Any = None, clock: Any = time.monotonic, columns: int = 0) -> None:
        self._stream = stream or sys.stderr
        self._clock = clock
        self._columns = columns  # of a terminal at the other end of a pipe
        self._moving = bool(columns or getattr(self._stream, "isatty", lambda: False)())
        self.start("")

    def start(self, name: str, brief: bool = False) -> None:
        """Begin a row; ``brief`` leaves out the plain lines that announce each phase."""
        self._name, self._phase, self._brief = name, "", brief
        self._first_done: Optional[int] = None  # of the phase: a resumed training does not start at zero
        self._began = self._phase_began = self._last_line = self._clock()

    def on_event(self, event: Dict[str, Any]) -> None:
        if event["phase"] != self._phase and not (self._phase and event["event"] == "samples"):
            self._phase, self._phase_began = event["phase"], self._clock()
            self._first_done = None
            if not self._moving and not self._brief:
                self._line(_PHASES.get(self._phase, self._phase))
        if self._first_done is None:
            self._first_done = event.get("done")
        if self._moving:
            self._move(self._describe(event))
        elif self._clock() - self._last_line >= PLAIN_EVERY_S:
            self._line(self._describe(event))

    def finish(self, outcome: str) -> None:
        self._line("{}  ({})".format(outcome, duration(self._clock() - self._began)))

    def say(self, text: str) -> None:
        """Write one line that stays."""
        self._clear()
        self._stream.write("erabench: {}\n".format(text))
        self._stream.flush()

    def _describe(self, event: Dict[str, Any]) -> str:
        phase = _PHASES.get(event["phase"], event["phase"])
        if event["event"] == "samples":
            median = seconds_with_interval(event["median_s"], event["interval_s"])
            left = duration(event["left_s"])
            return "{}  {} samples  median {}  at most {} left".format(phase, event["count"], median, left)
        if event["event"] == "progress":
            done, total = event["done"], event["total"]
            new = done - (self._first_done or 0)
            spent = self._clock() - self._phase_began
            left = "  about {} left".format(duration(spent * (total - done) / new)) if new > 0 and done < total else ""
            return "{}  {} of {}{}".format(phase, done, total, left)
        return phase

    def _line(self, text: str) -> None:
        self._clear()
        self._last_line = self._clock()
        self._stream.write("{}  {}\n".format(self._name, text))
        self._stream.flush()

    def _move(self, text: str) -> None:
        width = self._columns or _columns_of(self._stream)
        self._stream.write("\r\x1b[K" + "{}  {}".format(self._name, text)[: width - 1])
        self._stream.flush()

    def _clear(self) -> None:
        if self._moving:
            self._stream.write("\r\x1b[K")


def _columns_of(stream: Any) -> int:
    """The width of the stream's terminal, which need not be that of standard output; 80 where it has none."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except OSError:
        return 80


def duration(seconds: float) -> str:
    """A length of time for a person: 8 s, 3 min 20 s, 2 h 5 min."""
    seconds = round(seconds)
    if seconds < 60:
        return "{} s".format(seconds)
    if seconds < 3600:
        return "{} min {} s".format(seconds // 60, seconds % 60)
    return "{} h {} min".format(seconds // 3600, seconds % 3600 // 60)


def seconds_with_interval(median_s: float, interval_s: Optional[Any]) -> str:
    """A median in seconds with half the width of its 95 % interval."""
    if interval_s is None:
        return "{:.4g} s".format(median_s)
    half_width = max(interval_s[1] - median_s, median_s - interval_s[0])
    return "{:.4g} s +/- {:.1f} %".format(median_s, 100 * half_width / median_s if median_s else 0.0)
