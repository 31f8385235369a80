"""The parent: runs a framework's models, one child process a model and device, and writes one JSON each.

python -m runners pytorch --device cpu,gpu --profile quick --model densenet-24x3 --out results
python -m runners --plan --model lstm,ar        checks the arguments, prints the frameworks they need
python -m runners --list
"""

import argparse
import hashlib
import json
import os
import platform
import re
import subprocess
import sys
from typing import Any, Dict, List, Optional, Tuple

from runners import environment, registry, store
from runners.parent.child import run_child
from runners.contract import (
    BATCH_SIZE,
    DEVICES,
    FRAMEWORKS,
    PROFILES,
    DataUnavailable,
    Model,
    UsageError,
    result_record,
)
from runners.data import dataset
from runners.data.__main__ import default_directory
from runners.data.source import Source
from runners.parent.display import Display, with_interval
from runners.worker.gate import reason_not_timed

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SEED = 20170805  # the day the page was published
FURTHER_PROCESSES = 4  # a row, in the profile full
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def main(arguments: Optional[List[str]] = None) -> int:
    options = parse(arguments)
    display = Display()
    try:
        if options.list:
            print(registry.table(), flush=True)
            return 0
        check(options)
        if options.plan:
            print(" ".join(sorted({registry.framework_of(key) for key in registry.select(options.model)})))
            return 0
        one_of("framework", options.framework, FRAMEWORKS)
        with store.only_bench(options.out, display.say):
            return run_all(options, display)
    except UsageError as error:
        display.say(str(error))
        return 2
    except BrokenPipeError:  # whoever read the list has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        display.say("stopped; what is finished is kept, and `make page` shows it")
        return 130


def run_all(options: Any, display: Display) -> int:
    """Run every model and device asked for; 0 if each is ok or was skipped for a stated reason, else 1."""
    keys = [key for key in registry.select(options.model) if registry.framework_of(key) == options.framework]
    models = [registry.load_model(options.framework, key) for key in keys]
    sources: Dict[str, Any] = {}
    statuses = []
    for model in models:
        if model.dataset not in sources:
            sources[model.dataset] = find_source(model.dataset, options, display)
        for device in options.device:
            statuses.append(run_one(model, device, sources[model.dataset], options, display))
    return 0 if all(status in ("ok", "skipped") for status in statuses) else 1


def find_source(name: str, options: Any, display: Display) -> Any:
    """The data set's ``Source``, or the ``DataUnavailable`` that every row on it will carry."""
    try:
        if options.no_fetch:
            return dataset(name).load(options.data_dir).source
        return dataset(name).fetch(options.data_dir, display.say)
    except DataUnavailable as error:
        display.say(str(error))
        return error


def run_one(model: Model, device: str, source: Any, options: Any, display: Display) -> str:
    """One model on one device: reuse its result, or run it; returns the status."""
    job = make_job(model, device, source, options)
    display.start("{:<18} {}".format(model.key, device))
    if not options.force:
        found = store.find_reusable(options.out, job["record"])
        if found is not None:
            display.finish("unchanged, kept: " + outcome(found))
            time_again(job, found, model.time_limit_s[options.profile], options, display)
            return "ok"
    if device not in model.devices:
        record = dict(job["record"], status="skipped", reason=model.device_reason)
    elif isinstance(source, DataUnavailable):
        record = dict(job["record"], status="failed", reason=str(source))
    else:
        if options.force:  # measured again is trained again
            store.discard(job["checkpoints"])
        record = run_child(job, model.time_limit_s[options.profile], display.on_event)
    store.save(options.out, record)
    display.finish(outcome(record))
    if record["status"] == "ok":
        store.discard(job["checkpoints"])
        time_again(job, record, model.time_limit_s[options.profile], options, display)
    return record["status"]


