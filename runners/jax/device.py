"""Waiting for JAX, whose calls return before their work is done."""

from typing import Any, List

import jax

_last: List[Any] = []


def started(*arrays: Any) -> None:
    """Remember what the last call returns: each call of a row needs what the one before it returned."""
    _last[:] = arrays


def synchronize() -> None:
    """Return when the last call's work is done, and so that of all before it."""
    jax.block_until_ready(_last)
