"""What a container engine is asked: whether it answers, how it composes, which images and cards it has."""

from __future__ import annotations

import functools
import json
import re
import shutil
import subprocess
from pathlib import Path

CONTAINER_ENGINES = ("docker", "podman")
ANSWER_TIMEOUT_S = 2.0
PODMAN_COMPOSE = (1, 2)  # 1.0 sets neither the network mode nor the user namespace


def unusable(engine: str) -> str:
    """Why a container engine cannot be taken; "" where it can."""
    if not shutil.which(engine):
        return f"{engine} is not installed"
    # `docker info` fails where only the client is there; podman's own alias for docker fails on the template.
    field = "{{.ServerVersion}}" if engine == "docker" else "{{.Host.OCIRuntime.Name}}"
    said = why_silent([engine, "info", "--format", field])
    if said:
        return f"{engine} does not answer ({said})"
    if compose_command(engine):
        return ""
    return f"{engine} has no Compose (`{engine} compose version` fails" + (
        f", and there is no podman-compose {'.'.join(map(str, PODMAN_COMPOSE))} or later)"
        if engine == "podman"
        else ")"
    )


@functools.cache
def compose_command(engine: str) -> tuple[str, ...]:
    """How to call Compose for an engine; empty where there is none. Podman before 4.7 has it only as podman-compose."""
    if not why_silent([engine, "compose", "version"]):
        return (engine, "compose")
    if engine == "podman" and shutil.which("podman-compose"):
        done = subprocess.run(["podman-compose", "--version"], capture_output=True, text=True, check=False)
        version = re.search(r"podman-compose version:?\s+(\d+)\.(\d+)", done.stdout)
        if version and (int(version[1]), int(version[2])) >= PODMAN_COMPOSE:
            return ("podman-compose",)
    return ()


def why_silent(command: list[str]) -> str:
    """Why a command gives no answer within the time limit; "" where it does."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return f"not within {ANSWER_TIMEOUT_S:g} s"
    except OSError as error:
        return str(error.strerror)
    if done.returncode == 0 and done.stdout.strip():
        return ""
    return (done.stderr.strip().splitlines() or ["it says nothing"])[-1][:160].rstrip(".")


def image_id(engine: str, image: str) -> str:
    """The image's id, which is the digest of its configuration; "" where it is not here."""
    found = inspect(engine, image, "{{.Id}}")
    return f"sha256:{found}" if len(found) == 64 else found  # Podman leaves the algorithm out


def label(engine: str, image: str, name: str) -> str:
    """A label of an image that is here; "" where it has none."""
    return inspect(engine, image, f'{{{{index .Config.Labels "{name}"}}}}')


def inspect(engine: str, image: str, template: str) -> str:
    """What the engine says of an image that is here; "" where it is not."""
    command = [engine, "image", "inspect", "--format", template, image]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def has_nvidia_runtime() -> bool:
    """Whether Docker knows NVIDIA's runtime, which Compose's device reservation needs."""
    command = ["docker", "info", "--format", "{{json .Runtimes}}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode == 0 and "nvidia" in (json.loads(done.stdout or "null") or {})


def described_cards() -> bool:
    """Whether the cards have a CDI description, in the folders that the Container Device Interface names."""
    return any(path for folder in ("/etc/cdi", "/var/run/cdi") for path in Path(folder).glob("*nvidia*"))
