"""Sizes of the images that are built, and how long one takes to start. Skips without Docker."""

from __future__ import annotations

import subprocess
import sys
import time

from experiments.harness.processes import ROOT

STACK = "cpu"


def seconds(command: list[str]) -> float | None:
    """Return how long a command takes; None if it fails or does not exist."""
    began = time.perf_counter()
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    except OSError:
        return None
    return time.perf_counter() - began if done.returncode == 0 else None


def size(image: str) -> int | None:
    """Return an image's bytes; None where it is missing."""
    command = ["docker", "image", "inspect", "--format", "{{.Size}}", image]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return int(done.stdout) if done.returncode == 0 else None


def main() -> int:
    """Print a line per image of the cpu stack."""
    print(f"\nImages of the stack {STACK}")
    if seconds(["docker", "info"]) is None:
        print("  skipped: Docker is not installed, or does not answer")
        return 0
    for name in sorted(path.parent.name for path in (ROOT / "runners").glob("*/framework.json")):
        image = f"erabench/{name}:{STACK}"
        whole = size(image)
        if whole is None:
            print(f"  {name}: skipped: {image} is not built; ENGINE=docker make bench MODEL=... builds it")
            continue
        start = seconds(["docker", "run", "--rm", "--network", "none", "--entrypoint", "true", image])
        print(f"  {name}: {whole / 1e6:.0f} MB, starts in {start or float('nan'):.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
