"""The data sets, read and verified, never fetched: ``erabench/data`` fetches them.

Each module has ``describe(directory) -> Source``, which verifies nothing, and ``load(directory)``, a NamedTuple of
verified values with their ``source``. Both raise ``DataUnavailable``.
"""

import importlib

DATASETS = ("airline", "household", "cifar10")


def dataset(name):
    """The data set's module, which imports NumPy."""
    return importlib.import_module("runners.data." + name)
