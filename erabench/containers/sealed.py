"""Run a framework in its image, sealed by compose.yaml."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from erabench.containers.command import (
    compose_command,
    has_cdi_description,
    has_nvidia_runtime,
    image_id,
    is_rootless,
)
from erabench.engine import Ended, stops_go_to
from erabench.options import writable
from erabench.terminal import say
from images.recipe import Recipe
from images.stack import ROOT, Problem, declaration, gpu_capabilities

INTERRUPTED, KILLED = 128 + signal.SIGINT, 128 + signal.SIGKILL  # exit statuses


class Folders(NamedTuple):
    """The folders that a container reads and writes besides the code."""

    results: Path
    data: Path


def run(engine: str, recipe: Recipe, arguments: Sequence[str], folders: Folders, has_gpu: bool) -> Ended:
    """Run ``python -m runners`` with the framework and ``arguments``, sealed. Raises Problem."""
    identity = image_id(engine, recipe.image)
    if not identity:
        raise Problem(f"the image {recipe.image} is missing: make bench builds it, make load reads it from a file")
    base = re.sub(r"^[^/]*[.:][^/]*/", "", recipe.base)  # without the registry's host, which may be private
    command = [
        *("-m", "runners", recipe.framework, *arguments, "--results", "/results", "--data", "/data"),
        *("--lock-sha256", recipe.lock_sha256, "--image", f"{identity} on {base}"),
        *(("--columns", str(os.get_terminal_size(2).columns or 80)) if sys.stderr.isatty() else ()),
    ]
    environ = variables(engine, recipe, folders)
    ended = Container(engine, recipe, environ, compose_files(engine, recipe, has_gpu)).run(command)
    if ended.status == KILLED:
        limit = environ["MEMORY_LIMIT"]
        say(f"the container was killed; its memory limit is {limit} (MEMORY_LIMIT)")
    return ended


class Container:
    """One call of Compose, with the variables and files for this engine, stack and machine. Raises Problem."""

    def __init__(self, engine: str, recipe: Recipe, environ: dict[str, str], files: Sequence[str]) -> None:
        if not compose_command(engine):
            raise Problem(f"{engine} has no Compose: install Compose v2 (or podman-compose), or use ENGINE=venv")
        self.engine = engine
        self.environ = {**os.environ, **environ}
        self.name = f"erabench-{recipe.framework}-{recipe.stack}-{os.getpid()}"
        options = [part for name in files for part in ("--file", str(ROOT / name))]
        self.command = [*compose_command(engine), *options, "run", "--rm", "-T", "--name", self.name, "runner"]
        self.process: subprocess.Popen[str] | None = None
        self.is_interrupted = False

    def run(self, command: Sequence[str]) -> Ended:
        """Run the service in the foreground. Any signal to stop reaches the runner, and no container is left."""
        try:
            with stops_go_to(self.interrupt):
                # In its own session: on Ctrl-C, Compose would abandon the run before the runner receives the signal.
                self.process = subprocess.Popen(
                    [*self.command, *command], env=self.environ, cwd=ROOT, start_new_session=True,
                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                )  # fmt: skip
                if self.is_interrupted:  # before the process was started
                    self.interrupt()
                output = self.process.communicate()[0]
        finally:
            subprocess.run([self.engine, "rm", "--force", self.name], capture_output=True, check=False)
        return Ended(INTERRUPTED if self.is_interrupted else self.process.returncode, output)

    def interrupt(self) -> None:
        """Turn a signal to stop into the SIGINT that the runner handles; before the container runs, end Compose."""
        self.is_interrupted = True
        kill = [self.engine, "kill", "--signal", "INT", self.name]
        if subprocess.run(kill, capture_output=True, check=False).returncode and self.process:
            self.process.terminate()


def variables(engine: str, recipe: Recipe, folders: Folders) -> dict[str, str]:
    """Return the variables of compose.yaml. Raises Problem if a folder cannot be written."""
    is_root = os.getuid() == 0
    user = "0:0" if engine == "docker" and is_rootless() else f"{os.getuid()}:{os.getgid()}"
    return {
        "FRAMEWORK": recipe.framework,
        "STACK": recipe.stack,
        "ERABENCH_RESULTS": str(writable("RESULTS", folders.results)),
        "ERABENCH_DATA": str(writable("DATA_DIR", folders.data)),
        "ERABENCH_USER": user,
        "ERABENCH_USERNS": "host" if is_root else "keep-id",  # Podman run by root has no other user to keep
        "MEMORY_LIMIT": os.environ.get("MEMORY_LIMIT") or f"{memory_bytes() * 9 // 10}b",
        "COMPOSE_PROJECT_NAME": "erabench",
    }


def memory_bytes() -> int:
    """Return the size of the machine's memory."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def compose_files(engine: str, recipe: Recipe, has_gpu: bool) -> list[str]:
    """Return the compose files for this engine, with the GPUs if the machine, the stack and the framework use them."""
    names = ["compose.yaml", *(["compose.podman.yaml"] if engine == "podman" else [])]
    if has_gpu and gpu_capabilities(recipe.stack) and "gpu" in declaration(recipe.framework)["devices"]:
        names += gpu_file(engine)
    return names


def gpu_file(engine: str) -> list[str]:
    """Return the compose file that gives a container the GPUs; none, with a warning, if the engine cannot do that."""
    if engine == "podman" and has_cdi_description():
        return ["compose.gpu-podman.yaml"]
    if engine == "docker" and has_nvidia_runtime():
        return ["compose.gpu.yaml"]
    if engine == "docker" and has_cdi_description():
        return ["compose.gpu-cdi.yaml"]
    say(
        f"{engine} cannot give a container the NVIDIA GPU: it has neither NVIDIA's runtime nor a CDI description. "
        "GPU rows will be skipped; `make doctor` shows the fix"
    )
    return []
