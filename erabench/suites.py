"""``make test`` and ``make bench-harness``: tests and experiments, each in the environment that it tests.

The host's code is tested in .venvs/tests. Each framework is tested in the environment that `make bench` uses, with
pytest beside it, for every stack that has a tests.lock. Suites follow from the folders: tests/runners/<framework>
belongs to that framework, and the rest of tests/runners runs with the one that has the shortest lock.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from argparse import Namespace
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from erabench.choose import has_python
from erabench.engine import clean
from erabench.environments import locks
from erabench.environments.build import Environment
from erabench.frameworks import frameworks
from erabench.terminal import say
from images.stack import ROOT, STACKS, Problem, settings, stacks
from images.stack import frameworks as with_locks

OUTCOME = re.compile(r"(\d+) (passed|failed|skipped|error)")  # in pytest's last line
CONTAINERS, RUNNERS, ERAS, GPU = "tests/containers", "tests/runners", "tests/eras", "tests/gpu"
NOTHING_SELECTED = 5  # pytest's exit status where -k leaves no test of a suite
HARNESS_STACK = "cpu"
NPM_TOOLS = ROOT / "tests"


class Suite(NamedTuple):
    """Tests to run in one environment."""

    name: str
    stack: str  # "" for the host's
    framework: str
    paths: list[str]  # pytest's


def test(asked: Namespace) -> int:
    """Run the suites that the first word selects, or all suites; the other words are passed to pytest.

    Raises Problem if it selects none.
    """
    wanted, *options = asked.words or [""]
    chosen = selected(wanted)
    if not chosen:
        raise Problem(f"no suite's name contains '{wanted}'; choose from: {', '.join(s.name for s in suites())}")
    total: Counter[str] = Counter()
    for suite in chosen:
        total += run(suite, options)
    failed = total["failed"] + total["error"]
    print(f"\n{total['passed']} passed, {failed} failed, {total['skipped']} skipped")
    return 1 if failed or not total["passed"] else 0


def selected(wanted: str) -> list[Suite]:
    """The suites with this word in their names ("eras" is not "keras"); where none has it, those with these letters."""
    every = suites()
    if not wanted:
        return [suite for suite in every if suite.name != "containers"]
    word = re.compile(rf"\b{re.escape(wanted)}\b")
    return [suite for suite in every if word.search(suite.name)] or [suite for suite in every if wanted in suite.name]


def suites() -> list[Suite]:
    """Every suite, the cheap ones first."""
    found = [Suite("host", "", "", ["tests", *(f"--ignore={path}" for path in (CONTAINERS, RUNNERS, ERAS, GPU))])]
    others = [f"--ignore={RUNNERS}/{framework.name}" for framework in frameworks()]
    for stack in stacks():
        if (STACKS / stack / "tests.lock").is_file():
            names = sorted(with_locks(stack), key=lambda name: (STACKS / stack / f"{name}.lock").stat().st_size)
            found.append(Suite(f"runners on {stack}", stack, names[0], [RUNNERS, *others]))
            tested = [name for name in names if (ROOT / RUNNERS / name).is_dir()]
            found += [Suite(f"{name} on {stack}", stack, name, [f"{RUNNERS}/{name}"]) for name in tested]
    return [*found, Suite("eras", "", "", [ERAS]), Suite("containers", "", "", [CONTAINERS])]


def run(suite: Suite, options: Sequence[str]) -> Counter[str]:
    """Run one suite; return how many tests had which outcome."""
    print(f"\n== {suite.name} ==", flush=True)
    if suite.stack and not has_python(suite.stack):  # an old interpreter that not every machine has
        print(f"skipped: this machine has no Python {settings(suite.stack)['PYTHON_VERSIONS']}")
        return Counter(skipped=1)
    try:
        environment, beside = prepared(suite)
    except Problem as problem:
        say(str(problem))
        return Counter(error=1)
    if suite.name == "host":
        install_npm_packages()
    variables = clean() | {"PYTHONPATH": os.pathsep.join([str(ROOT), *beside])}
    if suite.paths == [CONTAINERS]:
        variables["TEST_CONTAINERS"] = "1"
    pytest = [str(environment.interpreter), "-s", "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider"]
    process = subprocess.Popen(
        [*pytest, *suite.paths, *options], cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True
    )
    last = ""
    assert process.stdout is not None
    for line in process.stdout:
        print(line, end="", flush=True)
        last = line if OUTCOME.search(line) else last
    counts = Counter({kind: int(number) for number, kind in OUTCOME.findall(last)})
    accepted = (0, NOTHING_SELECTED) if options else (0,)
    if process.wait() not in accepted and not (counts["failed"] or counts["error"]):
        counts["error"] = 1
    return counts


def install_npm_packages(folder: Path = NPM_TOOLS) -> None:
    """Install what the tests take from npm, from a lock with hashes; without npm those tests are skipped."""
    npm, there = shutil.which("npm"), folder / "node_modules" / ".package-lock.json"
    lock = folder / "package-lock.json"
    if npm is None or (there.is_file() and there.stat().st_mtime >= lock.stat().st_mtime):
        return
    command = [npm, "ci", "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        why = next((line for line in done.stderr.splitlines() if line.strip()), "no output")
        say(f"npm could not install the tools in {folder}, so their tests are skipped: {why}")


def prepared(suite: Suite) -> tuple[Environment, list[str]]:
    """The suite's environment, and the folder that pytest comes from if it is not in there. Raises Problem."""
    if not suite.stack:
        return locks.made(locks.own("tests")), []
    pytest = locks.made(locks.of_stack(suite.stack, "tests"))
    return locks.made(locks.of_stack(suite.stack, suite.framework)), [str(pytest.packages)]


