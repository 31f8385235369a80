"""Environments of many years on one disk (decision 0023).

An environment's files are hard links into uv's cache, so one that stays costs no space as long as its packages are in
the cache, and nothing is built again in the next round. All nine years take 44 GB. Where the disk has less, those used
longest ago go, with their packages in the cache: the next round fetches them again.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable

from erabench.environments import locks
from erabench.environments.build import mark
from erabench.terminal import say
from images import stack
from images.recipe import pins

LEAST_FREE = 8e9  # bytes: the largest environment takes 6.9 GB


class Room:
    """The environments that there are, by edition ("2018/keras"), the one used longest ago first."""

    def __init__(self, editions: Iterable[str]) -> None:
        self.used = [edition for edition in editions if exists(edition)]

    def make(self, wanted: str, everything: bool = False) -> bool:
        """Remove others until there is room for one more, or all of them; return whether any went."""
        others = [edition for edition in self.used if edition != wanted]
        before = len(others)
        while others and (everything or free() < LEAST_FREE):
            edition = others.pop(0)
            say(f"the disk is nearly full: removing the environment {edition} and its packages in uv's cache")
            remove(edition)
            self.used.remove(edition)
            names = sorted({name for name, _ in packages(edition) - packages(wanted)})
            if names:  # without one, uv would empty the whole cache
                subprocess.run([str(locks.uv()), "cache", "clean", *names], capture_output=True, check=False)
        return len(others) < before

    def note(self, edition: str) -> None:
        """Mark an environment as used last."""
        self.used = [other for other in self.used if other != edition] + [edition]


def packages(edition: str) -> set[tuple[str, str]]:
    """Names and versions of an edition's packages."""
    return {pin for lock in stack.locks(*edition.split("/")) for pin in pins(lock)}


def exists(edition: str) -> bool:
    """Whether there is an environment, complete or not."""
    return (locks.folder() / edition).exists()


def remove(edition: str) -> None:
    """Remove an environment, complete or not; a folder that erabench did not make stays."""
    if mark(locks.folder() / edition).exists():
        shutil.rmtree(locks.folder() / edition, ignore_errors=True)


def free() -> int:
    """Bytes that the disk of the environments has left."""
    locks.folder().mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(locks.folder()).free
