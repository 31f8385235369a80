"""Carry images to machines that cannot reach the registries: through another registry, or in a file."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from erabench.containers.command import image_id, inspect, step
from erabench.containers.image import build
from erabench.terminal import say
from images.recipe import Recipe, recipe
from images.stack import Problem, frameworks


def mirror(engine: str, stack: str, registry: str) -> None:
    """Push every base image and every built image of a stack; print how to use them. Raises Problem."""
    registry, overrides = registry.rstrip("/"), {}
    for each in built(engine, stack):
        name, _, wanted = each.base.partition("@")
        target = f"{registry}/{name}"
        digest = copy_exactly(engine, each.base, target) or push(engine, each.base, target)
        if not wanted or digest != wanted:
            # A copy for one platform has another digest than the index it came from.
            overrides[each.variable] = target + (f"@{digest}" if digest else "")
        push(engine, each.image, f"{registry}/{each.image}")
        say(f"{each.image} and its base image are in {registry}")
    print(f"On the other machine: make bench REGISTRY={registry} STACK={stack}")
    for variable, value in overrides.items():
        print(f"To build there from the mirrored base image: {variable}={value}")


def built(engine: str, stack: str) -> list[Recipe]:
    """Build every image of a stack and return the recipes. Raises Problem."""
    os.environ.pop("REGISTRY", None)  # here it is where to push, not where to pull from
    recipes = [recipe(stack, name) for name in frameworks(stack)]
    for each in recipes:
        build(engine, each)
    return recipes


def copy_exactly(engine: str, source: str, target: str) -> str:
    """Copy an image between registries and return its digest, "" if a copy with the same digest is not possible."""
    if "@" not in source or engine != "docker":
        return ""
    digest = source.split("@")[1]
    commands = (["create", "--tag", target, source], ["inspect", f"{target}@{digest}"])
    for command in commands:
        if subprocess.run(["docker", "buildx", "imagetools", *command], capture_output=True, check=False).returncode:
            return ""
    return digest


def push(engine: str, source: str, target: str) -> str:
    """Push an image (pulled first if needed) under another name; return its digest. Raises Problem."""
    if not image_id(engine, source):
        step(engine, "pull", source)
    step(engine, "tag", source, target)
    step(engine, "push", target)
    digests = inspect(engine, target, '{{join .RepoDigests " "}}').split()
    untagged = re.sub(r":[^/:]*$", "", target)
    return next((text.split("@")[1] for text in digests if text.startswith(untagged + "@")), "")


def save(engine: str, stack: str, file: Path) -> None:
    """Write a stack's built images into one file, complete or not at all. Raises Problem."""
    if file.is_dir() or not os.access(file.absolute().parent, os.W_OK):
        raise Problem(f"FILE={file} cannot be written; choose another FILE")
    images = [each.image for each in built(engine, stack)]
    draft = file.with_name(f".{file.name}.writing-{os.getpid()}")
    options = ["--multi-image-archive"] if engine == "podman" else []
    try:
        step(engine, "save", *options, "--output", str(draft), *images)
        os.replace(draft, file)
    finally:
        draft.unlink(missing_ok=True)
    print(f"erabench: {file} contains {', '.join(images)} ({file.stat().st_size / 1e9:.1f} GB)")
    print(f"On the other machine: make load FILE={file.name}, then make bench STACK={stack}")


def load(engine: str, file: Path) -> None:
    """Read the images of a file that ``save`` wrote. Raises Problem."""
    if not file.is_file():
        raise Problem(f"FILE={file}: no such file")
    step(engine, "load", "--input", str(file))