def time_again(
    job: Dict[str, Any], record: Dict[str, Any], time_limit_s: float, options: Any, display: Display
) -> None:
    """In ``full``, time the row in further fresh processes, as many as it still lacks, and save their medians.

    One process cannot show how much processes differ. The record is saved before and after each, so that a bench
    stopped here has lost nothing and the next one goes on.
    """
    phases = [record["timing"][name] for name in ("train", "predict")]
    while options.profile == "full" and len(phases[0]["process_medians_s"]) < FURTHER_PROCESSES:
        display.start("{:<18} {}  in a fresh process".format(record["model"]["key"], record["device"]))
        again = run_child(dict(job, timing_only=True), time_limit_s, display.on_event)
        reason = reason_not_timed(again)
        if reason is not None:
            display.finish("no time of a further process: {}".format(reason))
            return
        for phase, name in zip(phases, ("train", "predict")):
            phase["process_medians_s"].append(again["timing"][name]["median_s"])
        store.save(options.out, record)
        display.finish("train {:.4g} s".format(again["timing"]["train"]["median_s"]))


def make_job(model: Model, device: str, source: Any, options: Any) -> Dict[str, Any]:
    """What the child is told, with the record it is to fill in."""
    rule = dict(model.rules[options.profile]._asdict())
    settings = dict({"batch_size": BATCH_SIZE}, **model.settings[options.profile])
    settings.update(seed=SEED, threads=options.threads, rule=rule)
    code = code_sha256(options.framework)
    known = source.record() if isinstance(source, Source) else None
    identity = {
        "machine": options.machine,
        "stack": options.stack,
        "engine": options.engine,
        "profile": options.profile,
        "framework": options.framework,
        "device": device,
        "settings": settings,
        "model": {
            "key": model.key,
            "title": model.title,
            "params": model.params,
            "library": model.library,
            "dataset": model.dataset,
            "position": model.position,
            "parameters": None,
            "details": None,
        },
    }
    provenance = {
        "code_sha256": code,
        "lock_sha256": options.lock_sha256 or None,
        "image": options.image or "python {} at {}".format(platform.python_version(), os.path.basename(sys.prefix)),
    }
    sha256 = fingerprint(identity, provenance, known)
    commit, clean = git_state(options.commit)
    provenance.update(fingerprint=sha256, git_commit=commit, git_clean=clean)
    record = result_record(dict(identity, provenance=provenance))
    record["data"] = known
    return {
        "record": record,
        "rule": rule,
        "seed": SEED,
        "threads": options.threads,
        "data_dir": options.data_dir,
        "checkpoints": checkpoint_folder(options, model, device, sha256),
    }


def checkpoint_folder(options: Any, model: Model, device: str, sha256: str) -> str:
    """A folder of this very configuration, so that a run goes on only from what it began itself."""
    name = "{}.{}.{}".format(model.key, device, sha256[:12])
    return os.path.join(options.out, options.machine, options.stack, ".checkpoints", name)


def fingerprint(*parts: Any) -> str:
    """The sha256 of everything that a result depends on: a result is reused only while it stays the same."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode("utf-8")).hexdigest()


def code_sha256(framework: str) -> str:
    """The sha256 of the code that makes a framework's results: the runners' own and the framework's folder."""
    digest = hashlib.sha256()
    here = os.path.dirname(os.path.abspath(__file__))
    for folder in ("", "data", framework):
        for name in sorted(os.listdir(os.path.join(here, folder))):
            if name.endswith(".py") and name != "display.py":
                digest.update("{}/{}\n".format(folder, name).encode("utf-8"))
                with open(os.path.join(here, folder, name), "rb") as file:
                    digest.update(file.read())
    return digest.hexdigest()


def git_state(given: str) -> Tuple[Optional[str], Optional[bool]]:
    """(commit, whether the tree is as committed); ``given`` is ``SHA`` or ``SHA-dirty``, else git is asked."""
    if not given:
        given = describe_commit()
    commit = given.split("-")[0]
    if not re.fullmatch("[0-9a-f]{7,64}", commit):
        return None, None
    return commit, not given.endswith("-dirty")


def describe_commit() -> str:
    """The project's commit, with ``-dirty`` behind it if what makes results differs; empty where git cannot tell."""
    try:
        commit, changes = [
            subprocess.check_output(["git", "-C", ROOT] + question, stderr=subprocess.DEVNULL).decode(
                "ascii", "replace"
            )
            for question in (["rev-parse", "HEAD"], ["status", "--porcelain", "--", "runners", "images"])
        ]
    except (OSError, subprocess.CalledProcessError):
        return ""
    return commit.strip() + ("-dirty" if changes.strip() else "")


