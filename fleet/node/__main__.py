"""python3 -m fleet.node RUN_FOLDER SUBMISSION_FOLDER: the attempt that the scheduler's environment describes."""

from __future__ import annotations

import sys
from pathlib import Path

from fleet.node.attempt import main

sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
