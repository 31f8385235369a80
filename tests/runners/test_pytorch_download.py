"""CIFAR-10 through torchvision's downloader, from a server on this machine."""

import contextlib
import hashlib
import http.server
import io
import os
import pickle
import sys
import tarfile
import threading

import numpy as np
import pytest

torchvision = pytest.importorskip("torchvision")

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data"))

from test_cifar10 import original  # noqa: F401  (a fixture)

from runners.data import cifar10


@contextlib.contextmanager
def server(content, length=None):
    """An address on this machine that answers every request with ``content``."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(length or len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    serving = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=serving.serve_forever, daemon=True)
    thread.start()
    try:
        yield "http://127.0.0.1:{}/cifar-10-python.tar.gz".format(serving.server_address[1])
    finally:
        serving.shutdown()
        serving.server_close()


def test_our_checksums_are_torchvisions():
    """Archive and batches are verified by the sums that torchvision knows."""
    dataset = torchvision.datasets.CIFAR10
    assert dataset.tgz_md5 == cifar10.ARCHIVE_MD5
    assert dataset.filename == cifar10.ARCHIVE
    assert dict(dataset.train_list) == cifar10.TRAIN_BATCHES
    assert dict(dataset.test_list) == cifar10.TEST_BATCHES
    assert dataset.base_folder == cifar10.FOLDER


def test_torchvisions_address_comes_first_then_the_mirror(monkeypatch):
    """Unless CIFAR10_MIRROR names another, which then comes first."""
    monkeypatch.delenv("CIFAR10_MIRROR", raising=False)
    url = torchvision.datasets.CIFAR10.url
    assert [address for _, address in cifar10._addresses()] == [url, cifar10.MIRROR]
    monkeypatch.setenv("CIFAR10_MIRROR", "http://127.0.0.1:1/mine")
    assert [address for _, address in cifar10._addresses()] == ["http://127.0.0.1:1/mine", url]


def test_a_download_is_verified_and_kept(tmp_path, monkeypatch, original):
    """The archive becomes the cache, and nothing of the download is left."""
    said = []
    with server(original[1]) as address:
        monkeypatch.setattr(torchvision.datasets.CIFAR10, "url", address)
        monkeypatch.setattr(cifar10, "MIRROR", "http://127.0.0.1:1/")
        source = cifar10.fetch(str(tmp_path), said.append)
    assert source.source == "downloaded from torchvision's address"
    assert not source.synthetic
    assert cifar10.load(str(tmp_path)).train_images.shape == (50, 32, 32, 3)
    assert said == ["CIFAR-10: downloading cifar-10-python.tar.gz (170 MB) from torchvision's address"]
    assert sorted(entry.split("-")[0] for entry in os.listdir(str(tmp_path / "cifar10-prepared"))) == [
        "lock",
        "manifest.json",
        "original",
    ]


def test_a_wrong_checksum_falls_through_to_the_mirror(tmp_path, monkeypatch, original):
    """What the first address sends is not what was published: it is not opened, and the mirror is asked."""
    other = io.BytesIO()
    with tarfile.open(fileobj=other, mode="w:gz") as archive:
        content = pickle.dumps({b"data": np.zeros((1, 3072), np.uint8), b"labels": [0]}, protocol=2)
        member = tarfile.TarInfo(cifar10.FOLDER + "/data_batch_1")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    with server(other.getvalue()) as wrong, server(original[1]) as right:
        monkeypatch.setattr(torchvision.datasets.CIFAR10, "url", wrong)
        monkeypatch.setattr(cifar10, "MIRROR", right)
        source = cifar10.fetch(str(tmp_path), lambda text: None)
    assert source.source == "downloaded from the mirror at Zenodo"


def test_a_download_that_breaks_off_leaves_nothing(tmp_path, monkeypatch, original):
    """Half an archive is told and thrown away; the run goes on with synthetic images."""
    monkeypatch.setattr(cifar10, "TRAIN_IMAGES", 50)
    monkeypatch.setattr(cifar10, "TEST_IMAGES", 10)
    said = []
    with server(original[1][:-100], length=len(original[1])) as cut:
        monkeypatch.setattr(torchvision.datasets.CIFAR10, "url", cut)
        monkeypatch.setattr(cifar10, "MIRROR", "http://127.0.0.1:1/")
        assert cifar10.fetch(str(tmp_path), said.append).synthetic
    assert "torchvision's address: " in said[-1]
    assert "Zenodo: [Errno 111] Connection refused" in said[-1]
    assert not list((tmp_path / "cifar10-prepared").glob("download-*"))
    assert hashlib.md5(original[1]).hexdigest() == cifar10.ARCHIVE_MD5
