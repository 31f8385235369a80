"""A framework is declared once: a folder under runners/ and a lock per stack, and every command knows it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from machines import ROOT

from erabench.environments import build, locks

DECLARATION = {
    "name": "tiny",
    "title": "Tiny",
    "devices": ["cpu"],
    "rows": ["last-month"],
    "cheapest_row": "last-month",
    "tunable": [],
    "check": "import numpy",
}
BACKEND = '''"""NumPy alone."""

import numpy

from runners.contract import Backend


def open_backend(device, threads):
    """On the CPU every call returns finished."""
    return Backend(
        synchronize=lambda: None,
        reset_memory=lambda: None,
        read_memory=dict,
        versions=lambda: {"numpy": numpy.__version__},
        execution=dict,
        seed=numpy.random.seed,
    )
'''
ROW = '''"""Last month: every month is like the one before."""

from runners.contract import Model, Rule

MODEL = Model(
    key="last-month",
    title="Last month",
    params="1 lag",
    library="NumPy",
    dataset="airline",
    implementation="runners.tiny.lag",
    settings={"smoke": {}, "quick": {}, "full": {}},
    rules=dict.fromkeys(("smoke", "quick", "full"), Rule(warmup_s=0.01, min_time_s=0.01, budget_s=0.1)),
    processes={"smoke": 1, "quick": 3, "full": 10},
    time_limit_s={"smoke": 60, "quick": 60, "full": 60},
    order=90,
)
'''
IMPLEMENTATION = '''"""A factor for the month before, by least squares."""

import numpy

from runners.contract import Quality, Score, Steps
from runners.data import forecast


def fit(series):
    return float(numpy.dot(series[1:], series[:-1]) / numpy.dot(series[:-1], series[:-1]))


def prepare(context):
    train, state = context.data.train, {}

    def step(series):
        state["factor"] = fit(series)
        return state["factor"]

    step(train)
    return Steps(
        train=step,
        train_batch=lambda: train,
        read_loss=lambda factor: float(numpy.mean((train[1:] - factor * train[:-1]) ** 2)),
        predict=lambda batch: state["factor"] * batch,
        predict_batch=lambda: train[-32:],
        state=lambda: numpy.float64(state["factor"]).tobytes(),
        parameters=1,
        train_unit="fit",
        iterative=False,
    )


def train_to_quality(context):
    series, factor = context.data, fit(context.data.train)
    forecasts = factor * series.scaled[len(series.train) - 1 : -1]
    loss = forecast.mean_squared_error(series.test, forecasts)
    score = Score("one-step", loss, forecast.r2(series.test, forecasts))
    return Quality(protocol="one-step", loss_metric="mse", accuracy_metric="r2", scores=[score])
'''
TEST = '''"""The tiny framework\'s own test."""


def test_the_factor_is_found():
    """In the environment that the bench uses."""
    import numpy

    from runners.tiny.lag import fit

    assert abs(fit(numpy.array([1.0, 2.0, 4.0])) - 2.0) < 1e-12
'''
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with one framework more, and the environments that it shares with the original."""
    folder = tmp_path_factory.mktemp("project")
    tracked = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True).split("\0")
    for name in filter(None, tracked):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    added = {
        "runners/tiny/framework.json": json.dumps(DECLARATION),
        "runners/tiny/__init__.py": '"""NumPy alone."""\n',
        "runners/tiny/backend.py": BACKEND,
        "runners/tiny/last_month.py": ROW,
        "runners/tiny/lag.py": IMPLEMENTATION,
        "tests/runners/tiny/test_tiny.py": TEST,
        "images/stacks/cpu/tiny.lock": build.entry(ROOT / "images/stacks/cpu/classical.lock", "numpy"),
    }
    for name, text in added.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / ".venvs" / "cpu").mkdir(parents=True)
    for shared in ("host", "tests"):
        (folder / ".venvs" / shared).symlink_to(locks.folder().absolute() / shared)
    return folder


@pytest.fixture(scope="module")
def run(project: Path) -> Run:
    """Run a command of the project's driver."""
    unset = ("RESULTS", "SITE", "VENVS", "MODEL", "DEVICE", "MACHINE", "PROFILE", "LOCALE", "FORCE", "PYTHONPATH")
    clean = {name: value for name, value in os.environ.items() if name not in unset}

    def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-s", "-m", "erabench", *words]
        environment = {**clean, "ENGINE": "venv", "STACK": "cpu", "LOCALE": "en", **variables}
        return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=600)

    return run


@pytest.fixture(scope="module")
def benched(run: Run, project: Path) -> subprocess.CompletedProcess[str]:
    """A bench of the new row."""
    return run("bench", "--model", "last-month", "--profile", "quick", "--device", "cpu", "--machine", "here")


def test_it_is_listed(run: Run) -> None:
    """Beside the others."""
    assert re.search(r"^last-month +tiny +Last month", run("list").stdout, re.MULTILINE)


def test_the_bench_measures_it_in_rounds_and_the_page_shows_it(
    benched: subprocess.CompletedProcess[str], project: Path
) -> None:
    """Three processes in three calls, and the last line names the page."""
    assert benched.returncode == 0, benched.stderr
    record = json.loads((project / "results/here/cpu/last-month.cpu.json").read_text())
    counted = [process["round"] for process in record["processes"] if process["status"] != "disturbed"]
    assert (record["framework"], record["status"], counted) == ("tiny", "ok", [1, 2, 3])
    assert "round 1 of 3 is done; about " in benched.stderr
    (page,) = re.findall(r"\S+\.html", benched.stdout.splitlines()[-1])
    assert "Last month" in (project / page).read_text()


def test_a_second_bench_measures_nothing(benched: subprocess.CompletedProcess[str], run: Run, project: Path) -> None:
    """The record stays as it is, to the byte."""
    before = (project / "results/here/cpu/last-month.cpu.json").read_bytes()
    again = run("bench", "--model", "last-month", "--profile", "quick", "--device", "cpu", "--machine", "here")
    assert again.returncode == 0
    assert (project / "results/here/cpu/last-month.cpu.json").read_bytes() == before
    assert "unchanged" in again.stderr


def test_it_can_be_compared(benched: subprocess.CompletedProcess[str], run: Run) -> None:
    """With itself there is no difference."""
    done = run("compare", "--a", "results", "--b", "results")
    assert done.returncode == 0, done.stderr
    assert "last-month" in done.stdout


def test_its_tests_run_in_its_environment(benched: subprocess.CompletedProcess[str], run: Run) -> None:
    """By the name of its folder."""
    done = run("test", "tiny on cpu")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "1 passed, 0 failed, 0 skipped"


def test_doctor_and_tune_know_it(run: Run) -> None:
    """Its declaration says that it has nothing to tune."""
    assert run("doctor").returncode == 0
    done = run("tune", "--model", "last-month")
    assert done.stderr.startswith("erabench: MODEL=last-month: nothing to tune; choose rows of: ")
