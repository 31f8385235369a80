"""Rows of Keras and statsmodels run with the releases of three years; python -m experiments.eras runs all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from experiments import eras

YEARS = ["2018", "2020", "2026"]  # TensorFlow 1's graphs, an early TensorFlow 2, Keras 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `make eras` has measured the three years and written its page."""
    return tmp_path_factory.mktemp("eras")


@pytest.fixture(scope="module")
def records(folder: Path) -> dict[str, dict[str, Any]]:
    """The records of the years that have a Python on this machine."""
    found = eras.measured(YEARS, folder)
    assert {name.partition("/")[0] for name in found} == set(YEARS)
    missing = sorted({name[:4] for name, record in found.items() if record["status"] == "skipped"})
    if len(missing) == len(YEARS):
        pytest.skip(f"this machine has no Python for the stacks of {', '.join(missing)}")
    return found


def test_every_row_runs_in_each_of_the_years_and_ar_computes_the_same(records: dict[str, dict[str, Any]]) -> None:
    """TensorFlow 1.12, 2.4 and 2.21 through one compat module, statsmodels 0.9, 0.12 and 0.15 through another."""
    assert eras.problems(records) == []


def test_every_year_was_measured_in_the_same_round_of_one_bench(records: dict[str, dict[str, Any]]) -> None:
    """So the report compares its processes as pairs."""
    benches = {
        (process["order_seed"], process["round"]) for record in records.values() for process in record["processes"]
    }
    assert len(benches) == 1


def test_the_page_of_eras_is_there(records: dict[str, dict[str, Any]], folder: Path) -> None:
    """With a link to every record."""
    page = (folder / "site" / "pages" / "eras.markdown").read_text("utf-8")
    assert [name for name in records if f"/here/{name}.cpu.json" not in page] == []
