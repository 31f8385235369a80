"""The record of one row on one device before anything is measured, and the job that a worker is given."""

import hashlib
import json
import os
import platform
import re
import sys
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from runners import registry
from runners.contract import BATCH_SIZE, SCHEMA_VERSION, Model
from runners.data import dataset
from runners.parent.store import Place

RUNNERS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SEED = 20170805  # the day the page was published
DESCRIBED = ("key", "title", "params", "library", "dataset", "order", "twin_of")  # of a row, in its record
EMPTY = ("reason", "log", "quality", "epoch", "test_set", "environment", "execution", "sameness")


class Row(NamedTuple):
    """One row on one device under the options of a bench. ``options`` are those of parent/cli.py."""

    model: Model
    device: str
    options: Any
    record: Dict[str, Any]  # empty, with its fingerprint

    @property
    def profile(self) -> str:
        return self.options.profile

    @property
    def wanted(self) -> int:
        """How many processes are to time the row."""
        return self.model.processes[self.profile]

    @property
    def time_limit_s(self) -> float:
        return self.model.time_limit_s[self.profile]

    @property
    def folder(self) -> str:
        return os.path.join(self.options.results, self.options.machine, self.options.stack)

    @property
    def place(self) -> Place:
        return Place(self.folder, self.model.key, self.device)

    @property
    def checkpoints(self) -> str:
        """A folder of exactly this configuration, so that a training only continues from its own checkpoints."""
        fingerprint = self.record["provenance"]["fingerprint"]
        return os.path.join(
            self.folder, ".checkpoints", "{}.{}.{}".format(self.model.key, self.device, fingerprint[:12])
        )

    @property
    def references(self) -> str:
        """Where a proof keeps what the reference computed, for the next framework's proof of the same net."""
        return os.path.join(self.folder, ".checkpoints", "references")

    def job(self, timing_only: bool, prove: bool = False) -> Dict[str, Any]:
        """What a worker is given. ``options`` are those that `--tune` tries; ``None`` is the row as written.

        With ``prove`` it times nothing, but compares the net with the NumPy reference.
        """
        return {
            "framework": self.options.framework,
            "row": self.model.key,
            "device": self.device,
            "profile": self.profile,
            "settings": settings_of(self.model, self.options),
            "rule": self.record["settings"]["stopping_rule"],
            "seed": SEED,
            "threads": self.options.threads,
            "data_dir": self.options.data,
            "checkpoints": self.references if prove else self.checkpoints,
            "timing_only": timing_only,
            "prove": prove,
            "options": None,
            "variables": {},
        }


def make_row(model: Model, device: str, source: Optional[Any], options: Any) -> Row:
    """The row with its empty record. ``source`` is the data set's, ``None`` where there is none."""
    profile = options.profile
    settings = dict({"batch_size": BATCH_SIZE}, **settings_of(model, options))
    settings.update(seed=SEED, threads=options.threads, stopping_rule=dict(model.rules[profile]._asdict()))
    described = {name: getattr(model, name) for name in DESCRIBED}
    identity = {
        "stack": options.stack,
        "engine": options.engine,
        "profile": profile,
        "framework": options.framework,
        "device": device,
        "settings": settings,
        "model": dict(described, parameters=None, details=None),
    }
    provenance = {
        "code_sha256": code_sha256(options.framework),
        "lock_sha256": options.lock_sha256 or None,
        "image": options.image or "python {} at {}".format(platform.python_version(), os.path.basename(sys.prefix)),
    }
    data = source.record() if source is not None else None
    fingerprint = sha256([identity, provenance, data])  # without the machine's name: a folder may be renamed
    commit, clean = git_state(options.commit)
    provenance.update(fingerprint=fingerprint, git_commit=commit, git_clean=clean)
    record = dict(
        identity,
        schema_version=SCHEMA_VERSION,
        machine=options.machine,
        status="failed",
        processes=[],
        data=data,
        provenance=provenance,
    )
    record.update(dict.fromkeys(EMPTY))
    return Row(model, device, options, record)


def settings_of(model: Model, options: Any) -> Dict[str, Any]:
    """The row's settings for the profile, with as many seeds as were asked for where it trains with several."""
    settings = dict(model.settings[options.profile])
    if options.seeds and "seeds" in settings:
        settings["seeds"] = options.seeds
    return settings


def sha256(value: Any) -> str:
    """The sha256 of a JSON value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode("utf-8")).hexdigest()


def code_sha256(framework: str) -> str:
    """The sha256 of the code that makes a framework's results: what runs in the worker, and nothing of the parent."""
    digest = hashlib.sha256()
    for path in _code(framework):
        with open(path, "rb") as file:
            content = file.read()
        digest.update("{} {}\n".format(os.path.relpath(path, RUNNERS), len(content)).encode("utf-8"))
        digest.update(content)
    return digest.hexdigest()


def _code(framework: str) -> List[str]:
    files = [os.path.join(RUNNERS, name) for name in ("contract.py", "registry.py")]
    shared = registry.framework(framework).shares
    for folder in ("worker", "machine", "data", "nets") + shared + (framework,):
        for at, _, names in os.walk(os.path.join(RUNNERS, folder)):
            files += [os.path.join(at, name) for name in names if name.endswith(".py")]
    return sorted(files)


def git_state(commit: str) -> Tuple[Optional[str], Optional[bool]]:
    """Return (commit, whether the tree is as committed) from ``SHA`` or ``SHA-dirty``; ``None`` where unknown."""
    sha, _, dirty = commit.partition("-")
    return (sha, not dirty) if re.fullmatch("[0-9a-f]{7,64}", sha) else (None, None)


def describe_data(name: str, directory: str) -> Any:
    """The data set's ``Source``, from its manifest alone; raises ``DataUnavailable``."""
    return dataset(name).describe(directory)
