"""The runners' tests run in Python 3.6 too.

This folder itself is taken off the path: its folders have the names of frameworks, and a library that asks whether one
of those is installed would find an empty package.
"""

import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [os.path.join(HERE, "helpers"), os.path.dirname(os.path.dirname(HERE))] + [
    path for path in sys.path if path != HERE
]
pytest.register_assert_rewrite("outside", "twins", "untouched")  # a failed assertion in them shows its values


@pytest.fixture
def in_float64(monkeypatch):
    """Proofs in one precision: enough to see a trap."""
    only(monkeypatch, "float64")


@pytest.fixture
def in_float32(monkeypatch):
    """The same in the precision that every version has."""
    only(monkeypatch, "float32")


def only(monkeypatch, precision):
    """Prove in this precision."""
    from runners.nets import sameness

    monkeypatch.setattr(sameness, "TOLERANCES", {precision: sameness.TOLERANCES[precision]})
