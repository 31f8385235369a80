"""Waiting for JAX, whose calls return before their work is done; and the precision of the proof."""

from typing import Any, List

import jax

_last: List[Any] = []


def started(*arrays: Any) -> None:
    """Remember what the last call returns: each call of a row needs what the one before it returned."""
    _last[:] = arrays


def synchronize() -> None:
    """Return when the last call's work is done, and so that of all before it."""
    jax.block_until_ready(_last)


def set_precision(precision: str) -> None:
    """Compute in "float64", or not; on a GPU without TF32, whose rounding would hide small differences.

    Only a process that times nothing calls it.
    """
    jax.config.update("jax_enable_x64", precision == "float64")
    jax.config.update("jax_default_matmul_precision", "highest")
