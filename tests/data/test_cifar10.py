"""CIFAR-10's sources, their order, and the cache. No test asks a host outside this machine."""

import hashlib
import io
import json
import os
import pickle
import socket
import subprocess
import sys
import tarfile
import threading
import time

import numpy as np
import pytest

from runners.contract import DataUnavailable
from runners.data import cifar10

BATCHES = ["data_batch_{}".format(number) for number in range(1, 6)] + ["test_batch"]
NOWHERE = [("the first address", "http://127.0.0.1:1/a"), ("the second address", "http://127.0.0.1:1/b")]


@pytest.fixture(autouse=True)
def small_and_offline(monkeypatch):
    monkeypatch.setattr(cifar10, "TRAIN_IMAGES", 50)
    monkeypatch.setattr(cifar10, "TEST_IMAGES", 10)
    monkeypatch.setattr(cifar10, "_addresses", lambda: NOWHERE)


@pytest.fixture
def said():
    return []


def batch(number):
    """A pickled batch of ten images: image i of batch b is filled with 10 * b + i, its red channel with 255."""
    data = np.repeat(np.arange(10 * number, 10 * number + 10, dtype=np.uint8)[:, None], 3072, axis=1)
    data[:, :1024] = 255
    return pickle.dumps({b"data": data, b"labels": list(range(10))}, protocol=2)


@pytest.fixture
def original(tmp_path, monkeypatch):
    """A small original, as a folder's files and as an archive, with checksums to match."""
    contents = {name: batch(number) for number, name in enumerate(BATCHES)}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(cifar10.FOLDER + "/" + name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    md5 = {name: hashlib.md5(content).hexdigest() for name, content in contents.items()}
    monkeypatch.setattr(cifar10, "TRAIN_BATCHES", {name: md5[name] for name in BATCHES[:5]})
    monkeypatch.setattr(cifar10, "TEST_BATCHES", {name: md5[name] for name in BATCHES[5:]})
    monkeypatch.setattr(cifar10, "ARCHIVE_MD5", hashlib.md5(packed.getvalue()).hexdigest())
    return contents, packed.getvalue()


def put_folder(contents, place):
    place.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (place / name).write_bytes(content)


def put_tree(place, per_class=1, size=32):
    """An ImageFolder tree: every image is grey, 20 times its class's number, plus one in the test part."""
    image = pytest.importorskip("PIL.Image")
    for part in ("train", "test"):
        for label, name in enumerate(cifar10.CLASSES):
            folder = place / "cifar10" / part / name
            folder.mkdir(parents=True)
            for number in range(per_class):
                grey = 20 * label + (part == "test")
                image.new("RGB", (size, size), (grey, grey, grey)).save(str(folder / "{:04d}.png".format(number)))


def test_a_verified_folder_of_the_original_is_read_in_its_own_layout(tmp_path, original, said):
    """The batches in DATA_DIR become images with channels last and labels, and are called by their name."""
    put_folder(original[0], tmp_path / cifar10.FOLDER)
    source = cifar10.fetch(str(tmp_path), said.append)
    data = cifar10.load(str(tmp_path))
    assert source == data.source
    assert (source.source, source.synthetic, source.note) == ("cifar-10-batches-py (found in DATA_DIR)", False, "")
    assert data.train_images.shape == (50, 32, 32, 3)
    assert data.test_images.shape == (10, 32, 32, 3)
    assert data.train_images[23, 5, 7].tolist() == [255, 23, 23]
    assert data.test_images[4, 0, 0].tolist() == [255, 54, 54]
    assert data.train_labels.tolist() == list(range(10)) * 5
    assert data.classes[0] == "airplane"
    assert said == []


def test_the_archive_gives_the_same_values_as_the_folder(tmp_path, original, said):
    """Unpacked or not, the original is the original: its checksum of values is one."""
    put_folder(original[0], tmp_path / "a" / "cifar10" / cifar10.FOLDER)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / cifar10.ARCHIVE).write_bytes(original[1])
    folder, archive = [cifar10.fetch(str(tmp_path / name), said.append) for name in "ab"]
    assert archive.source == "cifar-10-python.tar.gz (found in DATA_DIR)"
    assert archive.sha256 == folder.sha256


