"""python3 -m fleet: the fleet's commands without the driver."""

import sys

from fleet.cli import main

sys.exit(main())
