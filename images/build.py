"""Build a framework's image: ``python3 images/build.py keras --engine docker --stack cpu``.

Docker and Podman take the same words. Nothing is built when the image there was made from the very same recipe (base,
locks, Dockerfile), so an image that was loaded or mirrored to a machine without a network is used as it is.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from engine import CONTAINER_ENGINES, image_id, label
from recipe import INSTALLER, Recipe, fill_context, recipe
from stack import Problem, fail, git

LOG_LINES = 20  # of a failed build's words
CURES = {  # a sign in a failed build's words: what to do about it
    "no space left": "The disk is full: free some (`docker system df` tells where it went), then run the same again.",
    "base image has": "Set {variable} to an image with another Python.",
    "do not match the hashes": "A package differs from its hash in the lock: did the index or a proxy alter it?",
    "name resolution": "The package index cannot be reached: check the network, or build from WHEELS=DIR.",
    "newconnectionerror": "The package index cannot be reached: check the network, or build from WHEELS=DIR.",
    "certificate": "The package index is not trusted: name your CA bundle with CA_BUNDLE=FILE.",
    "": "Run the same again once it is mended, or take ENGINE=venv.",
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Build a framework's image.")
    parser.add_argument("framework", help="a framework of the stack, or report")
    parser.add_argument("--engine", choices=CONTAINER_ENGINES, required=True)
    parser.add_argument("--stack", required=True)
    options = parser.parse_args()
    try:
        build(options.engine, recipe(options.stack, options.framework))
    except Problem as problem:
        fail(problem)
    except KeyboardInterrupt:
        print("erabench: stopped; an image that was not finished is not used", file=sys.stderr)
        sys.exit(130)


def build(engine: str, made: Recipe) -> None:
    """Have the image be there, made from this recipe. Raises Problem."""
    base_id = image_id(engine, made.base)
    if is_current(engine, made, base_id) or pull_built(engine, made):
        return
    base_id = base_id or pull_base(engine, made)
    print(f"erabench: building {made.image} on {made.base}", file=sys.stderr)
    began = time.monotonic()
    wheels = os.environ.get("WHEELS")
    with tempfile.TemporaryDirectory(prefix="erabench-build-") as context:
        fill_context(made, Path(context), Path(wheels) if wheels else None)
        options = build_arguments(made, base_id) + build_secrets()
        run_build([engine, "build", "--file", str(made.dockerfile), "--tag", made.image, *options, context], made)
    print(f"erabench: {made.image} is ready ({time.monotonic() - began:.0f} s)", file=sys.stderr)


def is_current(engine: str, made: Recipe, base_id: str) -> bool:
    """Whether the image is there, made from this recipe and from the base as it is here now."""
    if label(engine, made.image, "erabench.recipe") != made.sha256:
        return False
    # A machine that got the finished image need not have the base; where it has, a moved tag counts as another base.
    return not base_id or base_id == label(engine, made.image, "org.opencontainers.image.base.digest")


def pull_built(engine: str, made: Recipe) -> bool:
    """Take the finished image from the mirror, if there is one with this very recipe."""
    registry = os.environ.get("REGISTRY", "").rstrip("/")
    source = f"{registry}/{made.image}"
    if not registry or subprocess.run([engine, "pull", source], capture_output=True, check=False).returncode:
        return False
    if label(engine, source, "erabench.recipe") != made.sha256:
        return False
    subprocess.run([engine, "tag", source, made.image], check=True)
    print(f"erabench: {made.image} is from {registry}", file=sys.stderr)
    return True


def pull_base(engine: str, made: Recipe) -> str:
    """Pull the base, from the mirror if there is one, and return its id. Raises Problem."""
    registry = os.environ.get("REGISTRY", "").rstrip("/")
    source = f"{registry}/{made.base}" if registry else made.base
    print(f"erabench: pulling {source}", file=sys.stderr)
    done = subprocess.run([engine, "pull", source], stdout=sys.stderr, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        every = "" if made.framework == "report" else " (or BASE for all)"
        raise Problem(
            f"the base image {source} cannot be pulled: {said}\n"
            f"erabench: set {made.variable}{every} to an image you have, or REGISTRY to a mirror of it "
            f"(docs/containers.md), or take ENGINE=venv, which needs no image."
        )
    if registry:
        # The build asks for the base by its own name; with a digest, it is the digest that it asks for.
        subprocess.run([engine, "tag", source, made.base.split("@")[0]], check=True)
    return image_id(engine, source)


def build_arguments(made: Recipe, base_id: str) -> list[str]:
    """What the Dockerfile is told. Proxies are predefined by the engines and stay out of the image's history."""
    arguments = {
        "BASE": made.base,
        "BASE_ID": base_id,
        "PYTHON": made.python_versions,
        "STACK": made.stack,
        "SOURCE": re.sub("//[^/@]*@", "//", git("config", "--get", "remote.origin.url")),  # without a name or token
        # The commit that last changed what the image is made from: any other leaves the image as it is.
        "REVISION": git("log", "-1", "--format=%H", "--", *map(str, (made.dockerfile, *INSTALLER, *made.locks))),
        "LOCK_SHA256": made.lock_sha256,
        "RECIPE": made.sha256,
    }
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        arguments[name] = os.environ.get(name) or os.environ.get(name.lower(), "")
    return [part for name, value in arguments.items() if value for part in ("--build-arg", f"{name}={value}")]


def build_secrets() -> list[str]:
    """CA bundle and pip's configuration: mounts of one step, in no layer and no history. Raises Problem."""
    options = []
    for secret, variable in (("ca", "CA_BUNDLE"), ("pip", "PIP_CONFIG_FILE")):
        path = os.environ.get(variable)
        if path and not Path(path).is_file():
            raise Problem(f"{variable}={path}: there is no such file")
        if path:
            options += ["--secret", f"id={secret},src={path}"]
    return options


def run_build(command: list[str], made: Recipe) -> None:
    """Run a build: shown as it goes on a terminal, else quietly with its last words where it fails. Raises Problem."""
    environ = {**os.environ, "DOCKER_BUILDKIT": "1"}
    if sys.stderr.isatty():
        status, said = subprocess.run(command, env=environ, check=False).returncode, ""
    else:
        done = subprocess.run(
            command, env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        status, said = done.returncode, "\n".join(done.stdout.strip().splitlines()[-LOG_LINES:]) + "\nerabench: "
    if status:
        cure = next(text for sign, text in CURES.items() if sign in said.lower()).format(variable=made.variable)
        raise Problem(f"{said}building {made.image} failed; what was there before is unchanged. {cure}")


if __name__ == "__main__":
    main()
