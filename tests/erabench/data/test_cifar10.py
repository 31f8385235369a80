"""CIFAR-10: its sources, their order, and the cache."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from samples import Original, fetched, put_tree

from erabench.data import cifar10, cifar10_files

SAID = "CIFAR-10: "
FOLDER = cifar10_files.FOLDER


def manifest(directory: Path) -> Any:
    return json.loads((directory / "cifar10-prepared/manifest.json").read_text())


def arrays(directory: Path) -> list[Any]:
    """The prepared arrays: train images and labels, test images and labels."""
    folder = directory / "cifar10-prepared" / manifest(directory)["folder"]
    return [np.load(folder / f"{name}.npy") for name in cifar10.ARRAYS]


def test_a_verified_folder_of_the_original_is_read_in_its_own_layout(tmp_path: Path, original: Original) -> None:
    """The batches become images with channels last, and labels."""
    original.put(tmp_path / FOLDER)
    assert fetched("cifar10", tmp_path) == (None, [f"{SAID}prepared from {FOLDER} (found in DATA_DIR)"])
    assert fetched("cifar10", tmp_path) == (None, [])
    images, labels, test_images, _ = arrays(tmp_path)
    assert (images.shape, test_images.shape, images.dtype) == ((50, 32, 32, 3), (10, 32, 32, 3), np.uint8)
    assert (images[23, 5, 7].tolist(), test_images[4, 0, 0].tolist()) == ([255, 23, 23], [255, 54, 54])
    assert labels.tolist() == list(range(10)) * 5


def test_the_archive_gives_the_same_values_as_the_folder(tmp_path: Path, original: Original) -> None:
    """Unpacked or not, in the data directory or in its folder cifar10/."""
    original.put(tmp_path / "a" / "cifar10" / FOLDER)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / cifar10_files.ARCHIVE).write_bytes(original.archive)
    for name in "ab":
        fetched("cifar10", tmp_path / name)
    assert manifest(tmp_path / "b")["source"] == "cifar-10-python.tar.gz (found in DATA_DIR)"
    assert manifest(tmp_path / "a")["sha256"] == manifest(tmp_path / "b")["sha256"]


def test_a_damaged_original_is_named_and_passed_over(tmp_path: Path, original: Original) -> None:
    """A wrong checksum is reported with file and cure, and nothing is opened or unpickled."""
    harmful = b"cos\nsystem\n(S'false'\ntR."
    original.put(tmp_path / FOLDER, data_batch_3=harmful)
    (tmp_path / cifar10_files.ARCHIVE).write_bytes(original.archive[:-5])
    lines = fetched("cifar10", tmp_path).lines
    found, expected = hashlib.md5(harmful).hexdigest(), cifar10_files.TRAIN_BATCHES["data_batch_3"]
    cure = "replace or delete it; trying the next source"
    assert lines[0] == f"{SAID}{tmp_path}/{FOLDER}/data_batch_3 has the md5 {found}, not {expected}; {cure}"
    assert "cifar-10-python.tar.gz has the md5" in lines[1]
    assert manifest(tmp_path)["origin"] == "synthetic"


def test_a_tree_of_images_is_read_by_class(tmp_path: Path) -> None:
    """Folder by folder, in the order of their files' names."""
    put_tree(tmp_path, per_class=2)
    fetched("cifar10", tmp_path)
    images, labels, test_images, _ = arrays(tmp_path)
    assert manifest(tmp_path)["source"] == "ImageFolder tree cifar10/ (found in DATA_DIR)"
    assert labels.tolist() == [label for label in range(10) for _ in range(2)]
    assert images[:, 0, 0, 0].tolist() == [20 * label for label in range(10) for _ in range(2)]
    assert test_images[19, 31, 31].tolist() == [181, 181, 181]


def test_a_tree_that_cannot_be_used_is_named_and_passed_over(tmp_path: Path) -> None:
    """An image of another size, and an empty class."""
    put_tree(tmp_path, size=31)
    assert f"{tmp_path}/cifar10/train/airplane/0000.png has the shape (31, 31, 3)" in fetched("cifar10", tmp_path)[1][1]
    (tmp_path / "cifar10/train/airplane/0000.png").unlink()
    cure = "fix or delete the tree; trying the next source"
    assert fetched("cifar10", tmp_path)[1][1] == f"{SAID}the folder {tmp_path}/cifar10/train/airplane is empty; {cure}"


def test_without_any_source_the_images_are_synthetic_and_marked(tmp_path: Path) -> None:
    """The last resort has the right shape and is the same every time."""
    assert fetched("cifar10", tmp_path) == (
        None,
        [
            f"{SAID}the first address: not reachable ([Errno 111] Connection refused); the second address: not "
            f"reachable ([Errno 111] Connection refused): using SYNTHETIC images; for real ones, put "
            f"cifar-10-python.tar.gz into {tmp_path} or set CIFAR10_MIRROR to an address that has it"
        ],
    )
    about = manifest(tmp_path)
    assert (about["origin"], about["source"]) == ("synthetic", "synthetic: random images from a fixed seed")
    assert about["sha256"] == "c4d691d3ecaeb0e34eb169f06395ba6e7554d3c6fe24ce5535ec3390b7fe8596"


