"""Run a command in a framework's image, sealed by compose.yaml."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from erabench.containers.command import (
    compose_command,
    has_cdi_description,
    has_nvidia_runtime,
    is_rootless,
)
from erabench.engine import Ended, supervise
from erabench.options import writable
from erabench.terminal import say
from images.recipe import Recipe
from images.stack import ROOT, Problem, declaration, gpu_capabilities


def compose_run(
    engine: str, recipe: Recipe, environ: dict[str, str], files: Sequence[str], command: Sequence[str]
) -> Ended:
    """Run a command in the service of Compose. Any signal to stop reaches it, and no container is left.

    Raises Problem without Compose.
    """
    if not compose_command(engine):
        raise Problem(f"{engine} has no Compose: install Compose v2 (or podman-compose), or use ENGINE=venv")
    name = f"erabench-{recipe.framework}-{recipe.stack}-{os.getpid()}"
    options = [part for file in files for part in ("--file", str(ROOT / file))]

    def interrupt(compose: subprocess.Popen[str]) -> None:
        """Send the SIGINT that the runner handles; before the container runs, end Compose."""
        kill = [engine, "kill", "--signal", "INT", name]
        if subprocess.run(kill, capture_output=True, check=False).returncode:
            compose.terminate()

    run_it = [*compose_command(engine), *options, "run", "--rm", "-T", "--name", name, "runner", *command]
    try:
        return supervise(run_it, {**os.environ, **environ}, interrupt)
    finally:
        subprocess.run([engine, "rm", "--force", name], capture_output=True, check=False)


def variables(engine: str, recipe: Recipe, results: Path, data: Path) -> dict[str, str]:
    """Return the variables of compose.yaml. Raises Problem if a folder cannot be written."""
    is_root = os.getuid() == 0
    user = "0:0" if engine == "docker" and is_rootless() else f"{os.getuid()}:{os.getgid()}"
    return {
        "FRAMEWORK": recipe.framework,
        "STACK": recipe.stack,
        "ERABENCH_RESULTS": str(writable("RESULTS", results)),
        "ERABENCH_DATA": str(writable("DATA_DIR", data)),
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
