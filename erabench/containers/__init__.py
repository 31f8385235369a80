"""Frameworks in containers: Docker or Podman, images from ``images/``, sealed by ``compose.yaml``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from erabench.containers.image import build
from erabench.containers.sealed import run
from erabench.engine import Ended
from images.recipe import recipe


class Containers:
    """The engine ``docker`` or ``podman`` for the frameworks of one stack."""

    def __init__(self, name: str, stack: str, results: Path, data: Path, has_gpu: bool = False) -> None:
        self.name, self.stack, self.results, self.data, self.has_gpu = name, stack, results, data, has_gpu

    def prepare(self, framework: str) -> None:
        """Build the framework's image if it is missing or out of date. Raises Problem."""
        build(self.name, recipe(self.stack, framework))

    def run(self, framework: str, arguments: Sequence[str]) -> Ended:
        """Run ``python -m runners FRAMEWORK`` in the image, sealed. Raises Problem."""
        made = recipe(self.stack, framework)
        return run(self.name, made, arguments, self.results, self.data, self.has_gpu)
