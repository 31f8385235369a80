"""Carry the images to where their registries are out of reach: to another registry, or in a file.

python3 images/mirror.py mirror --engine docker --stack gtx1080 --registry registry.example:5000
python3 images/mirror.py save --engine docker --stack gtx1080 --file erabench-gtx1080.tar
python3 images/mirror.py load --engine docker --file erabench-gtx1080.tar
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from build import build
from engine import image_id, inspect
from recipe import Recipe, recipe
from stack import Problem, fail, frameworks


def main() -> None:
    parser = argparse.ArgumentParser(description="Carry the images to a machine without a network.")
    parser.add_argument("action", choices=("mirror", "save", "load"))
    parser.add_argument("--engine", choices=("docker", "podman", "venv"), required=True)
    parser.add_argument("--stack", default="", help="for mirror and save")
    parser.add_argument("--registry", default="", help="for mirror: where to, as host:port/path")
    parser.add_argument("--file", default="", help="for save and load")
    options = parser.parse_args()
    try:
        if options.engine == "venv":
            raise Problem("the engine venv has no images to carry. Start Docker or Podman, or say ENGINE=docker.")
        if options.action == "load":
            load(options.engine, Path(needed(options.file, "FILE")))
            return
        os.environ.pop("REGISTRY", None)  # make exports it, and here it is where to, not where from
        target = needed(options.file, "FILE") if options.action == "save" else needed(options.registry, "REGISTRY")
        made = [recipe(options.stack, name) for name in [*frameworks(options.stack), "report"]]
        for each in made:
            build(options.engine, each)
        if options.action == "save":
            save(options.engine, made, Path(target))
        else:
            mirror(options.engine, made, target.rstrip("/"))
    except Problem as problem:
        fail(problem)
    except KeyboardInterrupt:
        print("erabench: stopped; what is copied already stays", file=sys.stderr)
        sys.exit(130)


def needed(value: str, variable: str) -> str:
    """The value. Raises Problem where it is empty."""
    if not value:
        raise Problem(f"{variable} is not set, and this needs it: {variable}=…")
    return value


def mirror(engine: str, made: list[Recipe], registry: str) -> None:
    """Push every base and every built image; say how the other machine takes them. Raises Problem."""
    overrides = {}
    for each in made:
        target = f"{registry}/{tagged(each.base)}"
        digest = copy_exactly(engine, each.base, target) or push(engine, each.base, target)
        if "@" not in each.base or digest != each.base.split("@")[1]:
            overrides[each.variable] = f"{registry}/{each.base.split('@')[0]}@{digest}"
        push(engine, each.image, f"{registry}/{each.image}")
        print(f"erabench: {each.image} and its base are in {registry}", file=sys.stderr)
    print(f"On the other machine: make bench REGISTRY={registry} STACK={made[0].stack}")
    for variable, value in overrides.items():
        # A single-platform copy has another digest than the index it came from.
        print(f"To build there from the mirrored base as well: {variable}={value}")


def tagged(image: str) -> str:
    """An image's name without its digest."""
    return image.split("@")[0]


def copy_exactly(engine: str, source: str, target: str) -> str:
    """Copy an image from registry to registry with its digest; the digest, or "" where that cannot be done here."""
    if "@" not in source or engine != "docker":
        return ""
    command = ["docker", "buildx", "imagetools", "create", "--tag", target, source]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        return ""
    digest = source.split("@")[1]
    exact = ["docker", "buildx", "imagetools", "inspect", f"{target}@{digest}"]
    return digest if subprocess.run(exact, capture_output=True, check=False).returncode == 0 else ""


def push(engine: str, source: str, target: str) -> str:
    """Push a local image (pulled first where it is not here) under another name; returns its digest. Raises Problem."""
    if not image_id(engine, source):
        step(engine, "pull", source)
    step(engine, "tag", source, target)
    step(engine, "push", target)
    digests = inspect(engine, target, '{{join .RepoDigests " "}}').split()
    return next((text.split("@")[1] for text in digests if text.startswith(target.rpartition(":")[0] + "@")), "")


def save(engine: str, made: list[Recipe], file: Path) -> None:
    """Write the built images into one file, whole or not at all. Raises Problem."""
    draft = file.with_name(f".{file.name}.writing-{os.getpid()}")
    options = ["--multi-image-archive"] if engine == "podman" else []
    if not os.access(file.absolute().parent, os.W_OK):
        raise Problem(f"FILE={file} cannot be written; choose another FILE")
    try:
        step(engine, "save", *options, "--output", str(draft), *(each.image for each in made))
        os.replace(draft, file)
    finally:
        draft.unlink(missing_ok=True)
    print(f"erabench: {file} holds {', '.join(each.image for each in made)} ({file.stat().st_size / 1e9:.1f} GB)")
    print(f"On the other machine: make load FILE={file.name}, then make bench STACK={made[0].stack}")


def load(engine: str, file: Path) -> None:
    """Take the images of a file that ``save`` made. Raises Problem."""
    if not file.is_file():
        raise Problem(f"FILE={file}: there is no such file")
    step(engine, "load", "--input", str(file))


def step(engine: str, *arguments: str) -> None:
    """Run the engine. Raises Problem with its last words."""
    done = subprocess.run([engine, *arguments], stdout=sys.stderr, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise Problem(f"`{engine} {' '.join(arguments[:1])}` failed for {arguments[-1]}: {said}")


if __name__ == "__main__":
    main()
