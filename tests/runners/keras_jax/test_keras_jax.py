"""The nets in Keras on JAX: the same nets as the Keras rows'."""

import os

import pytest

pytest.importorskip("jax", reason="JAX is not in this environment")
os.environ["KERAS_BACKEND"] = "jax"  # as the backend sets it, before Keras is imported
pytest.importorskip("keras", reason="Keras is not in this environment")

from twins import KerasNets


class TestNets(KerasNets):
    """Nothing is different."""

    framework = "keras_jax"
