"""`make bench-harness`: what the harness costs, as ratios within one run; and whether it keeps its limits.

python -m tests.harness             all of it, each part in the environment that it is about
python -m tests.harness overhead    one part: overhead, noise, scale, images
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENVS = Path(os.environ.get("VENVS") or ROOT / ".venvs")
PARTS = ("overhead", "noise", "scale", "images")


def main() -> int:
    """Run the parts asked for, each as a process of its own; 0 if every limit was kept."""
    wanted = sys.argv[1:] or list(PARTS)
    unknown = [part for part in wanted if part not in PARTS]
    if unknown:
        print(f"erabench: the harness has no part '{unknown[0]}'; choose from: {', '.join(PARTS)}", file=sys.stderr)
        return 2
    sys.path.insert(0, str(ROOT / "images"))
    sys.modules.pop("venv", None)
    import venv  # images/venv.py

    locks = ROOT / "images/stacks/cpu"
    for name in ("pytorch", "classical", "keras", "harness"):
        venv.make(VENVS / "cpu" / name, locks / f"{name}.lock", "cpu")
    venv.make(VENVS / "report", ROOT / "images/report/report.lock")
    venv.make(VENVS / "tests", ROOT / "tests/requirements.lock")
    return max([run(part) for part in wanted])


def run(part: str) -> int:
    """One part in its environment; its exit status."""
    if part == "images":
        return image_sizes()
    python = VENVS / ("cpu/pytorch" if part == "overhead" else "tests") / "bin/python"
    beside = [str(path) for path in VENVS.glob("cpu/harness/lib/python3.*/site-packages")] if part == "overhead" else []
    report, classical, keras = (str(VENVS / name / "bin/python") for name in ("report", "cpu/classical", "cpu/keras"))
    subjects = {"noise": [classical, keras], "scale": [report, classical]}.get(part, [])
    command = [str(python), "-s", "-m", f"tests.harness.{part}", *subjects]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *beside])}
    return subprocess.run(command, cwd=ROOT, env=environment).returncode


def image_sizes() -> int:
    """Size above the base, time to build again and time to start, of the images that are here."""
    from engine import unusable  # images/engine.py

    print("\nThe images", flush=True)
    reason = unusable("docker")
    if reason:
        print(f"  skipped: {reason}")
        return 0
    sizes = [sys.executable, str(ROOT / "images/sizes.py"), "--engine", "docker", "--stack", "cpu"]
    if subprocess.run(sizes, cwd=ROOT).returncode:
        print("  skipped: the images cannot be built here, for the reason above")
    return 0


if __name__ == "__main__":
    sys.exit(main())
