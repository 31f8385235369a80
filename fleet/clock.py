"""Lengths of time as text."""

from __future__ import annotations

import re


def seconds_of(text: str) -> int | None:
    """Return the seconds of D-HH:MM:SS, HH:MM:SS, MM:SS or a plain number; None for anything else."""
    found = re.fullmatch(r"(?:(\d+)-)?(?:(?:(\d+):)?(\d+):)?(\d+)", text)
    if not found:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def clock(seconds: float) -> str:
    """Return 12:03 or 1:02:03."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= 60 else f"{minutes}:{rest:02d}"


def whole_minutes(seconds: int) -> str:
    """Return 00:13:00, rounded up: Slurm's limits are in minutes."""
    minutes = -(-seconds // 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:00"
