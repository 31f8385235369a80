"""The data sets: fetched once into one cache directory, verified by checksum before every use.

Each module offers ``fetch(directory, say) -> Source`` (may use the network; says in one line what it fell
back to) and ``load(directory) -> NamedTuple`` with a field ``source`` (never uses the network; raises
``DataUnavailable`` if the cache is missing or broken).
"""

import importlib

DATASETS = ("airline", "household", "cifar10")


def dataset(name):
    """The data set's module, which imports NumPy."""
    return importlib.import_module("runners.data." + name)
