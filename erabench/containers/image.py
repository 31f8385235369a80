"""Build a framework's image, or take it from a mirror.

An image that was built from the same recipe (base image, locks, Dockerfile) is not rebuilt, so an image that was loaded
or mirrored to a machine without a network works there. Docker and Podman take the same commands.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from erabench.containers.command import image_id, label, last_line, step, without_host
from erabench.terminal import say
from images.recipe import DOCKERFILE, Recipe, fill_context
from images.stack import Problem, git

LOG_LINES = 20  # of a failed build's output
CURES = {  # a sign in a failed build's output: what to do about it
    "no space left": "The disk is full: free some (`docker system df` shows what uses it), then rerun.",
    "base image has": "Set {variable} to an image with another Python.",
    "do not match the hashes": "A package differs from its hash in the lock: did the index or a proxy change it?",
    "name resolution": "The package index cannot be reached: check the network, or build from WHEELS=DIR.",
    "newconnectionerror": "The package index cannot be reached: check the network, or build from WHEELS=DIR.",
    "certificate": "The package index is not trusted: name your CA bundle with CA_BUNDLE=FILE.",
    "": "Fix the error and rerun, or use ENGINE=venv.",
}


class ImageProblem(Problem):
    """The image cannot be made. ``brief`` is one line for a record, without the log and a registry's host."""

    def __init__(self, text: str, brief: str) -> None:
        super().__init__(text)
        self.brief = brief


class BaseUnavailable(ImageProblem):
    """The base image is missing and cannot be pulled."""


def build(engine: str, recipe: Recipe) -> None:
    """Build the image unless it exists and was built from this recipe. Raises Problem."""
    base_id = image_id(engine, recipe.base)
    if is_current(engine, recipe, base_id) or pull_built(engine, recipe):
        return
    base_id = base_id or pull_base(engine, recipe)
    say(f"building {recipe.image} on {recipe.base}")
    began = time.monotonic()
    wheels = os.environ.get("WHEELS")
    with tempfile.TemporaryDirectory(prefix="erabench-build-") as context:
        fill_context(recipe, Path(context), Path(wheels) if wheels else None)
        options = [*build_arguments(recipe, base_id), *build_secrets()]
        run_build([engine, "build", "--file", str(DOCKERFILE), "--tag", recipe.image, *options, context], recipe)
    say(f"{recipe.image} is ready ({time.monotonic() - began:.0f} s)")


def is_current(engine: str, recipe: Recipe, base_id: str) -> bool:
    """Return whether the image exists and was built from this recipe and from the base image with this id."""
    if label(engine, recipe.image, "erabench.recipe") != recipe.sha256:
        return False
    # A machine that got the finished image need not have its base; if it has, a moved tag means another base.
    return not base_id or base_id == label(engine, recipe.image, "org.opencontainers.image.base.digest")


def registry() -> str:
    """Return the mirror that images are pulled from, "" for none."""
    return os.environ.get("REGISTRY", "").rstrip("/")


def source(image: str) -> str:
    """Return the name by which an image is pulled: below the mirror, if there is one."""
    return f"{registry()}/{image}" if registry() else image


def pull_built(engine: str, recipe: Recipe) -> bool:
    """Take the finished image from the mirror, if it has one built from this recipe."""
    built = source(recipe.image)
    if not registry() or subprocess.run([engine, "pull", built], capture_output=True, check=False).returncode:
        return False
    if label(engine, built, "erabench.recipe") != recipe.sha256:
        return False
    step(engine, "tag", built, recipe.image)
    say(f"{recipe.image} is from {registry()}")
    return True


def pull_base(engine: str, recipe: Recipe) -> str:
    """Pull the base image, from the mirror if one is named, and return its id. Raises BaseUnavailable."""
    pulled = source(recipe.base)
    say(f"pulling {pulled}")
    done = subprocess.run([engine, "pull", pulled], stdout=sys.stderr, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise BaseUnavailable(
            f"the base image {pulled} cannot be pulled: {last_line(done.stderr)}\n"
            f"erabench: set {recipe.variable} (or BASE for all) to an image you have, or REGISTRY to a mirror of it "
            f"(docs/containers.md), or use ENGINE=venv, which needs no image.",
            f"the base image {without_host(recipe.base)} cannot be pulled",
        )
    if registry():
        # The build names the base without the mirror; with a digest, the digest decides.
        step(engine, "tag", pulled, recipe.base.split("@")[0])
    return image_id(engine, pulled)


def build_arguments(recipe: Recipe, base_id: str) -> list[str]:
    """Return the Dockerfile's arguments. Engines predefine the proxies and keep them out of the image's history."""
    arguments = {
        "BASE": recipe.base,
        "BASE_ID": base_id,
        "FRAMEWORK": recipe.framework,
        "PYTHON": recipe.python_versions,
        "CHECK": recipe.check,
        "STACK": recipe.stack,
        "SOURCE": re.sub("//[^/@]*@", "//", git("config", "--get", "remote.origin.url")),  # without a name or token
        # The commit that last changed what the image is built from: any other leaves the image as it is.
        "REVISION": git("log", "-1", "--format=%H", "--", str(DOCKERFILE), *map(str, recipe.files)),
        "LOCK_SHA256": recipe.lock_sha256,
        "RECIPE": recipe.sha256,
    }
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        arguments[name] = os.environ.get(name) or os.environ.get(name.lower(), "")
    return [part for name, value in arguments.items() if value for part in ("--build-arg", f"{name}={value}")]


def build_secrets() -> list[str]:
    """Return the options for the CA bundle and pip's configuration, which are stored in no layer. Raises Problem."""
    options = []
    for secret, variable in (("ca", "CA_BUNDLE"), ("pip", "PIP_CONFIG_FILE")):
        path = os.environ.get(variable)
        if path and not Path(path).is_file() and path != os.devnull:
            raise Problem(f"{variable}={path}: no such file")
        if path:
            options += ["--secret", f"id={secret},src={path}"]
    return options


def run_build(command: list[str], recipe: Recipe) -> None:
    """Run a build with its output on a terminal, otherwise with its last lines if it fails. Raises ImageProblem."""
    environ = {**os.environ, "DOCKER_BUILDKIT": "1"}
    pipe = None if sys.stderr.isatty() else subprocess.PIPE
    done = subprocess.run(command, env=environ, text=True, stdout=pipe or sys.stderr, stderr=pipe and subprocess.STDOUT)
    if done.returncode:
        log = "\n".join((done.stdout or "").strip().splitlines()[-LOG_LINES:])
        cure = next(text for sign, text in CURES.items() if sign in log.lower()).format(variable=recipe.variable)
        prefix = f"{log}\nerabench: " if log else ""
        failed = f"building {recipe.image} failed"
        raise ImageProblem(f"{prefix}{failed}; an image built before is unchanged. {cure}", failed)
