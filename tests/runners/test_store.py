"""Results on disk are whole, found again, and not lost."""

import errno
import json
import os
import threading

import pytest
from jobs import make_record

from runners import store
from runners.contract import UsageError


def finished(**fields):
    return dict(make_record(**fields), status="ok")


def files(folder):
    return sorted(
        os.path.relpath(os.path.join(at, name), str(folder)) for at, _, names in os.walk(str(folder)) for name in names
    )


def test_a_result_lies_under_machine_and_stack(tmp_path):
    """One file a model and device, and no other."""
    store.save(str(tmp_path), finished())
    assert files(tmp_path) == ["m/cpu/ar.cpu.json"]
    assert json.loads((tmp_path / "m/cpu/ar.cpu.json").read_text())["status"] == "ok"


def test_a_result_with_the_same_fingerprint_is_found_again(tmp_path):
    """Same code, lock, image, configuration and data."""
    store.save(str(tmp_path), finished())
    assert store.find_reusable(str(tmp_path), make_record())["status"] == "ok"
    assert store.find_reusable(str(tmp_path), make_record(fingerprint="2" * 64)) is None


def test_a_failed_result_is_not_reused(tmp_path):
    """What failed is tried again."""
    store.save(str(tmp_path), dict(make_record(), status="failed", reason="x"))
    assert store.find_reusable(str(tmp_path), make_record()) is None


def test_a_smoke_run_does_not_lose_a_full_result(tmp_path):
    """The full one is kept aside, and comes back when it is asked for."""
    store.save(str(tmp_path), finished(profile="full", fingerprint="f" * 64))
    store.save(str(tmp_path), finished(profile="smoke"))
    assert files(tmp_path) == ["m/cpu/.kept/ar.cpu.full.json", "m/cpu/ar.cpu.json"]
    assert store.find_reusable(str(tmp_path), make_record(profile="full", fingerprint="f" * 64))["profile"] == "full"
    assert json.loads((tmp_path / "m/cpu/ar.cpu.json").read_text())["profile"] == "full"
    assert files(tmp_path) == ["m/cpu/.kept/ar.cpu.smoke.json", "m/cpu/ar.cpu.json"]


def test_a_failure_does_not_lose_the_good_result_it_replaces(tmp_path):
    """The page shows the failure; the file of before is beside it."""
    store.save(str(tmp_path), finished())
    store.save(str(tmp_path), dict(make_record(), status="failed", reason="x"))
    assert json.loads((tmp_path / "m/cpu/ar.cpu.json").read_text())["status"] == "failed"
    assert json.loads((tmp_path / "m/cpu/.kept/ar.cpu.quick.json").read_text())["status"] == "ok"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"status": "ok"}'])
def test_a_broken_file_is_measured_again(tmp_path, content):
    """Broken, truncated or foreign: it is no result to reuse, and no traceback."""
    path = tmp_path / "m/cpu/ar.cpu.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    assert store.find_reusable(str(tmp_path), make_record()) is None


def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch):
    """The message names the file and the cure, no half file stays."""
    store.save(str(tmp_path), finished())
    before = (tmp_path / "m/cpu/ar.cpu.json").read_text()

    def no_space(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(UsageError) as error:
        store.save(str(tmp_path), finished(fingerprint="2" * 64))
    message = (
        "cannot write '{}': No space left on device; free some space and run again; nothing that was there is lost"
    )
    assert str(error.value) == message.format(tmp_path / "m/cpu/ar.cpu.json")
    assert (tmp_path / "m/cpu/ar.cpu.json").read_text() == before
    assert files(tmp_path) == ["m/cpu/ar.cpu.json"]


def test_a_folder_that_cannot_be_made_is_told_at_once(tmp_path):
    """Here a file stands where the folder should be."""
    (tmp_path / "results").write_text("a file")
    with pytest.raises(
        UsageError, match=r"cannot write '.*results.*': (File exists|Not a directory); choose another RESULTS"
    ):
        store.check_writable(str(tmp_path / "results"))
    assert (tmp_path / "results").read_text() == "a file"


def test_a_second_bench_waits_and_says_so(tmp_path):
    """Two never measure into one folder at once."""
    said, order = [], []
    first_is_in, may_end = threading.Event(), threading.Event()

    def first():
        with store.only_bench(str(tmp_path), said.append):
            first_is_in.set()
            may_end.wait(10)
            order.append("first")

    def second():
        with store.only_bench(str(tmp_path), said.append):
            order.append("second")

    one = threading.Thread(target=first)
    one.start()
    assert first_is_in.wait(10)
    other = threading.Thread(target=second)
    other.start()
    for _ in range(100):
        if said:
            break
        other.join(0.05)
    may_end.set()
    one.join(10)
    other.join(10)
    assert said == ["another bench is measuring into '{}'; waiting for it to end".format(tmp_path)]
    assert order == ["first", "second"]
