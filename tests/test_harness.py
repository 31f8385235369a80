"""What `make bench-harness` calls linear, and its words for a part it does not have."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("jsonschema_rs", reason="the harness needs the tests' own environment")

from tests.harness.scale import MORE, is_linear, show


def test_growth_in_proportion_is_linear_whatever_is_paid_once() -> None:
    """And growth with the square is not."""
    counts = (8, 100, 1000, 10000)
    assert is_linear({count: 0.3 + 0.0004 * count for count in counts}, noise=0)
    assert is_linear(dict.fromkeys(counts, 0.3), noise=0)
    assert not is_linear({count: 0.3 + 1e-7 * count**2 for count in counts}, noise=0)
    assert not is_linear({100: 0.1, 1000: 1.0, 10000: 1.0 + 9 * 0.9 + MORE * 9}, noise=0)


def test_a_growth_that_is_too_much_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """With the cost of a unit at each step."""
    from tests.harness.scale import SECONDS

    assert not show("time", "result", {1: 1.0, 10: 2.0, 100: 400.0}, SECONDS)
    assert "NOT KEPT" in capsys.readouterr().out


def test_an_unknown_part_gets_one_message() -> None:
    """And exit status 2."""
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run([sys.executable, "-m", "tests.harness", "speed"], cwd=root, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (
        2,
        "erabench: the harness has no part 'speed'; choose from: overhead, noise, scale, images\n",
    )
