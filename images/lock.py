"""Regenerate hashed locks with uv: of a stack, or ``host`` and ``tests`` for the project's own environments.

Every lock is made before the first one is replaced, so a failure changes none of them. Pins that still fit are
kept; ``upgrade`` takes the newest versions that the .in files allow.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from images.stack import ROOT, STACKS, Problem, settings

OWN = ("host", "tests")
NO_NETWORK = ("error sending request", "dns error", "client error (connect)", "failed to fetch", "tcp connect error")


def lock(stack: str, uv: str, upgrade: bool = False) -> list[Path]:
    """Make every lock of a stack, all or none, with the program ``uv``; return their paths. Raises Problem."""
    options = {} if stack in OWN else settings(stack)
    sources = [ROOT / "images" / f"{stack}.in"] if stack in OWN else sorted((STACKS / stack).glob("*.in"))
    texts = {source.with_suffix(".lock"): compiled(source, stack, options, uv, upgrade) for source in sources}
    for path, text in texts.items():
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)
    return list(texts)


def compiled(source: Path, stack: str, options: dict[str, str], uv: str, upgrade: bool) -> str:
    """Return the text of one lock, as uv resolves it. Raises Problem."""
    with tempfile.TemporaryDirectory() as scratch:
        draft = Path(scratch) / "draft.lock"
        if source.with_suffix(".lock").exists():  # uv keeps the pins of the file that it writes
            shutil.copyfile(source.with_suffix(".lock"), draft)
        python = options.get("PYTHON_VERSIONS", "3.11").split()[0]
        # A universal resolution serves every Python from that version on; uv has none for versions as old as 3.6.
        kind = ["--universal"] if python != "3.6" else ["--python-platform", "x86_64-manylinux2014"]
        command = [
            uv, "pip", "compile", source.name, "--output-file", str(draft), "--quiet", *kind,
            "--python-version", python, "--generate-hashes", "--no-header",
            "--no-emit-index-url", "--no-emit-find-links",
            *options.get("LOCK_OPTIONS", "").split(), *(["--upgrade"] if upgrade else []),
        ]  # fmt: skip
        # In the folder of the .in file, so that the lock contains no path of this machine.
        done = subprocess.run(command, cwd=source.parent, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Problem(explanation(stack, source, done.stderr))
        return f'# Made by "make lock STACK={stack}" from {source.name}; do not edit.\n' + draft.read_text("utf-8")


def explanation(stack: str, source: Path, output: str) -> str:
    """Return the message for a failed run of uv: the network, or uv's own output."""
    name = source.relative_to(ROOT)
    if any(sign in output.lower() for sign in NO_NETWORK):
        return (
            f"{name}: the package index cannot be reached; no lock was changed. Check the network "
            f"(HTTPS_PROXY, SSL_CERT_FILE), then run: make lock STACK={stack}"
        )
    return f"{name}: uv cannot resolve it; no lock was changed.\n{output.strip()}"
