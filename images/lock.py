"""Regenerate hashed locks with uv: of a stack, or ``host`` and ``tests`` for the project's own environments.

Every lock is made before the first one is replaced, so a failure changes none of them. Pins that still fit are
kept; ``upgrade`` takes the newest versions that the .in files allow.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from images import dated
from images.files import atomic_write
from images.stack import ROOT, STACKS, Problem, settings

OWN = ("host", "tests")
COMPILE = ("pip", "compile")
NO_NETWORK = ("error sending request", "dns error", "client error (connect)", "failed to fetch", "tcp connect error")


def lock(stack: str, uv: str, upgrade: bool = False) -> list[Path]:
    """Make every lock of a stack, all or none, with the program ``uv``; return their paths. Raises Problem."""
    options = {} if stack in OWN else settings(stack)
    sources = [ROOT / "images" / f"{stack}.in"] if stack in OWN else sorted((STACKS / stack).glob("*.in"))
    texts = {source.with_suffix(".lock"): compiled(source, stack, options, uv, upgrade) for source in sources}
    for path, text in texts.items():
        with atomic_write(path) as file:
            file.write(text.encode())
    return list(texts)


def compiled(source: Path, stack: str, options: dict[str, str], uv: str, upgrade: bool) -> str:
    """Return the text of one lock, as uv resolves it. Raises Problem."""
    python = options.get("PYTHON_VERSIONS", "3.11").split()[0]
    made_by = f'# Made by "make lock STACK={stack}" from {source.name}; do not edit.\n'
    with tempfile.TemporaryDirectory() as scratch:
        if "UNTIL" in options:
            draft = Path(scratch) / "pylock.toml"
            command = [uv, *COMPILE, source.name, "--output-file", str(draft), *until(options, python)]
            run(source, stack, options, command)
            return made_by + "".join(f"{line}\n" for line in dated.lines(draft.read_text("utf-8"), python))
        draft = Path(scratch) / "draft.lock"
        if source.with_suffix(".lock").exists():  # uv keeps the pins of the file that it writes
            shutil.copyfile(source.with_suffix(".lock"), draft)
        # A universal resolution serves every Python from that version on; uv has none for versions as old as 3.6.
        kind = ["--universal"] if python != "3.6" else ["--python-platform", "x86_64-manylinux2014"]
        command = [
            uv, *COMPILE, source.name, "--output-file", str(draft), *kind, "--python-version", python,
            "--generate-hashes", "--no-header", "--no-emit-index-url", "--no-emit-find-links",
            *(["--upgrade"] if upgrade else []),
        ]  # fmt: skip
        run(source, stack, options, command)
        return made_by + draft.read_text("utf-8")


def until(options: dict[str, str], python: str) -> list[str]:
    """Return uv's options for a stack of a year: its one Python and platform, and nothing uploaded after its end."""
    exceptions = [word for package in options.get("NEWER", "").split() for word in ("--exclude-newer-package", package)]
    return [
        "--python-version", python, "--python-platform", dated.PLATFORM,
        "--exclude-newer", f"{options['UNTIL']}T23:59:59Z", *exceptions,
    ]  # fmt: skip


def run(source: Path, stack: str, options: dict[str, str], command: list[str]) -> None:
    """Run uv in the folder of the .in file, so that the lock contains no path of this machine. Raises Problem."""
    words = [*command, "--quiet", *options.get("LOCK_OPTIONS", "").split()]
    done = subprocess.run(words, cwd=source.parent, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Problem(explanation(stack, source, done.stderr))


def explanation(stack: str, source: Path, output: str) -> str:
    """Return the message for a failed run of uv: the network, or uv's own output."""
    name = source.relative_to(ROOT)
    if any(sign in output.lower() for sign in NO_NETWORK):
        return (
            f"{name}: the package index cannot be reached; no lock was changed. Check the network "
            f"(HTTPS_PROXY, SSL_CERT_FILE), then run: make lock STACK={stack}"
        )
    return f"{name}: uv cannot resolve it; no lock was changed.\n{output.strip()}"
