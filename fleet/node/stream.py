"""Results through a log: every file as base64 lines with its SHA-256, between the bench's own lines.

@erabench file <path> <sha256> <lines>
@erabench data <base64>
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
import sys
import zlib
from pathlib import Path
from typing import TextIO

MARK = "@erabench "
WIDTH = 4000


class Stream:
    """Sends an attempt's log and files to standard output, for where the files themselves are not seen."""

    def __init__(self, attempt: Path, out: TextIO = sys.stdout) -> None:
        self.attempt, self.out = attempt, out
        self._sent: dict[str, str] = {}
        self._log_size = 0

    def send_changes(self) -> None:
        """Send the log's new lines, and the state and records that changed, so that a pod that dies has left them."""
        self._send_log()
        for path in [self.attempt / "state.json", *sorted((self.attempt / "results").glob("*/*/*.json"))]:
            self._send(path)

    def send_all(self) -> None:
        """Send every record once more and, last, the state, whose list shows whether the log was cut."""
        self._send_log()
        self._sent.clear()
        for path in [*sorted((self.attempt / "results").glob("*/*/**/*.json")), self.attempt / "state.json"]:
            self._send(path)

    def _send_log(self) -> None:
        with (self.attempt / "log").open("rb") as file:
            file.seek(self._log_size)
            text = file.read()
        text = text[: text.rfind(b"\n") + 1]
        self._log_size += len(text)
        for line in text.decode("utf-8", "replace").splitlines():
            print(" " + line if line.startswith(MARK) else line, file=self.out)
        self.out.flush()

    def _send(self, path: Path) -> None:
        try:
            content = path.read_bytes()
        except OSError:
            return
        name, digest = str(path.relative_to(self.attempt)), hashlib.sha256(content).hexdigest()
        if self._sent.get(name) == digest:
            return
        self._sent[name] = digest
        text = base64.b64encode(gzip.compress(content, mtime=0)).decode()
        lines = [text[start : start + WIDTH] for start in range(0, len(text), WIDTH)]
        print(f"{MARK}file {name} {digest} {len(lines)}", file=self.out)
        for line in lines:
            print(f"{MARK}data {line}", file=self.out)
        self.out.flush()


def read_stream(text: str) -> tuple[dict[str, bytes], str]:
    """Return the newest complete version of each file of a log, and the bench's own lines."""
    files: dict[str, bytes] = {}
    lines = text.splitlines()
    own = []
    at = 0
    while at < len(lines):
        header = re.fullmatch(re.escape(MARK) + r"file ([\w.@-]+(?:/[\w.@-]+)*) ([0-9a-f]{64}) (\d{1,6})", lines[at])
        at += 1
        if header:
            data = lines[at : at + int(header[3])]
            if all(line.startswith(MARK + "data ") for line in data):
                at += len(data)
                content = _decode("".join(line[len(MARK) + 5 :] for line in data), header[2])
                if content is not None and ".." not in header[1].split("/"):
                    files[header[1]] = content
        elif not lines[at - 1].startswith(MARK):
            own.append(lines[at - 1])
    return files, "\n".join(own) + "\n"


def _decode(text: str, digest: str) -> bytes | None:
    try:
        content = gzip.decompress(base64.b64decode(text, validate=True))
    except (ValueError, OSError, EOFError, zlib.error):
        return None
    return content if hashlib.sha256(content).hexdigest() == digest else None
