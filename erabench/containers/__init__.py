"""Frameworks in containers: Docker or Podman, images from ``images/``, sealed by ``compose.yaml``."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from erabench.containers.command import image_id, without_host
from erabench.containers.image import build
from erabench.containers.sealed import compose_files, compose_run, variables
from erabench.engine import Ended
from erabench.terminal import say
from images.recipe import recipe
from images.stack import Problem

KILLED = 128 + signal.SIGKILL  # exit status


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
        identity = image_id(self.name, made.image)
        if not identity:
            raise Problem(f"the image {made.image} is missing: make bench builds it, make load reads it from a file")
        command = [
            *("-m", "runners", framework, *arguments, "--results", "/results", "--data", "/data"),
            *("--lock-sha256", made.lock_sha256, "--image", f"{identity} on {without_host(made.base)}"),
            *(("--columns", str(os.get_terminal_size(2).columns or 80)) if sys.stderr.isatty() else ()),
        ]
        environ = variables(self.name, made, self.results, self.data)
        ended = compose_run(self.name, made, environ, compose_files(self.name, made, self.has_gpu), command)
        if ended.status == KILLED:
            say(f"the container was killed; its memory limit is {environ['MEMORY_LIMIT']} (MEMORY_LIMIT)")
        return ended