def test_a_damaged_batch_is_named_and_passed_over(tmp_path, original, said):
    """A wrong checksum is said with file and cure, nothing is unpickled, and the next source is tried."""
    contents = dict(original[0], data_batch_3=b"cos\nsystem\n(S'false'\ntR.")
    put_folder(contents, tmp_path / cifar10.FOLDER)
    source = cifar10.fetch(str(tmp_path), said.append)
    assert source.synthetic
    assert said[0] == (
        "CIFAR-10: {}/cifar-10-batches-py/data_batch_3 has the md5 {}, not {}; replace or delete it; "
        "trying the next source"
    ).format(tmp_path, hashlib.md5(contents["data_batch_3"]).hexdigest(), cifar10.TRAIN_BATCHES["data_batch_3"])
    assert (tmp_path / cifar10.FOLDER / "data_batch_3").exists()


def test_a_cut_archive_is_named_and_passed_over(tmp_path, original, said):
    """Half an archive is not opened."""
    (tmp_path / cifar10.ARCHIVE).write_bytes(original[1][:-5])
    assert cifar10.fetch(str(tmp_path), said.append).synthetic
    assert "cifar-10-python.tar.gz has the md5" in said[0]


def test_a_tree_of_images_is_read_by_class(tmp_path, said):
    """An ImageFolder tree is real data with a note that its accuracy is not comparable."""
    put_tree(tmp_path, per_class=2)
    source = cifar10.fetch(str(tmp_path), said.append)
    data = cifar10.load(str(tmp_path))
    assert source.source == "ImageFolder tree cifar10/ (found in DATA_DIR)"
    assert not source.synthetic
    assert "only 20 train and 20 test images" in source.note
    assert "not bit-identical" in source.note
    assert data.train_labels.tolist() == [label for label in range(10) for _ in range(2)]
    assert data.train_images[:, 0, 0, 0].tolist() == [20 * label for label in range(10) for _ in range(2)]
    assert data.test_images[19, 31, 31].tolist() == [181, 181, 181]


def test_a_tree_with_a_wrong_image_is_passed_over_by_name(tmp_path, said):
    """An image of another size is named; the run goes on with what else there is."""
    put_tree(tmp_path, size=31)
    assert cifar10.fetch(str(tmp_path), said.append).synthetic
    assert "{}/cifar10/train/airplane/0000.png has the shape (31, 31, 3)".format(tmp_path) in said[1]


def test_a_tree_without_a_class_is_passed_over_by_name(tmp_path, said):
    """A missing folder is named."""
    put_tree(tmp_path)
    (tmp_path / "cifar10" / "test" / "ship" / "0000.png").unlink()
    assert cifar10.fetch(str(tmp_path), said.append).synthetic
    assert said[1] == (
        "CIFAR-10: the folder {}/cifar10/test/ship is empty; mend or delete the tree; trying the next source"
    ).format(tmp_path)


def test_without_any_source_the_images_are_synthetic_and_say_so(tmp_path, said):
    """The last resort has the right shape, is the same every time, and is marked."""
    source = cifar10.fetch(str(tmp_path), said.append)
    data = cifar10.load(str(tmp_path))
    assert source.synthetic
    assert source.source == "synthetic: random images from a fixed seed"
    assert source.sha256 == "c4d691d3ecaeb0e34eb169f06395ba6e7554d3c6fe24ce5535ec3390b7fe8596"
    assert data.train_images.shape == (50, 32, 32, 3)
    assert set(data.test_labels.tolist()) <= set(range(10))
    assert len(said) == 1
    assert said[0].startswith("CIFAR-10: could not be downloaded (the first address: ")
    assert said[0].endswith(
        "using SYNTHETIC images; to have real ones, put cifar-10-python.tar.gz into {} or set CIFAR10_MIRROR to an "
        "address that has it".format(tmp_path)
    )