def outcome(record: Dict[str, Any]) -> str:
    """A result in one line for the terminal."""
    if record["status"] != "ok":
        return "{}: {}".format(record["status"].upper().replace("_", " "), record["reason"])
    parts = []
    for name in ("train", "predict"):
        phase = record["timing"][name]
        shown = with_interval(phase["median_s"], phase["interval_s"]) if phase["counts"] else "does not count"
        parts.append("{} {} a {}".format(name, shown, phase["unit"]))
    quality = record["quality"]
    for score in quality["scores"]:
        if score["protocol"] == quality["protocol"] and not score["baseline"] and score["accuracy"] is not None:
            parts.append("{} {:.4f} ({})".format(quality["accuracy_metric"], score["accuracy"], score["protocol"]))
    if record["data"]["synthetic"]:
        parts.append("SYNTHETIC data")
    return "ok  " + "  ".join(parts)


def parse(arguments: Optional[List[str]]) -> Any:
    parser = argparse.ArgumentParser(prog="python -m runners", description=__doc__.split("\n")[0])
    parser.add_argument("framework", nargs="?", help="one of: " + ", ".join(FRAMEWORKS))
    parser.add_argument(
        "--plan", action="store_true", help="only check the arguments and print the frameworks they need"
    )
    parser.add_argument("--list", action="store_true", help="list all models and exit")
    parser.add_argument("--model", default="", help="models to run, comma-separated (default: all of the framework)")
    parser.add_argument("--device", default="", help="cpu, gpu or both, comma-separated (default: what is there)")
    parser.add_argument("--profile", default="quick", help="smoke, quick or full (default: quick)")
    parser.add_argument("--out", default="results", help="folder for results (default: results)")
    parser.add_argument("--machine", default="", help="name of this machine in the results (default: its host name)")
    parser.add_argument("--stack", default="", help="name of the stack that the packages come from (default: cpu)")
    parser.add_argument("--engine", default="none", help="what isolates this process: venv, docker, podman or none")
    parser.add_argument("--image", default="", help="digest of the image this runs in")
    parser.add_argument("--lock-sha256", default="", help="sha256 of the lock file the packages come from")
    parser.add_argument(
        "--commit", default="", help="commit of the project, -dirty behind it if changed (default: asks git)"
    )
    parser.add_argument("--data-dir", default="", help="cache of the data sets (default: under the XDG cache)")
    parser.add_argument("--threads", type=int, default=0, help="processor threads (default: what each framework chooses itself)")
    parser.add_argument("--no-fetch", action="store_true", help="use only data that are already there")
    parser.add_argument("--force", action="store_true", help="measure again even if nothing changed")
    return parser.parse_args(arguments)


def check(options: Any) -> None:
    """Make the options' values usable in place; raises ``UsageError`` for the first that cannot be used."""
    one_of("profile", options.profile, PROFILES)
    one_of("engine", options.engine, ("none", "venv", "docker", "podman"))
    options.model = split_list(options.model)
    registry.select(options.model)
    options.device = split_list(options.device) or ["cpu"] + ["gpu"] * environment.has_nvidia_device()
    for device in options.device:
        one_of("device", device, DEVICES)
    options.machine = options.machine or re.sub(r"[^A-Za-z0-9._-]", "-", platform.node()).lstrip("-._") or "machine"
    options.stack = options.stack or "cpu"
    for name in ("machine", "stack"):
        if not NAME.fullmatch(getattr(options, name)):
            raise UsageError(
                "the {} name '{}' cannot name a folder; use letters, digits, '.', '_' and '-'".format(
                    name, getattr(options, name)
                )
            )
    if options.threads < 0:
        raise UsageError("--threads is {}; give at least 1, or leave it out".format(options.threads))
    options.threads = options.threads or None
    options.data_dir = options.data_dir or default_directory()
    store.check_writable(options.out)


def one_of(what: str, value: Optional[str], choices: Any) -> None:
    if value is None:
        raise UsageError("no {} given; choose from: {}".format(what, ", ".join(choices)))
    if value not in choices:
        raise UsageError("there is no {} '{}'; choose from: {}".format(what, value, ", ".join(choices)))


def split_list(text: str) -> List[str]:
    """The items of a list separated by commas or spaces."""
    return [item for item in re.split(r"[,\s]+", text) if item]


if __name__ == "__main__":
    sys.exit(main())
