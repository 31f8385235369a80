"""Which models there are. Importing a model's file imports no framework, so this works in any Python."""

import importlib
from typing import List

from runners.contract import FRAMEWORKS, Model, UsageError


def model_keys(framework: str) -> List[str]:
    """The framework's models in its own order."""
    return list(importlib.import_module("runners." + framework).MODELS)


def load_model(framework: str, key: str) -> Model:
    """The model's declaration from its file."""
    return importlib.import_module("runners.{}.{}".format(framework, key.replace("-", "_"))).MODEL


def framework_of(key: str) -> str:
    """The framework that has a model; raises ``UsageError`` if none has."""
    for framework in FRAMEWORKS:
        if key in model_keys(framework):
            return framework
    known = ", ".join(key for framework in FRAMEWORKS for key in model_keys(framework))
    raise UsageError("there is no model '{}'; choose from: {}".format(key, known))


def select(keys: List[str]) -> List[str]:
    """The keys, checked and without repetition; all models where none is named."""
    for key in keys:
        framework_of(key)
    return list(dict.fromkeys(keys)) or [key for framework in FRAMEWORKS for key in model_keys(framework)]


def table() -> str:
    """All models, a line each, in the page's order."""
    models = [(load_model(framework, key), framework) for framework in FRAMEWORKS for key in model_keys(framework)]
    models.sort(key=lambda pair: pair[0].position)
    rows = [(model.key, name, model.title, model.params, model.library, model.dataset) for model, name in models]
    rows.insert(0, ("MODEL", "FRAMEWORK", "ROW", "PARAMS", "LIBRARY", "DATA"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)