def test_the_archive_is_downloaded_from_the_named_mirror_first(
    tmp_path: Path, original: Original, host: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mirror with another file is passed over; the archive is verified."""
    (host[1] / "wrong").write_bytes(b"something else")
    (host[1] / "right").write_bytes(original.archive)
    monkeypatch.setenv("CIFAR10_MIRROR", f"{host[0]}/wrong")
    monkeypatch.setattr(cifar10, "ADDRESSES", {"missing": f"{host[0]}/no", "the original": f"{host[0]}/right"})
    lines = fetched("cifar10", tmp_path).lines
    assert [line.split(" (")[0].removeprefix(SAID) for line in lines] == [
        "downloading cifar-10-python.tar.gz",
        "downloading cifar-10-python.tar.gz",
        "prepared from downloaded from the original",
    ]
    assert manifest(tmp_path)["origin"] == "original"


def test_a_better_source_replaces_a_worse_one(tmp_path: Path, original: Original) -> None:
    """A tree replaces synthetic images and an original a tree; what is prepared then needs its source no more."""
    origins = []
    for put in (lambda: None, lambda: put_tree(tmp_path), lambda: original.put(tmp_path / FOLDER)):
        put()
        fetched("cifar10", tmp_path)
        origins.append(manifest(tmp_path)["origin"])
    assert origins == ["synthetic", "tree", "original"]
    left = sorted(entry.split("-")[0] for entry in os.listdir(tmp_path / "cifar10-prepared"))
    assert left == ["lock", "manifest.json", "original"]
    for name in original.batches:
        (tmp_path / FOLDER / name).unlink()
    assert fetched("cifar10", tmp_path) == (None, [])


def test_an_unchanged_tree_is_not_read_again_and_a_changed_one_is(tmp_path: Path) -> None:
    """One image more, and the images are prepared again."""
    put_tree(tmp_path)
    fetched("cifar10", tmp_path)
    assert fetched("cifar10", tmp_path) == (None, [])
    (tmp_path / "cifar10/train/cat/0001.png").write_bytes((tmp_path / "cifar10/train/cat/0000.png").read_bytes())
    fetched("cifar10", tmp_path)
    assert len(arrays(tmp_path)[1]) == 11


def test_the_network_is_asked_once_a_day_or_when_forced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the images are synthetic."""
    asked: list[Any] = []
    monkeypatch.setattr(cifar10, "unreachable", lambda addresses: asked.append(1) or dict.fromkeys(addresses, "off"))
    fetched("cifar10", tmp_path)
    assert "the network was asked less than a day ago: using SYNTHETIC" in fetched("cifar10", tmp_path).lines[0]
    assert len(asked) == 1
    fetched("cifar10", tmp_path, force=True)
    assert len(asked) == 2
    later = time.time() + 86401
    monkeypatch.setattr(cifar10.time, "time", lambda: later)
    fetched("cifar10", tmp_path)
    assert len(asked) == 3


@pytest.mark.parametrize(
    "damage", ["a changed byte", "an empty file", "", "{", "[]", '{"folder": 3}', '{"folder": "../../etc"}']
)
def test_a_damaged_cache_is_prepared_again(tmp_path: Path, damage: str) -> None:
    """Whatever the manifest is, and whichever byte of the images changed."""
    fetched("cifar10", tmp_path)
    before = manifest(tmp_path)["sha256"]
    path = next(tmp_path.glob("cifar10-prepared/synthetic-*/test_images.npy"))
    content = path.read_bytes()
    if damage == "a changed byte":
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif damage == "an empty file":
        path.write_bytes(b"")
    else:
        (tmp_path / "cifar10-prepared/manifest.json").write_text(damage)
    fetched("cifar10", tmp_path)
    after = next(tmp_path.glob("cifar10-prepared/synthetic-*/test_images.npy")).read_bytes()
    assert (manifest(tmp_path)["sha256"], after == content) == (before, True)


def test_a_copied_cache_is_used_as_it_is(tmp_path: Path, original: Original) -> None:
    """On a machine without a network: the copy's files have other times, and the same values."""
    original.put(tmp_path / FOLDER)
    fetched("cifar10", tmp_path)
    for path in (tmp_path / FOLDER).iterdir():
        path.unlink()
    for path in tmp_path.glob("cifar10-prepared/original-*/*.npy"):
        os.utime(path, (1, 1))
    assert fetched("cifar10", tmp_path) == (None, [])
    assert manifest(tmp_path)["origin"] == "original"


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, original: Original, monkeypatch: pytest.MonkeyPatch) -> None:
    """An original that cannot be written is one clear problem, and the old images stay."""
    fetched("cifar10", tmp_path)
    original.put(tmp_path / FOLDER)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device", "train_images.npy")

    monkeypatch.setattr(np, "save", full)
    problem = fetched("cifar10", tmp_path).problem
    assert problem == (
        f"{SAID}cannot write train_images.npy: No space left on device; free some space or choose another DATA_DIR"
    )
    assert len(arrays(tmp_path)[0]) == 50
    assert not list(tmp_path.glob("cifar10-prepared/partial-*"))
