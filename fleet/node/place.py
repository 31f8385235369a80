"""Where an attempt runs, from the environment that Slurm or Kubernetes gives it."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """The scheduler's names for an attempt."""

    job: str
    task: int
    restart: int
    node: str
    by_log: bool  # results go to the log, since nothing else leaves the node

    @classmethod
    def of(cls) -> Place:
        """Read the environment. Raises KeyError outside a scheduler."""
        environ = os.environ
        if "ERABENCH_POD" in environ:
            restart = environ.get("ERABENCH_FAILURES") or "0"
            index = int(environ["JOB_COMPLETION_INDEX"])
            return cls(environ["ERABENCH_POD"], index, int(restart), environ.get("ERABENCH_NODE", ""), True)
        return cls(
            environ["SLURM_ARRAY_JOB_ID"],
            int(environ["SLURM_ARRAY_TASK_ID"]),
            int(environ.get("SLURM_RESTART_COUNT") or 0),
            environ.get("SLURMD_NODENAME", ""),
            False,
        )
