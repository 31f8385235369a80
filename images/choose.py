"""Choose the engine and the stack: ``python3 images/choose.py --engine "$ENGINE" --stack "$STACK"``.

Prints ``ENGINE=… STACK=…`` on standard output, for make, and one line with the reasons on standard error.
An empty value means: choose.
"""

from __future__ import annotations

import argparse
import os
import sys
import venv
from typing import NamedTuple

from engine import CONTAINER_ENGINES, unusable
from hardware import Card, cards
from stack import Problem, base, fail, frameworks, settings, stacks

ENGINES = (*CONTAINER_ENGINES, "venv")


class Choice(NamedTuple):
    """What was chosen, and why."""

    name: str
    reason: str


def main() -> None:
    parser = argparse.ArgumentParser(description="Choose the engine and the stack.")
    parser.add_argument("--engine", default="", help=f"{', '.join(ENGINES)}; empty: choose")
    parser.add_argument("--stack", default="", help=f"{', '.join(stacks())}; empty: choose")
    parser.add_argument("--quiet", action="store_true", help="do not say the reasons")
    arguments = parser.parse_args()
    try:
        stack, engine = choose(arguments.engine, arguments.stack)
    except Problem as problem:
        fail(problem)
    if not arguments.quiet:
        print(f"erabench: engine {engine.name} ({engine.reason}), stack {stack.name} ({stack.reason})", file=sys.stderr)
    print(f"ENGINE={engine.name} STACK={stack.name}")


def choose(engine: str, stack: str) -> tuple[Choice, Choice]:
    """The stack and the engine. Raises Problem where what was asked for cannot be had."""
    if engine and engine not in ENGINES:
        raise Problem(f"ENGINE={engine}: there is no such engine. Take one of: {', '.join(ENGINES)}.")
    chosen_stack = choose_stack(stack)
    chosen_engine = choose_engine(engine, chosen_stack.name)
    if not stack and chosen_engine.name == "venv" and not has_python(chosen_stack.name):
        python = settings(chosen_stack.name)["PYTHON_VERSIONS"]
        reason = f"{chosen_stack.reason}: that is for stack {chosen_stack.name}, but there is no Python {python} here"
        return Choice("cpu", reason), chosen_engine
    return chosen_stack, chosen_engine


def choose_stack(asked: str) -> Choice:
    """The stack asked for, or the one for this machine's first card (design: the two axes)."""
    if asked and "CAPABILITY_MAX" not in settings(asked):
        return Choice(asked, "asked for")
    found, none = cards()
    if asked:
        refuse_newer(asked, found)
        return Choice(asked, "asked for")
    if not found:
        return Choice("cpu", none)
    first = found[0]
    reason = f"{first.name}, compute capability {dotted(first)}"
    if len({card.capability for card in found}) > 1:
        reason += f", the first of {len(found)} cards"
    return Choice("gtx1080" if first.capability <= (7, 0) else "current", reason)


def refuse_newer(stack: str, found: list[Card]) -> None:
    """Raise Problem where the first card is newer than any the stack has machine code for, unless FORCE_STACK=1."""
    most = tuple(int(part) for part in settings(stack)["CAPABILITY_MAX"].split("."))
    if not found or found[0].capability <= most or os.environ.get("FORCE_STACK") == "1":
        return
    raise Problem(
        f"STACK={stack}: it has no machine code for {found[0].name} (compute capability {dotted(found[0])}, and "
        f"the stack ends at {settings(stack)['CAPABILITY_MAX']}): runs hang or give wrong results. Take STACK=current, "
        f"or FORCE_STACK=1 to run it all the same."
    )


def choose_engine(asked: str, stack: str) -> Choice:
    """The engine asked for, or the first container engine that answers and has bases for the stack, else venv."""
    if asked == "venv":
        return Choice("venv", "asked for")
    reasons = []
    for name in (asked,) if asked else CONTAINER_ENGINES:
        reason = unusable(name) or without_bases(stack)
        if not reason:
            return Choice(name, "asked for" if asked else "it answers")
        reasons.append(reason)
    if asked:
        raise Problem(f"ENGINE={asked}: {reasons[0]}. Mend that, or take ENGINE=venv, which needs no container engine.")
    told = [reason for reason in reasons if not reason.endswith("not installed")]
    return Choice("venv", "; ".join(told) or "no container engine is installed")


def without_bases(stack: str) -> str:
    """Why no container can be built for a stack; "" where one can."""
    missing = [name for name in frameworks(stack) if not base(stack, name)]
    return f"stack {stack} names no base image for {', '.join(missing)} (set BASE)" if missing else ""


def has_python(stack: str) -> bool:
    """Whether the venv engine finds a Python for the stack's locks."""
    try:
        venv.find_python(settings(stack)["PYTHON_VERSIONS"].split())
    except venv.SetupError:
        return False
    return True


def dotted(card: Card) -> str:
    """The compute capability as NVIDIA writes it, "6.1"."""
    return f"{card.capability[0]}.{card.capability[1]}"


if __name__ == "__main__":
    main()
