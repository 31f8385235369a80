"""Household electricity and CIFAR-10 as ``erabench/data`` prepares them: read, verified, described."""

import hashlib
import json

import pytest

np = pytest.importorskip("numpy")

from runners.contract import DataUnavailable
from runners.data import cifar10, household

WATTS = np.arange(76, 1076, dtype=np.int32)


@pytest.fixture
def small(monkeypatch):
    """The first thousand watts stand for the series."""
    monkeypatch.setattr(household, "SHA256", hashlib.sha256(WATTS.astype("<i4").tobytes()).hexdigest())
    monkeypatch.setattr(household, "MAXIMUM", 1075)


def prepare_household(directory):
    """The series and its manifest."""
    folder = directory / "household"
    folder.mkdir()
    np.save(str(folder / "watts.npy"), WATTS)
    (folder / "manifest.json").write_text('{"source": "UCI\'s archive"}')
    return folder / "watts.npy"


def prepare_cifar10(directory, origin="original"):
    """Twenty train and ten test images with their manifest."""
    folder = directory / "cifar10-prepared" / "made"
    folder.mkdir(parents=True)
    digest = hashlib.sha256()
    for name, count in (("train_images", 20), ("train_labels", 20), ("test_images", 10), ("test_labels", 10)):
        values = np.zeros((count, 32, 32, 3) if name.endswith("images") else count, np.uint8) + count
        np.save(str(folder / (name + ".npy")), values)
        digest.update(values.tobytes())
    manifest = {"folder": "made", "origin": origin, "source": "a test", "sha256": digest.hexdigest()}
    (directory / "cifar10-prepared" / "manifest.json").write_text(json.dumps(manifest))
    return folder / "test_images.npy"


PREPARED = pytest.mark.parametrize(
    ("module", "prepare", "folder"),
    [(household, prepare_household, "household"), (cifar10, prepare_cifar10, "cifar10-prepared")],
    ids=["household", "cifar10"],
)


def reason(function, directory):
    """Key and file of the reason why the data are unavailable."""
    with pytest.raises(DataUnavailable) as caught:
        function(str(directory))
    return caught.value.reason.key, caught.value.reason.values["file"]


def test_the_scale_and_the_split_are_the_published_ones(small, tmp_path):
    """0..1 over the whole series, views of the first 70 % for training and of the rest for the test."""
    prepare_household(tmp_path)
    data = household.load(str(tmp_path))
    assert (data.scaled.min(), data.scaled.max(), data.scaled.dtype) == (0, 1, np.float32)
    assert (len(data.train), len(data.test)) == (700, 300)
    assert np.shares_memory(data.train, data.scaled)
    assert np.shares_memory(data.test, data.scaled)


def test_images_are_mapped_into_memory(tmp_path):
    """Nothing is read until it is used."""
    prepare_cifar10(tmp_path)
    data = cifar10.load(str(tmp_path))
    assert isinstance(data.train_images, np.memmap)
    assert (data.train_images.shape, data.test_labels.tolist()) == ((20, 32, 32, 3), [10] * 10)


def test_the_source_is_described_without_reading_the_values(small, tmp_path):
    """The record's field ``data``, with a note as key and values."""
    prepare_household(tmp_path)
    assert household.describe(str(tmp_path)).record() == {
        "name": "household",
        "source": "UCI's archive",
        "sha256": household.SHA256,
        "synthetic": False,
        "note": {"key": "filled-minutes", "values": {}},
    }


@pytest.mark.parametrize(
    ("origin", "synthetic", "note"),
    [
        ("original", False, None),
        ("tree", False, {"key": "images-from-tree", "values": {"train": 20, "test": 10}}),
        ("synthetic", True, {"key": "images-random", "values": {}}),
    ],
)
def test_images_that_are_not_the_original_ones_say_so(tmp_path, origin, synthetic, note):
    """A tree's accuracy does not compare with a published one, and random images have none."""
    prepare_cifar10(tmp_path, origin)
    record = cifar10.describe(str(tmp_path)).record()
    assert (record["synthetic"], record["note"]) == (synthetic, note)
    assert cifar10.load(str(tmp_path)).source.record() == record


@PREPARED
def test_data_that_were_not_fetched_are_named(tmp_path, module, prepare, folder):
    """By the file that is missing, relative to the data directory."""
    assert reason(module.describe, tmp_path) == ("data-missing", folder + "/manifest.json")
    array = prepare(tmp_path)
    array.unlink()
    missing = str(array.relative_to(tmp_path))
    assert reason(module.describe, tmp_path) == reason(module.load, tmp_path) == ("data-missing", missing)


@PREPARED
@pytest.mark.parametrize("content", ["", "{", "[]", '{"folder": 3, "source": 3}', '{"folder": "../../etc"}'])
def test_a_broken_manifest_is_named(tmp_path, module, prepare, folder, content):
    """Whatever its content, it leads to one reason."""
    prepare(tmp_path)
    (tmp_path / folder / "manifest.json").write_text(content)
    assert reason(module.load, tmp_path) == ("data-damaged", folder + "/manifest.json")


@PREPARED
@pytest.mark.parametrize("damage", ["empty", "cut", "changed"])
def test_a_damaged_array_is_found_when_it_is_loaded(small, tmp_path, module, prepare, folder, damage):
    """One changed byte is enough."""
    array = prepare(tmp_path)
    content = array.read_bytes()
    array.write_bytes({"empty": b"", "cut": content[:-40], "changed": content[:-1] + b"\xff"}[damage])
    key, file = reason(module.load, tmp_path)
    assert (key, file.split("/")[0]) == ("data-damaged", folder)
