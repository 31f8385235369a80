"""What containers cost: ``python3 images/sizes.py --engine docker --stack cpu`` prints a line an image that is here.

Megabytes above the base, seconds of a build with nothing to do, and seconds from the command to the first line of a
program in the sealed container (medians of five).
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable

from build import build
from engine import CONTAINER_ENGINES, image_id, inspect
from recipe import Recipe, recipe
from run import Container
from stack import Problem, fail, frameworks

TIMES = 5


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what containers cost.")
    parser.add_argument("--engine", choices=CONTAINER_ENGINES, required=True)
    parser.add_argument("--stack", required=True)
    options = parser.parse_args()
    try:
        print(f"{'image':<26} {'MB above base':>13} {'build again, s':>14} {'start, s':>9}")
        for framework in frameworks(options.stack):
            made = recipe(options.stack, framework)
            print(
                line(options.engine, made) if image_id(options.engine, made.image) else f"{made.image:<26} is not here"
            )
    except Problem as problem:
        fail(problem)


def line(engine: str, made: Recipe) -> str:
    """One image's line."""
    size, base = (int(inspect(engine, image, "{{.Size}}") or 0) for image in (made.image, made.base))
    above = f"{(size - base) / 1e6:.0f}" if base else "no base here"
    again = median(lambda: build(engine, made))
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(RESULTS=folder, DATA_DIR=folder)
        container = Container(engine, made)
        start = median(lambda: container.run(made.framework, ["-c", ""]))
    return f"{made.image:<26} {above:>13} {again:>14.2f} {start:>9.2f}"


def median(step: Callable[[], object]) -> float:
    """The median of the seconds that a step takes."""
    seconds = []
    for _ in range(TIMES):
        began = time.monotonic()
        step()
        seconds.append(time.monotonic() - began)
    return statistics.median(seconds)


if __name__ == "__main__":
    main()
