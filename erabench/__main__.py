"""``python3 -m erabench``. This file must load in every Python, so that an old one gets a message."""

import sys

if sys.version_info < (3, 11):
    sys.stderr.write(
        "erabench: {} is Python {}.{}, and 3.11 or later is needed; name one: make PYTHON=/path/to/python3.11\n".format(
            sys.executable, *sys.version_info[:2]
        )
    )
    sys.exit(2)

from erabench.cli import main

if __name__ == "__main__":
    sys.exit(main())
