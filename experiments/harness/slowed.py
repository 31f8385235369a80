"""The worker with a slowdown injected into every training step: ``python -m experiments.harness.slowed 1.5``."""

import sys
import time

from runners.worker import __main__ as worker
from runners.worker.timing import Timing


def slowed(steps, factor):
    """The steps with a training step that waits, awake, until it has taken ``factor`` times as long."""

    def train(batch):
        began = time.perf_counter()
        answer = steps.train(batch)
        until = began + factor * (time.perf_counter() - began)
        while time.perf_counter() < until:
            pass
        return answer

    return steps._replace(train=train)


if __name__ == "__main__":
    factor = float(sys.argv.pop(1))
    worker.Timing = lambda steps, *rest: Timing(slowed(steps, factor), *rest)
    sys.exit(worker.main())
