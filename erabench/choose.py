"""Choose the engine and the stack by what the machine has."""

from __future__ import annotations

import os
from typing import NamedTuple

from erabench.containers.command import CONTAINER_ENGINES, unusable
from erabench.environments.python import find_python
from erabench.hardware import gpus
from erabench.options import one_of
from images.stack import Problem, missing_bases, settings

ENGINES = (*CONTAINER_ENGINES, "venv")
NEWEST_OF_THE_ERA = (7, 0)  # Volta: GPUs up to it get the era's stack


class Choice(NamedTuple):
    """The chosen engine and stack, with the reasons."""

    engine: str
    engine_reason: str
    stack: str
    stack_reason: str

    def __str__(self) -> str:
        return f"engine {self.engine} ({self.engine_reason}), stack {self.stack} ({self.stack_reason})"


def choose(engine: str, stack: str) -> Choice:
    """Choose the engine and the stack; an empty value is chosen by the machine.

    Raises Problem if the requested one is not available.
    """
    if engine:
        one_of("ENGINE", engine, ENGINES)
    name, reason = choose_stack(stack)
    engine, why = choose_engine(engine, name)
    if not stack and engine == "venv" and not has_python(name):
        missing = f"Python {settings(name)['PYTHON_VERSIONS']}"
        return Choice(engine, why, "cpu", f"{reason}: that is for stack {name}, but {missing} is missing")
    return Choice(engine, why, name, reason)


def choose_stack(asked: str) -> tuple[str, str]:
    """The stack asked for, or the one for this machine's first GPU; and the reason."""
    if asked:
        refuse_newer_gpu(asked)
        return asked, "asked for"
    found, none = gpus()
    if not found:
        return "cpu", none
    first = found[0]
    reason = f"{first.name}, compute capability {first.dotted}"
    if len({gpu.capability for gpu in found}) > 1:
        reason += f", the first of {len(found)} GPUs"
    return "gtx1080" if first.capability <= NEWEST_OF_THE_ERA else "current", reason


def refuse_newer_gpu(stack: str) -> None:
    """Raise Problem if the first GPU is newer than any that the stack has machine code for, unless FORCE_STACK=1."""
    newest = settings(stack).get("CAPABILITY_MAX")
    if not newest or os.environ.get("FORCE_STACK") == "1":
        return
    found, _ = gpus()
    if found and found[0].capability > tuple(int(part) for part in newest.split(".")):
        raise Problem(
            f"STACK={stack}: no machine code for {found[0].name} (compute capability {found[0].dotted}; the stack ends "
            f"at {newest}), so runs hang or give wrong results; choose STACK=current, or FORCE_STACK=1 to run it anyway"
        )


def choose_engine(asked: str, stack: str) -> tuple[str, str]:
    """The engine asked for, or the first container engine that works and has bases for the stack, else venv."""
    if asked == "venv":
        return asked, "asked for"
    reasons = []
    for name in (asked,) if asked else CONTAINER_ENGINES:
        reason = unusable(name) or missing_bases(stack)
        if not reason:
            return name, "asked for" if asked else "it answers"
        reasons.append(reason)
    if asked:
        raise Problem(f"ENGINE={asked}: {reasons[0]}; fix that, or choose ENGINE=venv, which needs no container engine")
    shown = [reason for reason in reasons if not reason.endswith("not installed")]
    return "venv", "; ".join(shown) or "no container engine is installed"


def has_python(stack: str) -> bool:
    """Whether there is a Python for the stack's locks on this machine."""
    try:
        find_python(settings(stack)["PYTHON_VERSIONS"].split())
    except Problem:
        return False
    return True