def test_an_original_replaces_a_tree_and_a_tree_replaces_synthetic_images(tmp_path, original, said):
    """Local files are looked for every time, and the better source wins."""
    assert cifar10.fetch(str(tmp_path), said.append).synthetic
    put_tree(tmp_path)
    assert cifar10.fetch(str(tmp_path), said.append).source.startswith("ImageFolder tree")
    put_folder(original[0], tmp_path / cifar10.FOLDER)
    assert cifar10.fetch(str(tmp_path), said.append).source.startswith("cifar-10-batches-py")
    assert cifar10.load(str(tmp_path)).source.source.startswith("cifar-10-batches-py")
    left = sorted(entry.split("-")[0] for entry in os.listdir(str(tmp_path / "cifar10-prepared")))
    assert left == ["lock", "manifest.json", "original"]


def test_what_is_prepared_stays_when_its_source_goes(tmp_path, original, said):
    """The cache needs its source no more."""
    put_folder(original[0], tmp_path / cifar10.FOLDER)
    before = cifar10.fetch(str(tmp_path), said.append)
    for name in original[0]:
        (tmp_path / cifar10.FOLDER / name).unlink()
    assert cifar10.fetch(str(tmp_path), said.append) == before


def test_a_changed_tree_is_read_again(tmp_path, said):
    """One image more, and the prepared values are made anew."""
    put_tree(tmp_path)
    cifar10.fetch(str(tmp_path), said.append)
    image = pytest.importorskip("PIL.Image")
    image.new("RGB", (32, 32)).save(str(tmp_path / "cifar10" / "train" / "cat" / "0001.png"))
    cifar10.fetch(str(tmp_path), said.append)
    assert len(cifar10.load(str(tmp_path)).train_labels) == 11


def test_the_network_is_asked_once_a_day_or_when_forced(tmp_path, monkeypatch, said):
    """Synthetic images are cheap to try again: no waiting for the network every time."""
    asked = []
    monkeypatch.setattr(cifar10, "_probe", lambda addresses: asked.append(1) or {name: "off" for name, _ in addresses})
    cifar10.fetch(str(tmp_path), said.append)
    cifar10.fetch(str(tmp_path), said.append)
    assert len(asked) == 1
    assert "the network was asked less than a day ago: using SYNTHETIC" in said[-1]
    cifar10.fetch(str(tmp_path), said.append, force=True)
    assert len(asked) == 2
    later = time.time() + 86401
    monkeypatch.setattr(cifar10.time, "time", lambda: later)
    cifar10.fetch(str(tmp_path), said.append)
    assert len(asked) == 3


def test_a_second_fetch_takes_well_under_a_second(tmp_path, said):
    """Nothing changed, nothing read."""
    put_tree(tmp_path)
    cifar10.fetch(str(tmp_path), said.append)
    began, before = time.perf_counter(), len(said)
    cifar10.fetch(str(tmp_path), said.append)
    assert time.perf_counter() - began < 0.5
    assert len(said) == before