def test_gpu(asked: Namespace) -> int:
    """Run tests/gpu with each framework's interpreter: PYTHON_<FRAMEWORK>, else the environment of the stack.

    Nothing is installed: the tests run where a network, a container engine or the locks are missing. Raises Problem.
    """
    stack = asked.STACK or "current"
    statuses: list[int] = []
    settings(stack)  # which refuses a stack that there is not
    for framework in [framework for framework in frameworks() if "gpu" in framework.devices]:
        variable = f"PYTHON_{framework.name.upper()}"
        made = locks.folder().absolute() / stack / framework.name / "bin" / "python"
        interpreter = os.environ.get(variable) or (str(made) if made.is_file() else "")
        print(f"\n== {framework.name} with {interpreter or 'no interpreter'} ==", flush=True)
        if not interpreter:
            print(f"skipped: set {variable} to an interpreter that holds the framework, such as {variable}=python3")
            continue
        command = [interpreter, "-s", "-m", "unittest", "-v", "tests.gpu.test_gpu"]
        try:
            done = subprocess.run(command, cwd=ROOT, env=clean() | {"FRAMEWORK": framework.name}, check=False)
        except OSError as error:
            raise Problem(f"{variable}={interpreter}: cannot be run ({error.strerror})") from error
        statuses.append(done.returncode)
    if not statuses:
        print("\nnothing was tested: no framework has an interpreter")
    return 1 if any(statuses) else 0


def harness(asked: Namespace) -> int:
    """Prepare every environment of the cpu stack, then run experiments/harness. Raises Problem."""
    only_help = {"-h", "--help"} & set(asked.words)
    for lock in [] if only_help else sorted((STACKS / HARNESS_STACK).glob("*.lock")):
        locks.made(locks.of_stack(HARNESS_STACK, lock.stem))
    environment = locks.made(locks.own("tests"))
    command = [str(environment.interpreter), "-s", "-m", "experiments.harness", *asked.words]
    variables = clean() | {"VENVS": str(locks.folder().absolute())}
    return subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode
