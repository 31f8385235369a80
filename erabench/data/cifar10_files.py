"""CIFAR-10 from files: the original's batches, unpacked or as the archive, and a tree of image files."""

from __future__ import annotations

import hashlib
import os
import pickle
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from erabench.data.cache import Unusable

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SHAPE = (32, 32, 3)

ARCHIVE = "cifar-10-python.tar.gz"
ARCHIVE_MD5 = "c58f30108f718f92721af3b95e74349a"
FOLDER = "cifar-10-batches-py"
TRAIN_BATCHES = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
}  # file -> MD5, the same as in torchvision.datasets.CIFAR10
TEST_BATCHES = {"test_batch": "40351d587109b95175f43aff81a1287e"}

Arrays = tuple[Any, Any, Any, Any]
"""Train images, uint8 (n, 32, 32, 3); train labels, uint8 (n,); the same of the test part."""


def read_folder(folder: Path) -> Arrays:
    """Return the original from the folder that its archive unpacks to. Raises Unusable."""
    return _values(lambda name: (folder / name).read_bytes(), folder)


def read_archive(path: Path) -> Arrays:
    """Return the original from its archive, which is verified before it is opened. Raises Unusable."""
    try:
        with path.open("rb") as file:
            _verify(hashlib.file_digest(file, "md5").hexdigest(), ARCHIVE_MD5, path)
        with tarfile.open(path, "r:gz") as archive:
            contents = {Path(member.name).name: archive.extractfile(member) for member in archive if member.isfile()}
            batches = {name: file.read() for name, file in contents.items() if file}
    except (OSError, EOFError, tarfile.TarError) as error:
        raise Unusable(f"{path} cannot be read: {error}") from error
    return _values(batches.__getitem__, path)


def _values(read: Callable[[str], bytes], path: Path) -> Arrays:
    """Return the values of the pickled batches, each verified before it is unpickled. Raises Unusable."""

    def part(batches: Mapping[str, str]) -> tuple[Any, Any]:
        images, labels = [], []
        for name, expected in sorted(batches.items()):
            content = read(name)
            _verify(hashlib.md5(content).hexdigest(), expected, path / name)
            batch = pickle.loads(content, encoding="bytes")
            images.append(np.asarray(batch[b"data"], np.uint8).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
            labels.append(np.asarray(batch[b"labels"], np.uint8))
        return np.concatenate(images), np.concatenate(labels)

    try:
        return part(TRAIN_BATCHES) + part(TEST_BATCHES)
    except (OSError, KeyError) as error:
        raise Unusable(f"{path} cannot be read: {error}") from error


def _verify(found: str, expected: str, path: Path) -> None:
    if found != expected:
        raise Unusable(f"{path} has the md5 {found}, not {expected}")


def tree_fingerprint(directory: Path) -> str:
    """Return a hash that changes if an image is added, removed or renamed; "" if the data directory has no tree.

    It is computed from the folders' times, because checking 60,000 files would slow down every later run.
    """
    stamps = []
    for folder in _class_folders(directory):
        if folder.is_dir():
            stamps.append(f"{folder.parent.name}/{folder.name} {folder.stat().st_mtime_ns}")
    return hashlib.sha256("\n".join(stamps).encode()).hexdigest() if stamps else ""


def _class_folders(directory: Path) -> list[Path]:
    return [directory / "cifar10" / part / name for part in ("train", "test") for name in CLASSES]


def read_tree(directory: Path) -> Arrays:
    """Return the tree's images by class and file name, in the order of torchvision's ImageFolder. Raises Unusable."""
    folders = _class_folders(directory)
    return _read_part(folders[: len(CLASSES)]) + _read_part(folders[len(CLASSES) :])


def _read_part(folders: list[Path]) -> tuple[Any, Any]:
    paths, labels = [], []
    for label, folder in enumerate(folders):
        try:
            found = sorted(entry for entry in os.listdir(folder) if not entry.startswith("."))
        except OSError as error:
            raise Unusable(f"the folder {folder} cannot be read: {error.strerror}") from error
        if not found:
            raise Unusable(f"the folder {folder} is empty")
        paths += [folder / entry for entry in found]
        labels += [label] * len(found)
    images = np.empty((len(paths), *SHAPE), np.uint8)
    for index, path in enumerate(paths):
        images[index] = _pixels(path)
    return images, np.array(labels, np.uint8)


def _pixels(path: Path) -> Any:
    from PIL import Image

    try:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
    except Exception as error:  # Pillow raises whatever a broken file provokes
        raise Unusable(f"{path} is not an image: {error}") from error
    if pixels.shape != SHAPE:
        raise Unusable(f"{path} has the shape {pixels.shape}, not {SHAPE}")
    return pixels
