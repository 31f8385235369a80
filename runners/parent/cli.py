"""Measure a framework's rows: one fresh process per row and device, one JSON record each.

python -m runners pytorch --rows densenet-24x3 --devices cpu,gpu --profile quick --round 1
python -m runners keras --rows lstm --tune
python -m runners --list

Progress goes to standard error. Standard output gets one line of JSON at the end, which says for each row what was
measured and how many processes it has and wants; calls with --round 2, 3, ... add one process each.
"""

import argparse
import json
import os
import re
import sys
from typing import Any, Dict, List, Optional

from runners import registry
from runners.contract import DEVICES, PROFILES, UsageError
from runners.machine.environment import has_nvidia_device
from runners.parent import bench, store, tune
from runners.parent.display import Display

ENGINES = ("none", "venv", "docker", "podman")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
OK, ROW_FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Optional[List[str]] = None) -> int:
    options = parse(arguments)
    if options.list:
        return print_list()
    display = Display(columns=options.columns)
    outcomes: List[Dict[str, Any]] = []
    try:
        models = check(options)
        with store.results_lock(options.results, display.say):
            run = tune.run_all if options.tune else bench.run_round
            run(models, options, display, outcomes)
        status = OK if all(one["status"] in ("ok", "skipped") for one in outcomes) else ROW_FAILED
    except UsageError as error:
        display.say(str(error))
        status = USAGE
    except KeyboardInterrupt:
        display.say("stopped; what is finished is kept, and `make page` shows it")
        status = INTERRUPTED
    print(json.dumps({"rows": outcomes}), flush=True)
    return status


def print_list() -> int:
    try:
        print(registry.table(), flush=True)
    except BrokenPipeError:  # whoever read the list has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return OK


def parse(arguments: Optional[List[str]]) -> Any:
    summary, _, details = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m runners",
        description=summary,
        epilog=details,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("framework", nargs="?", help="one of: " + ", ".join(registry.frameworks()))
    add("--list", action="store_true", help="list all rows and exit")
    add("--rows", default="", help="rows to measure, comma-separated (default: all of the framework)")
    add("--devices", default="", help="cpu, gpu or both, comma-separated (default: what this machine has)")
    add("--profile", default="quick", help="smoke, quick or full (default: quick)")
    add("--machine", default="local", help="name of this machine in the results (default: local)")
    add("--stack", default="cpu", help="name of the stack that the packages come from (default: cpu)")
    add("--engine", default="none", help="what isolates this process: venv, docker, podman or none (default)")
    add("--results", default="results", help="folder for results (default: results)")
    add("--data", default="data", help="folder with the prepared data sets (default: data)")
    add("--lock-sha256", default="", help="sha256 of the lock file that the packages come from")
    add("--image", default="", help="digest of the image that this runs in")
    add("--commit", default="", help="commit of the project, with -dirty appended if the tree is changed")
    add("--threads", type=int, default=0, help="processor threads (default: what each framework chooses)")
    add("--seeds", type=int, default=0, help="seeds to train with (default: the row's own number)")
    add("--round", type=int, default=1, help="number of this round, recorded with each process (default: 1)")
    add("--order-seed", type=int, default=0, help="seed of the order of rows within a round (default: 0)")
    add("--columns", type=int, default=0, help="width of the terminal, if a container stands between (default: none)")
    add("--force", action="store_true", help="measure again even if nothing changed")
    add("--prove", action="store_true", help="compare each net with its NumPy reference too")
    add("--absent", type=json.loads, metavar="JSON", help="measure nothing; record this status and reason")
    add("--tune", action="store_true", help="try the framework's speed settings instead, and report the gain")
    return parser.parse_args(arguments)


def check(options: Any) -> List[Any]:
    """Make the options' values usable in place and return the rows; raises ``UsageError`` for the first bad value."""
    known = registry.frameworks()
    what = "framework to tune" if options.tune else "framework"
    one_of(what, options.framework, [name for name in known if known[name].tunable or not options.tune])
    one_of("profile", options.profile, PROFILES)
    one_of("engine", options.engine, ENGINES)
    models = registry.select(options.framework, split_list(options.rows))
    for model in models if options.tune else ():
        one_of("row to tune", model.key, known[options.framework].tunable)
    options.devices = split_list(options.devices) or [
        device for device in known[options.framework].devices if device == "cpu" or has_nvidia_device()
    ]
    for device in options.devices:
        one_of("device", device, DEVICES)
    for name in ("machine", "stack"):
        if not NAME.fullmatch(getattr(options, name)):
            raise UsageError(
                "the {} name '{}' cannot name a folder; use letters, digits, '.', '_' and '-'".format(
                    name, getattr(options, name)
                )
            )
    for name, least in (("threads", 0), ("seeds", 0), ("round", 1)):
        if getattr(options, name) < least:
            raise UsageError("--{} is {}; give at least 1".format(name, getattr(options, name)))
    options.threads = options.threads or None
    store.check_writable(options.results)
    return models


def one_of(what: str, value: Optional[str], choices: Any) -> None:
    if value is None:
        raise UsageError("no {} given; choose from: {}".format(what, ", ".join(choices)))
    if value not in choices:
        raise UsageError("there is no {} '{}'; choose from: {}".format(what, value, ", ".join(choices)))


def split_list(text: str) -> List[str]:
    """The items of a list separated by commas or spaces, each once."""
    return [item for item in dict.fromkeys(re.split(r"[,\s]+", text)) if item]
