"""The data sets: fetched once into the data directory, verified, and prepared as .npy files for the runners.

Each data set that needs fetching is a module with a ``TITLE`` and ``fetch(directory, say, force)``, which raises
``Unusable`` if no source can be used.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pathlib import Path

from erabench.data.cache import Say, Unusable

DATASETS = ("household", "cifar10")
"""Those that need fetching; any other one is in the project, as the 144 numbers of ``airline`` are."""


def fetch(names: Iterable[str], directory: Path, say: Say, force: bool = False) -> dict[str, str | None]:
    """Prepare data sets in ``directory``; return for each its problem, or None if it is ready.

    ``say`` is called with each line for the user. ``force`` uses the network even if it was tried without success less
    than a day ago.
    """
    return {name: _problem(name, directory, say, force) for name in names}


def _problem(name: str, directory: Path, say: Say, force: bool) -> str | None:
    if name not in DATASETS:
        return None
    module = importlib.import_module(f"erabench.data.{name}")
    try:
        module.fetch(directory, lambda text: say(f"{module.TITLE}: {text}"), force)
    except Unusable as error:
        return f"{module.TITLE}: {error}"
    except OSError as error:
        file, why = error.filename or directory, error.strerror or error
        return f"{module.TITLE}: cannot write {file}: {why}; free some space or choose another DATA_DIR"
    return None
