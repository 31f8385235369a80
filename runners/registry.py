"""Which frameworks and rows there are: every folder beside this file with a ``framework.json``.

Importing a row's module imports no framework, so this works in any Python.
"""

import importlib
import json
import os
from typing import Dict, List, NamedTuple, Tuple

from runners.contract import Model, Option, UsageError

HERE = os.path.dirname(os.path.abspath(__file__))
DECLARATION = "framework.json"


class Framework(NamedTuple):
    """A framework as its ``framework.json`` declares it."""

    name: str  # its folder: "keras"
    title: str  # "Keras"
    devices: Tuple[str, ...]  # those it can compute on
    rows: Tuple[str, ...]  # keys of those that a bench measures, in the framework's own order
    cheapest_row: str  # the one that the tests on a GPU run
    tunable: Tuple[str, ...]  # keys of the rows whose speed settings its tuning.py can try
    check: str  # a statement that succeeds where the framework is installed: "import tensorflow"
    options: Tuple[Option, ...] = ()  # what `--tune` tries, in this order
    twins: Dict[str, str] = {}  # keys of rows measured on request -> the published row whose net each is
    shares: Tuple[str, ...] = ()  # folders beside its own whose code it runs

    @property
    def every_row(self) -> Tuple[str, ...]:
        """Keys of all rows, those measured on request last."""
        return self.rows + tuple(self.twins)


def frameworks() -> Dict[str, Framework]:
    """Name -> framework, in the order of their names."""
    found = {}
    for name in sorted(os.listdir(HERE)):
        path = os.path.join(HERE, name, DECLARATION)
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                declared = json.load(file)
            lists = {field: tuple(declared[field]) for field in ("devices", "rows", "tunable")}
            options = tuple(Option(**option) for option in declared.get("options", []))
            shares = tuple(declared.get("shares", ()))
            found[name] = Framework(**dict(declared, options=options, shares=shares, **lists))
    return found


def framework(name: str) -> Framework:
    """The framework of that name; raises ``UsageError`` if there is none."""
    known = frameworks()
    if name not in known:
        raise UsageError("there is no framework '{}'; choose from: {}".format(name, ", ".join(known)))
    return known[name]


def load_model(name: str, key: str) -> Model:
    """The declaration of a framework's row from its module."""
    return importlib.import_module("runners.{}.{}".format(name, key.replace("-", "_"))).MODEL


def select(name: str, keys: List[str]) -> List[Model]:
    """The framework's rows with these keys, without repetition; those that a bench measures where no key is given."""
    found = framework(name)
    for key in keys:
        if key not in found.every_row:
            raise UsageError("{} has no row '{}'; choose from: {}".format(name, key, ", ".join(found.every_row)))
    return [load_model(name, key) for key in dict.fromkeys(keys or found.rows)]


def table() -> str:
    """All rows, one line each, in the page's order."""
    models = [(load_model(name, key), name) for name, one in frameworks().items() for key in one.every_row]
    models.sort(key=lambda pair: pair[0].order)
    lines = [(model.key, name, model.title, model.params, model.library, model.dataset) for model, name in models]
    lines.insert(0, ("MODEL", "FRAMEWORK", "ROW", "PARAMS", "LIBRARY", "DATA"))
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)
