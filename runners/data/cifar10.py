"""CIFAR-10: 50,000 train and 10,000 test images of 32 x 32 pixels in ten classes.

Alex Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009. Where the original values could not be
fetched, the prepared images are those of an ImageFolder tree or random ones; the source names which.
"""

import hashlib
import os
from typing import Any, List, NamedTuple

import numpy as np

from runners.contract import DataUnavailable, Reason
from runners.data.source import Source, read_array, read_manifest

FOLDER = "cifar10-prepared"  # its manifest names the folder in it that holds the arrays
ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")


class Cifar10(NamedTuple):
    """Images as uint8 (n, 32, 32, 3), red, green, blue, mapped into memory and read when used; labels 0..9."""

    train_images: Any
    train_labels: Any  # uint8 (n,)
    test_images: Any
    test_labels: Any
    source: Source


def describe(directory: str) -> Source:
    """The prepared images' source. Raises ``DataUnavailable``."""
    return _read(directory).source


def load(directory: str) -> Cifar10:
    """The prepared images, verified. Raises ``DataUnavailable``."""
    data = _read(directory)
    arrays = (data.train_images, data.train_labels, data.test_images, data.test_labels)
    if _sha256([array.filename for array in arrays]) != data.source.sha256:
        raise DataUnavailable("data-damaged", file=FOLDER)
    return data


def _read(directory: str) -> Cifar10:
    """What the manifest names, not yet verified."""
    manifest = read_manifest(directory, FOLDER, ["folder", "origin", "source", "sha256"])
    folder = "{}/{}".format(FOLDER, os.path.basename(manifest["folder"]))
    arrays = [read_array(directory, "{}/{}.npy".format(folder, name), mapped=True) for name in ARRAYS]
    note, synthetic = None, manifest["origin"] == "synthetic"
    if synthetic:
        note = Reason("images-random")
    elif manifest["origin"] == "tree":
        note = Reason("images-from-tree", {"train": len(arrays[1]), "test": len(arrays[3])})
    source = Source("cifar10", manifest["source"], manifest["sha256"], synthetic, note)
    return Cifar10(arrays[0], arrays[1], arrays[2], arrays[3], source)


def _sha256(paths: List[str]) -> str:
    """Of the files' values in order, read in small pieces: a mapped file would count as memory used."""
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as file:
            np.lib.format.read_magic(file)
            np.lib.format.read_array_header_1_0(file)
            for block in iter(lambda: file.read(1 << 20), b""):
                digest.update(block)
    return digest.hexdigest()
