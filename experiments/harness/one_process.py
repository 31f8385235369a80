"""Time one row in a fresh process, as a round of `make bench` does: ``python -m experiments.harness.one_process``.

Runs in the framework's environment. Prints one line of JSON: for each phase its samples in seconds per step and their
median. ``--slowdown 1.5`` makes every training step take half as long again.
"""

import argparse
import json
import os
import sys

from runners import registry
from runners.contract import PHASES, Reason, readable
from runners.parent import cli, jobs
from runners.parent.child import run_child


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m experiments.harness.one_process", description=__doc__)
    parser.add_argument("framework")
    parser.add_argument("row")
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    parser.add_argument("--profile", default="quick")
    parser.add_argument("--slowdown", type=float, default=1.0)
    asked = parser.parse_args()
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    data = os.environ.get("DATA_DIR") or os.path.join(cache, "erabench", "data")
    options = cli.parse(
        [asked.framework, "--rows", asked.row, "--devices", asked.device, "--profile", asked.profile]
        + ["--data", data, "--results", os.devnull]
    )
    model = registry.load_model(asked.framework, asked.row)
    row = jobs.make_row(model, asked.device, jobs.describe_data(model.dataset, data), options)
    job = dict(row.job(timing_only=True), checkpoints=None)
    command = [sys.executable, "-s", "-m", "experiments.harness.slowed", str(asked.slowdown)]
    result = run_child(job, row.time_limit_s, lambda event: None, command if asked.slowdown != 1 else None)
    if result["status"] != "ok":
        sys.exit("{} {}: {}".format(asked.row, result["status"], readable(Reason(**result["reason"]))))
    phases = {name: {"samples_s": result[name]["samples_s"], "median_s": result[name]["median_s"]} for name in PHASES}
    print(json.dumps(phases))


if __name__ == "__main__":
    main()