def test_hanging_name_lookups_and_silent_hosts_cost_ten_seconds_together(tmp_path, monkeypatch, said):
    """A resolver that hangs and a host that accepts and says nothing fall through within the promised time."""
    deaf = socket.socket()
    deaf.bind(("127.0.0.1", 0))
    deaf.listen(5)
    addresses = [
        ("a name that hangs", "http://hangs.invalid/a"),
        ("a deaf host", "http://127.0.0.1:{}/b".format(deaf.getsockname()[1])),
    ]
    monkeypatch.setattr(cifar10, "_addresses", lambda: addresses)
    look_up, release = socket.getaddrinfo, threading.Event()

    def hanging(host, *rest, **named):
        if host == "hangs.invalid":
            release.wait(60)
            raise socket.gaierror("at last")
        return look_up(host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    began = time.monotonic()
    try:
        assert cifar10.fetch(str(tmp_path), said.append).synthetic
        assert time.monotonic() - began < 15
    finally:
        release.set()
        deaf.close()
    assert "a name that hangs: no answer within 10 s" in said[0]
    assert "a deaf host: " in said[0]


def test_changed_values_are_found_when_they_are_loaded(tmp_path, said):
    """One byte that is not what was fetched stops the run, with folder and cure."""
    cifar10.fetch(str(tmp_path), said.append)
    path = next((tmp_path / "cifar10-prepared").glob("synthetic-*/test_images.npy"))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(DataUnavailable) as caught:
        cifar10.load(str(tmp_path))
    assert "does not hold the values it was made with (sha256); delete it, then fetch it with: " in str(caught.value)
    cifar10.fetch(str(tmp_path), said.append)  # sees by the file's time that it was touched, and makes it anew
    assert cifar10.load(str(tmp_path)).source.synthetic


@pytest.mark.parametrize("content", ["", "{", "[]", '{"folder": 3}', '{"folder": "../../etc"}'])
def test_a_broken_manifest_is_told_and_mended(tmp_path, said, content):
    """Whatever stands in the manifest, load gives a cure and fetch makes it good."""
    cifar10.fetch(str(tmp_path), said.append)
    (tmp_path / "cifar10-prepared" / "manifest.json").write_text(content)
    with pytest.raises(DataUnavailable) as caught:
        cifar10.load(str(tmp_path))
    assert "manifest.json is broken" in str(caught.value)
    cifar10.fetch(str(tmp_path), said.append)
    assert cifar10.load(str(tmp_path)).source.synthetic


def test_nothing_fetched_is_told_with_the_command(tmp_path):
    """Loading an empty directory names the command that fills it."""
    with pytest.raises(DataUnavailable) as caught:
        cifar10.load(str(tmp_path))
    assert str(caught.value) == (
        "CIFAR-10: there is nothing prepared in {0}/cifar10-prepared; fetch it with: python -m runners.data cifar10 "
        "--data-dir {0}".format(tmp_path)
    )


def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch, original, said):
    """An original that cannot be written is one clear message, and the old images still load."""
    cifar10.fetch(str(tmp_path), said.append)
    put_folder(original[0], tmp_path / cifar10.FOLDER)

    def full(*_):
        raise OSError(28, "No space left on device", "train_images.npy")

    monkeypatch.setattr(cifar10.np, "save", full)
    with pytest.raises(DataUnavailable) as caught:
        cifar10.fetch(str(tmp_path), said.append)
    assert "cannot write train_images.npy: No space left on device; free some space there" in str(caught.value)
    assert cifar10.load(str(tmp_path)).source.synthetic
    assert not list((tmp_path / "cifar10-prepared").glob("partial-*"))


def test_a_directory_that_is_a_file_is_told(tmp_path, said):
    """A DATA_DIR that cannot hold anything is named."""
    (tmp_path / "file").write_text("")
    with pytest.raises(DataUnavailable) as caught:
        cifar10.fetch(str(tmp_path / "file"), said.append)
    assert "cannot write {}".format(tmp_path / "file") in str(caught.value)


def test_two_runs_at_once_make_one_cache(tmp_path):
    """Four processes that fetch at the same time agree, and what they leave loads."""
    program = (
        "import sys\n"
        "from runners.data import cifar10\n"
        "cifar10.TRAIN_IMAGES, cifar10.TEST_IMAGES = 3000, 600\n"
        "cifar10._addresses = lambda: [('nowhere', 'http://127.0.0.1:1/')]\n"
        "source = cifar10.fetch(sys.argv[1], lambda text: None)\n"
        "assert cifar10.load(sys.argv[1]).source == source\n"
        "print(source.sha256)\n"
    )
    runs = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE) for _ in range(4)]
    answers = [run.communicate(timeout=120)[0].strip() for run in runs]
    assert [run.returncode for run in runs] == [0] * 4
    assert len(set(answers)) == 1
    assert len(answers[0]) == 64
    manifest = json.loads((tmp_path / "cifar10-prepared" / "manifest.json").read_text())
    assert sorted(os.listdir(str(tmp_path / "cifar10-prepared"))) == ["lock", "manifest.json", manifest["folder"]]
