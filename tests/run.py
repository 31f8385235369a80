"""`make test`: run the tests in every environment that they are about, and add up.

The report's and the images' tests run in their own environment; each framework's tests in the very environment
that `make bench` uses, with pytest laid beside it; and the same once more in the era's Python 3.6 where there is
one. A suite that cannot run says why. Standard library only: this is what a fresh machine runs first.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
VENVS = Path(os.environ.get("VENVS") or ROOT / ".venvs")
FRAMEWORKS = ("classical", "keras", "pytorch")
OUTCOME = re.compile(r"(\d+) (passed|failed|skipped|errors?)")

sys.path.insert(0, str(ROOT / "images"))
import venv

from stack import STACKS


class Suite(NamedTuple):
    """Tests to run in one environment."""

    name: str
    stack: str  # "" for the tests' own environment
    paths: list[str]


CONTAINERS = "tests/images/containers"


def suites() -> list[Suite]:
    """Every suite of ``make test``, the cheap ones first."""
    frameworks = [
        Suite(f"{name} on {stack}", stack, paths_of(name)) for stack in ("cpu", "gtx1080") for name in FRAMEWORKS
    ]
    return [Suite("report and images", "", ["tests", f"--ignore={CONTAINERS}"]), *frameworks]


def paths_of(framework: str) -> list[str]:
    """A framework's own tests; the plain ones run with the autoregressive models, which need the least."""
    own = [str(path.relative_to(ROOT)) for path in sorted(ROOT.glob(f"tests/runners/test_{framework}*.py"))]
    if framework != "classical":
        return own
    others = [f"--ignore-glob=*/test_{name}*" for name in FRAMEWORKS if name != framework]
    return ["tests/runners", "tests/data", *others]


def environment_of(suite: Suite) -> tuple[Path, dict[str, str]]:
    """The suite's interpreter and the variables it needs; raises ``venv.SetupError`` where it cannot be had."""
    variables = {**os.environ, "PYTHONNOUSERSITE": "1", "PYTHONPATH": str(ROOT)}
    if not suite.stack:
        venv.make(VENVS / "tests", ROOT / "tests/requirements.lock")
        asked = {"TEST_CONTAINERS": "1"} if CONTAINERS in suite.paths else {}
        return VENVS / "tests/bin/python", {**variables, **asked}
    framework = suite.name.split()[0]
    home, pytest = VENVS / suite.stack / framework, VENVS / suite.stack / "tests"
    for folder in (home, pytest):
        venv.make(folder, STACKS / suite.stack / f"{folder.name}.lock", suite.stack)
    beside = next(pytest.glob("lib/python3.*/site-packages"))
    return home / "bin/python", {**variables, "PYTHONPATH": os.pathsep.join([str(ROOT), str(beside)])}


def run(suite: Suite, arguments: list[str]) -> dict[str, int]:
    """Counts of outcomes, as pytest's last line has them."""
    print(f"\n== {suite.name} ==", flush=True)
    try:
        python, variables = environment_of(suite)
    except venv.SetupError as error:
        if suite.stack == "gtx1080":  # an old interpreter that not every machine has
            print(f"erabench: skipped: {error}")
            return {"skipped": 1}
        print(f"erabench: {error}", file=sys.stderr)
        return {"errors": 1}
    command = [str(python), "-s", "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", *suite.paths, *arguments]
    process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True)
    last = ""
    assert process.stdout is not None
    for line in process.stdout:
        print(line, end="", flush=True)
        last = line if OUTCOME.search(line) else last
    counts = {kind.rstrip("s"): int(number) for number, kind in OUTCOME.findall(last)}
    if process.wait() != 0 and not (counts.get("failed") or counts.get("error")):
        counts["error"] = 1
    return counts


def main() -> int:
    """Run the suites whose name holds the first argument (all without one); pass the rest on to pytest."""
    wanted, *arguments = sys.argv[1:] or [""]
    chosen = [suite for suite in suites() if wanted in suite.name]
    if wanted == "containers":
        chosen = [Suite("containers", "", [CONTAINERS])]
    total: dict[str, int] = {}
    for suite in chosen:
        for kind, number in run(suite, arguments).items():
            total[kind.rstrip("s")] = total.get(kind.rstrip("s"), 0) + number
    failed = total.get("failed", 0) + total.get("error", 0)
    print(f"\n{total.get('passed', 0)} passed, {failed} failed, {total.get('skipped', 0)} skipped")
    return 1 if failed or not total.get("passed") else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
