"""Frameworks in containers: Docker or Podman, images from ``images/``, sealed by ``compose.yaml``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from erabench.containers.carry import load, mirror, save
from erabench.containers.command import (
    CONTAINER_ENGINES,
    has_cdi_description,
    has_nvidia_runtime,
    image_id,
    unusable,
)
from erabench.containers.image import BaseUnavailable, build, is_current, source
from erabench.containers.sealed import Folders, run
from erabench.engine import Ended
from images.recipe import recipe

__all__ = [
    "CONTAINER_ENGINES",
    "BaseUnavailable",
    "Containers",
    "Folders",
    "has_cdi_description",
    "has_nvidia_runtime",
    "image_id",
    "is_current",
    "load",
    "mirror",
    "save",
    "source",
    "unusable",
]


class Containers:
    """The engine ``docker`` or ``podman`` for the frameworks of one stack."""

    def __init__(self, name: str, stack: str, results: Path, data: Path, has_gpu: bool = False) -> None:
        self.name, self.stack = name, stack
        self.folders, self.has_gpu = Folders(results, data), has_gpu

    def prepare(self, framework: str) -> None:
        """Build the framework's image if it is missing or out of date. Raises Problem."""
        build(self.name, recipe(self.stack, framework))

    def run(self, framework: str, arguments: Sequence[str]) -> Ended:
        """Run ``python -m runners FRAMEWORK`` in the image, sealed. Raises Problem."""
        return run(self.name, recipe(self.stack, framework), arguments, self.folders, self.has_gpu)
