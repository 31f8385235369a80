"""Fetch data sets into the cache, so that a run needs no network.

python -m runners.data cifar10 household --data-dir DIR
"""

import argparse
import os
import sys

from runners.contract import DataUnavailable
from runners.data import DATASETS, dataset


def default_directory() -> str:
    """``$DATA_DIR``, else the project's folder in the user's cache (XDG Base Directory Specification)."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.environ.get("DATA_DIR") or os.path.join(cache, "erabench", "data")


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m runners.data", description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="one of: " + ", ".join(DATASETS) + " (default: all)")
    parser.add_argument("--data-dir", default="", help="the cache (default: $DATA_DIR, else under the XDG cache)")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in DATASETS]
    if unknown:
        say("there is no data set '{}'; choose from: {}".format(unknown[0], ", ".join(DATASETS)))
        return 2
    failed = False
    for name in options.names or DATASETS:
        try:
            source = dataset(name).fetch(options.data_dir or default_directory(), say)
            say("{}: {}{}".format(name, source.source, " (SYNTHETIC)" if source.synthetic else ""))
        except DataUnavailable as error:
            say(str(error))
            failed = True
    return 1 if failed else 0


def say(text: str) -> None:
    sys.stderr.write("erabench: {}\n".format(text))


if __name__ == "__main__":
    sys.exit(main())
