"""Queries to a container engine: whether it answers, how to call Compose, which images and GPUs it has."""

from __future__ import annotations

import functools
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from images.stack import Problem, output

CONTAINER_ENGINES = ("docker", "podman")
ANSWER_TIMEOUT_S = 2.0
PODMAN_COMPOSE = (1, 2)  # 1.0 sets neither the network mode nor the user namespace


def unusable(engine: str) -> str:
    """Return why a container engine cannot be used, "" if it can."""
    if not shutil.which(engine):
        return f"{engine} is not installed"
    # `docker info` fails where only the client is installed; podman's own alias for docker fails on the template.
    field = "{{.ServerVersion}}" if engine == "docker" else "{{.Host.OCIRuntime.Name}}"
    reason = why_silent([engine, "info", "--format", field])
    if reason:
        return f"{engine} does not answer ({reason})"
    if compose_command(engine):
        return ""
    alternative = f", and podman-compose {'.'.join(map(str, PODMAN_COMPOSE))} or later is not installed"
    return f"{engine} has no Compose (`{engine} compose version` fails{alternative if engine == 'podman' else ''})"


@functools.cache
def compose_command(engine: str) -> tuple[str, ...]:
    """Return the command for Compose, empty if there is none. Podman before 4.7 has it only as podman-compose."""
    if not why_silent([engine, "compose", "version"]):
        return (engine, "compose")
    if engine == "podman" and shutil.which("podman-compose"):
        version = re.search(r"podman-compose version:?\s+(\d+)\.(\d+)", output("podman-compose", "--version"))
        if version and (int(version[1]), int(version[2])) >= PODMAN_COMPOSE:
            return ("podman-compose",)
    return ()


def why_silent(command: list[str]) -> str:
    """Return why a command gives no answer within the time limit, "" if it does."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return f"no answer within {ANSWER_TIMEOUT_S:g} s"
    except OSError as error:
        return str(error.strerror)
    return "" if done.returncode == 0 and done.stdout.strip() else last_line(done.stderr)[:160].rstrip(".")


def last_line(output: str) -> str:
    """Return the last line of a program's output."""
    return (output.strip().splitlines() or ["no output"])[-1]


def without_host(image: str) -> str:
    """Return an image's name without the registry's host, which may be private."""
    return re.sub(r"^[^/]*[.:][^/]*/", "", image)


def step(engine: str, *arguments: str) -> None:
    """Run the engine with its output on standard error. Raises Problem with the last line of its error."""
    done = subprocess.run([engine, *arguments], stdout=sys.stderr, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise Problem(f"`{engine} {arguments[0]}` failed for {arguments[-1]}: {last_line(done.stderr)}")


def inspect(engine: str, image: str, template: str) -> str:
    """Return a property of an image, "" if the engine does not have it."""
    return output(engine, "image", "inspect", "--format", template, image)


def image_id(engine: str, image: str) -> str:
    """Return an image's id, which is the digest of its configuration; "" if the engine does not have it."""
    found = inspect(engine, image, "{{.Id}}")
    return f"sha256:{found}" if len(found) == 64 else found  # Podman omits the algorithm


def label(engine: str, image: str, name: str) -> str:
    """Return a label of an image, "" if it has none."""
    return inspect(engine, image, f'{{{{index .Config.Labels "{name}"}}}}')


def docker_info(field: str) -> Any:
    """Return a field of `docker info`, None if Docker does not answer."""
    return json.loads(output("docker", "info", "--format", f"{{{{json .{field}}}}}") or "null")


def has_nvidia_runtime() -> bool:
    """Return whether Docker has NVIDIA's runtime, which Compose's device reservation needs."""
    return "nvidia" in (docker_info("Runtimes") or {})


def is_rootless() -> bool:
    """Return whether Docker runs without root: then root in a container is the user outside."""
    return any("name=rootless" in option for option in docker_info("SecurityOptions") or ())


def has_cdi_description() -> bool:
    """Return whether the GPUs have a CDI description, in the folders of the Container Device Interface."""
    return any(path for folder in ("/etc/cdi", "/var/run/cdi") for path in Path(folder).glob("*nvidia*"))
