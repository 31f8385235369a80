"""What a person sees during a run."""

import fcntl
import io
import os
import struct
import termios

from runners.parent.display import Display

SAMPLES = {
    "event": "samples",
    "phase": "train",
    "count": 12,
    "median_s": 0.0123,
    "interval_s": [0.012, 0.0126],
    "left_s": 4.2,
}
LINE = "ar cpu  timing training  12 samples  median 0.0123 s +/- 2.4 %  at most 4 s left"
CLEAR = "\r\x1b[K"


class Terminal(io.StringIO):
    def isatty(self):
        return True


def show(stream, brief=False, columns=0):
    display = Display(stream, columns=columns)
    display.start("ar cpu", brief)
    display.on_event({"event": "phase", "phase": "train"})
    display.on_event(SAMPLES)
    display.finish("ok")
    return stream.getvalue()


def test_a_terminal_has_one_moving_line():
    """Samples, median, interval and the time left."""
    assert LINE in show(io.StringIO(), columns=120)  # the terminal is outside of this container


def test_the_moving_line_is_as_wide_as_its_own_terminal():
    """Standard output is a pipe in a bench. Without a width it has 80 columns, of which the last stays empty."""
    assert CLEAR + LINE[:79] + CLEAR in show(Terminal())
    reader, writer = os.openpty()
    fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("4H", 24, 40, 0, 0))
    with os.fdopen(reader, "rb", 0) as terminal, os.fdopen(writer, "w") as stream:
        display = Display(stream)
        display.start("ar cpu")
        display.on_event(SAMPLES)
        assert terminal.read(1000).decode() == CLEAR + LINE[:39]
        fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("4H", 0, 0, 0, 0))
        display.on_event(SAMPLES)
        assert terminal.read(1000).decode() == CLEAR + LINE[:79]


def test_a_file_gets_plain_lines():
    """No control characters; a brief row, such as a further process, gets its outcome alone."""
    assert show(io.StringIO()) == "ar cpu  timing training\nar cpu  ok  (0 s)\n"
    assert show(io.StringIO(), brief=True) == "ar cpu  ok  (0 s)\n"


def test_a_long_phase_reports_its_progress_once_a_minute():
    """Where the output is no terminal; the estimate does not count what was done before a restart."""
    stream, now = io.StringIO(), [0.0]
    display = Display(stream, clock=lambda: now[0])
    display.start("bilstm cpu")
    for second in range(0, 150, 10):
        now[0] = float(second)
        display.on_event({"event": "progress", "phase": "quality", "done": 100 + second, "total": 400})
    assert stream.getvalue().splitlines() == [
        "bilstm cpu  training",
        "bilstm cpu  training  160 of 400  about 4 min 0 s left",
        "bilstm cpu  training  220 of 400  about 3 min 0 s left",
    ]
