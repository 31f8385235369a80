"""What a person sees while it runs: one moving line on a terminal, plain lines anywhere else."""

import shutil
import sys
import time
from typing import Any, Dict, Optional

PLAIN_EVERY_S = 60.0  # where the output is no terminal, a long phase says this often how far it is

_PHASES = {
    "prepare": "getting ready",
    "train": "timing training",
    "predict": "timing prediction",
    "quality": "training",
}


class Display:
    """Shows events of one child at a time on standard error."""

    def __init__(self, stream: Any = None, clock: Any = time.monotonic) -> None:
        self._stream = stream or sys.stderr
        self._clock = clock
        self._moving = bool(getattr(self._stream, "isatty", lambda: False)())
        self._name = ""
        self._phase = ""
        self._first_done: Optional[int] = None  # of the phase: what goes on after a stop does not begin at nothing
        self._began = self._phase_began = self._told = self._clock()

    def start(self, name: str) -> None:
        self._name, self._phase = name, ""
        self._began = self._phase_began = self._told = self._clock()

    def on_event(self, event: Dict[str, Any]) -> None:
        if event["phase"] != self._phase and not (self._phase and event["event"] == "samples"):
            self._phase, self._phase_began = event["phase"], self._clock()
            self._first_done = None
            if not self._moving:
                self._line(_PHASES.get(self._phase, self._phase))
        if self._first_done is None:
            self._first_done = event.get("done")
        if self._moving:
            self._move(self._describe(event))
        elif self._clock() - self._told >= PLAIN_EVERY_S:
            self._line(self._describe(event))

    def finish(self, outcome: str) -> None:
        self._line(outcome, after=self._clock() - self._began)

    def say(self, text: str) -> None:
        """One line that stays."""
        self._clear()
        self._stream.write("erabench: {}\n".format(text))
        self._stream.flush()

    def _describe(self, event):
        phase = _PHASES.get(event["phase"], event["phase"])
        if event["event"] == "samples":
            return "{}  {} samples  median {}  at most {} left".format(
                phase,
                event["count"],
                with_interval(event["median_s"], event["interval_s"]),
                duration(event["left_s"]),
            )
        if event["event"] == "progress":
            spent = self._clock() - self._phase_began
            done, total = event["done"], event["total"]
            new = done - (self._first_done or 0)
            left = "  about {} left".format(duration(spent * (total - done) / new)) if new > 0 and done < total else ""
            return "{}  {} of {}{}".format(phase, done, total, left)
        return phase

    def _line(self, text, after=None):
        self._clear()
        self._told = self._clock()
        took = "" if after is None else "  ({})".format(duration(after))
        self._stream.write("{}  {}{}\n".format(self._name, text, took))
        self._stream.flush()

    def _move(self, text):
        width = shutil.get_terminal_size().columns - 1
        self._stream.write("\r\x1b[K" + "{}  {}".format(self._name, text)[:width])
        self._stream.flush()

    def _clear(self):
        if self._moving:
            self._stream.write("\r\x1b[K")


def duration(seconds: float) -> str:
    """A length of time for a person: 8 s, 3 min 20 s, 2 h 5 min."""
    seconds = round(seconds)
    if seconds < 60:
        return "{} s".format(seconds)
    if seconds < 3600:
        return "{} min {} s".format(seconds // 60, seconds % 60)
    return "{} h {} min".format(seconds // 3600, seconds % 3600 // 60)


def with_interval(median_s: float, interval_s: Optional[Any]) -> str:
    """A median in seconds with the reach of its 95 % interval."""
    if interval_s is None:
        return "{:.4g} s".format(median_s)
    reach = max(interval_s[1] - median_s, median_s - interval_s[0])
    return "{:.4g} s +/- {:.1f} %".format(median_s, 100 * reach / median_s)
