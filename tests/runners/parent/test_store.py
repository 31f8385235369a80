"""Records on disk are complete, found again, and not lost."""

import errno
import json
import os
import threading

import pytest

from runners.contract import UsageError
from runners.parent import store
from runners.parent.store import Place


def document(profile="quick", fingerprint="1" * 64, status="ok", version=2):
    return {
        "schema_version": version,
        "profile": profile,
        "status": status,
        "provenance": {"fingerprint": fingerprint},
    }


@pytest.fixture
def place(tmp_path):
    return Place(str(tmp_path / "m" / "cpu"), "ar", "cpu")


def find(place, asked):
    return place.find(asked, lambda found: found["status"] == "ok")


def files(folder):
    return sorted(
        os.path.relpath(os.path.join(at, name), str(folder)) for at, _, names in os.walk(str(folder)) for name in names
    )


def test_a_record_lies_under_machine_and_stack(place, tmp_path):
    """There is one file per row and device."""
    place.save(document())
    assert files(tmp_path) == ["m/cpu/ar.cpu.json"]
    assert json.loads((tmp_path / "m/cpu/ar.cpu.json").read_text()) == document()


def test_a_series_of_numbers_is_one_line(place, tmp_path):
    """Thousands of samples stay readable, and texts stay what they are."""
    saved = dict(document(), samples_s=[1.5, 2.5e-07, None], empty=[], log="[\n 1,\n 2\n]", rows=[{"a": [1, 2]}])
    place.save(saved)
    text = (tmp_path / "m/cpu/ar.cpu.json").read_text()
    assert '"samples_s": [1.5, 2.5e-07, null]' in text
    assert json.loads(text) == saved


def test_a_record_with_the_same_fingerprint_is_found_again(place):
    """Same code, lock, image, configuration and data."""
    place.save(document())
    assert find(place, document()) == document()
    assert find(place, document(fingerprint="2" * 64)) is None


def test_an_incomplete_record_is_not_reused(place):
    """What failed is tried again."""
    place.save(document(status="failed"))
    assert find(place, document()) is None


def test_a_smoke_run_does_not_lose_a_full_record(place, tmp_path):
    """The full one is set aside, and restored when it is asked for."""
    full = document("full", "f" * 64)
    place.save(full)
    place.save(document("smoke"))
    assert files(tmp_path) == ["m/cpu/.kept/ar.cpu.full.json", "m/cpu/ar.cpu.json"]
    assert find(place, full) == full
    assert store.read(place.path) == full
    assert files(tmp_path) == ["m/cpu/.kept/ar.cpu.smoke.json", "m/cpu/ar.cpu.json"]


def test_a_failure_does_not_lose_the_good_record_it_replaces(place):
    """The page shows the failure; the earlier file is beside it."""
    place.save(document())
    place.save(document(status="failed"))
    assert store.read(place.path)["status"] == "failed"
    assert store.read(place.kept_path("quick"))["status"] == "ok"


def test_a_tuning_that_fails_does_not_lose_the_good_one_it_replaces(place):
    """It has no status; where it could not be finished it has a reason."""
    good = {name: value for name, value in document().items() if name != "status"}
    place.save(dict(good, reason=None, chosen=["xla"]))
    place.save(dict(good, reason={"key": "killed"}, chosen=[]))
    assert place.find(good, lambda found: found["reason"] is None)["chosen"] == ["xla"]


@pytest.mark.parametrize("status", ["ok", "failed"])
def test_a_record_of_version_1_is_set_aside(place, status):
    """Nothing can be added to it, and it is not lost, not even to the next one."""
    old = document(status=status, version=1)
    place.save(old)
    assert find(place, document()) is None
    place.save(document())
    place.save(document("full"))
    place.save(document(status="failed"))
    assert store.read(place.kept_path("quick.v1")) == old


def test_a_record_of_version_1_that_was_set_aside_is_not_lost_either(place):
    """It makes way for one of the same profile."""
    old = document("full", version=1)
    store.write(place.kept_path("full"), json.dumps(old))
    place.save(document("full"))
    place.save(document("smoke"))
    assert store.read(place.kept_path("full")) == document("full")
    assert store.read(place.kept_path("full.v1")) == old


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"status": "ok"}', b"[" * 100000])
def test_a_broken_file_is_measured_again(place, tmp_path, content):
    """Broken, truncated or foreign, it is neither reused nor an error."""
    path = tmp_path / "m/cpu/ar.cpu.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    assert find(place, document()) is None
    place.save(document())
    assert find(place, document()) == document()


@pytest.mark.parametrize("profile", [None, 3, "../../up", {"a": 1}, "x" * 999])
def test_a_foreign_profile_cannot_name_a_file_elsewhere(place, tmp_path, profile):
    """What another program wrote into a record is set aside under a harmless name."""
    place.save(document())
    path = tmp_path / "m/cpu/ar.cpu.json"
    path.write_text(json.dumps(dict(document(), profile=profile)))
    place.save(document())
    assert all(name.startswith("m/cpu/") for name in files(tmp_path))
    assert len(files(tmp_path)) == 2


def test_a_full_disk_leaves_what_was_there(place, tmp_path, monkeypatch):
    """The message names the file and the cure, and no partial file stays."""
    place.save(document())

    def no_space(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(UsageError) as error:
        place.save(document(fingerprint="2" * 64))
    expected = "cannot write '{}': No space left on device; free some space and run again; nothing is lost"
    assert str(error.value) == expected.format(place.path)
    assert store.read(place.path) == document()
    assert files(tmp_path) == ["m/cpu/ar.cpu.json"]


def test_a_folder_that_cannot_be_made_is_reported_at_once(tmp_path):
    """Here a file is where the folder should be."""
    (tmp_path / "results").write_text("a file")
    message = r"cannot write '.*results.*': (File exists|Not a directory); choose another RESULTS"
    with pytest.raises(UsageError, match=message):
        store.check_writable(str(tmp_path / "results"))
    assert (tmp_path / "results").read_text() == "a file"


def test_a_lock_that_cannot_be_written_is_reported(tmp_path):
    """As one of another user; here a folder has its name."""
    (tmp_path / ".lock").mkdir()
    with pytest.raises(UsageError, match=r"cannot write '.*/\.lock': Is a directory; choose another RESULTS"):
        with store.results_lock(str(tmp_path), print):
            pass


def test_a_second_bench_waits_and_reports_it(tmp_path):
    """Two never measure into one folder at once."""
    said, order = [], []
    first_is_in, may_end = threading.Event(), threading.Event()

    def first():
        with store.results_lock(str(tmp_path), said.append):
            first_is_in.set()
            may_end.wait(10)
            order.append("first")

    def second():
        with store.results_lock(str(tmp_path), said.append):
            order.append("second")

    threads = [threading.Thread(target=target) for target in (first, second)]
    threads[0].start()
    assert first_is_in.wait(10)
    threads[1].start()
    for _ in range(100):
        if said:
            break
        threads[1].join(0.05)
    may_end.set()
    for thread in threads:
        thread.join(10)
    assert said == ["another bench is measuring into '{}'; waiting for it to end".format(tmp_path)]
    assert order == ["first", "second"]
