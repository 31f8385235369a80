"""Reads the results folder: checks everything, gathers every problem, continues with the good documents."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from sys import intern
from typing import Any

from msgspec.json import encode
from msgspec.structs import force_setattr, replace

from report.beside import beside
from report.records.common import NAME
from report.records.documents import Kind, Problem, Unusable, decode, read_bytes
from report.records.result import Result
from report.records.series import counted
from report.records.tuning import TUNING_FOLDER, Tuning
from report.records.upgrade import result_from_1, tuning_from_1

RESULT = Kind("result", "measure again", Result, {1: result_from_1})
TUNING = Kind("tuning", "tune again (make tune)", Tuning, {1: tuning_from_1})
RESULT_PLACE = "<machine>/<stack>/<row>.<device>.json"
CALIBRATION_FILE = "calibration.json"
"""Written beside the results until schema version 2; ignored."""

_PLACE = re.compile(rf"([^/]+)/([^/]+)/({TUNING_FOLDER}/)?([^/]+)\.(cpu|gpu)\.json")
_NAME = re.compile(NAME)
_PART = 250  # files
_FILE_ENDINGS = (".json", ".csv", ".parquet", ".svg")  # of files beside the machines' folders, where the page is


class BadInput(Exception):
    """What the user gave cannot be used. The message names it and the fix."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The usable results and tunings in the order of the page, and what was wrong with the others."""

    results: tuple[Result, ...]
    problems: tuple[Problem, ...]
    tunings: tuple[Tuning, ...] = ()


def load_results(root: str | os.PathLike[str]) -> Loaded:
    """Load every usable result below ``root`` without its long series, and every problem with the others.

    Tunings lie in a folder ``tuning`` beside the results, and are of no use without any. Files and folders whose names
    begin with a dot are skipped (the runners keep theirs there). The path of a file names machine, stack, row and
    device, whatever its record says. Raises BadInput if ``root`` is no folder that can be read.
    """
    root = os.fspath(root)
    try:
        with os.scandir(root):
            pass
        inside = Path(root).resolve(strict=True)
    except OSError as error:
        raise BadInput(
            f"results folder {root}: {error.strerror}; measure first (make bench), or name the folder that holds "
            f"{RESULT_PLACE}"
        ) from None
    problems: list[Problem] = []
    documents: list[Result | Tuning] = []
    names = list(_files(root, problems))
    half = len(names) // 2
    with beside(lambda: _in_parts(root, inside, names[half:]), len(names)) as others:
        for both in zip_longest(_in_parts(root, inside, names[:half]), others):  # in step with the other process
            for found, faults in filter(None, both):
                documents += found
                problems += faults
    documents.sort(key=_order)
    results = tuple(one for one in documents if isinstance(one, Result))
    tunings = tuple(_beside_results([one for one in documents if isinstance(one, Tuning)], results, problems))
    return Loaded(results, tuple(sorted(problems)), tunings)


def _in_parts(root: str, inside: Path, names: Sequence[str]) -> Iterator[tuple[list[Result | Tuning], list[Problem]]]:
    """Yield the documents in these files and what is wrong with them, in parts that are small beside the whole."""
    shared: dict[tuple[str, bytes], Any] = {}
    for first in range(0, len(names), _PART):
        documents: list[Result | Tuning] = []
        problems: list[Problem] = []
        for name in names[first : first + _PART]:
            try:
                document = _document(root, inside, name)
            except Unusable as unusable:
                problems.append(Problem(name, unusable.message, unusable.cure))
                continue
            if isinstance(document, Result):
                document = _agreeing(document, problems)
                _shrink(document, shared)
            documents.append(document)
        yield documents, problems


def complete(result: Result) -> Result | None:
    """Return the result with its long series, read again from its file; None if that is missing or broken by now."""
    root = result.path.removesuffix(result.file)
    try:
        found = _document(root, Path(root).resolve(), result.file)
    except Unusable:
        return None
    return _agreeing(found, []) if isinstance(found, Result) else None


def _document(root: str, inside: Path, name: str) -> Result | Tuning:
    """Return the document in the file ``name`` below the results. Raises Unusable.

    Its path names machine, stack, row and device, and wins over the record's own fields.
    """
    found = _PLACE.fullmatch(name)
    if found is None:
        raise Unusable(f"move it to {RESULT_PLACE}, or elsewhere", "is not where a result belongs")
    machine, stack, folder, row, device = found.groups()
    for value in (machine, stack, row):
        if not _NAME.fullmatch(value):
            raise Unusable("rename it with letters, digits and ._- only", f"{value!r} is not a valid name")
    if machine.endswith(_FILE_ENDINGS):
        raise Unusable("give the machine another name", "its machine has the name of a file beside the page")
    kind: Kind[Any] = TUNING if folder else RESULT
    path = os.path.join(root, name)
    document: Result | Tuning = decode(read_bytes(path, inside, kind), kind)
    for field_name, value in (("machine", machine), ("stack", stack), ("device", device), ("path", path)):
        force_setattr(document, field_name, value)
    force_setattr(document.model, "key", row)
    return document


def _agreeing(result: Result, problems: list[Problem]) -> Result:
    """Return the result with those processes that ran the newest one's code in its environment."""
    if not result.processes:
        return result
    made = [(process.environment_sha256, process.code_sha256) for process in result.processes]
    kept = tuple(process for process, by in zip(result.processes, made, strict=True) if by == made[-1])
    left = len(made) - len(kept)
    if not left:
        return result
    problems.append(
        Problem(
            result.file,
            f"{left} of {len(made)} processes ran other code or in another environment than the newest; left out",
            "measure again (make bench FORCE=1)",
        )
    )
    return replace(result, processes=kept)


def _shrink(result: Result, shared: dict[tuple[str, bytes], Any]) -> None:
    """Drop long series and conditions, and store once what many results share. Nobody else has the result yet."""
    for name in ("model", "settings", "data", "environment", "execution", "provenance"):
        part = getattr(result, name)
        force_setattr(result, name, shared.setdefault((name, encode(part)), part))
    if result.quality:
        for name in ("history", "forecasts"):
            lengths = {key: counted(len(values)) for key, values in getattr(result.quality, name).items()}
            force_setattr(result.quality, name, lengths)
    for process in result.processes:
        for name in ("environment_sha256", "code_sha256"):
            force_setattr(process, name, intern(getattr(process, name) or "") or None)
        force_setattr(process, "warnings", shared.setdefault(("warnings", encode(process.warnings)), process.warnings))
    for phase in (phase for process in result.processes for phase in (process.train, process.predict) if phase):
        force_setattr(phase, "conditions", None)  # five processes have a fifth of a result's memory in them
        for name in ("warmup_s", "samples_s", "losses"):
            force_setattr(phase, name, counted(len(getattr(phase, name))))


def _order(document: Result | Tuning) -> tuple[str, str, int, str]:
    return document.machine, document.stack, document.model.order, document.file


def _beside_results(tunings: Sequence[Tuning], results: Sequence[Result], problems: list[Problem]) -> Iterator[Tuning]:
    """Yield the tunings of machines and stacks that have results, which are what they are shown with."""
    measured = {(result.machine, result.stack) for result in results}
    for tuning in tunings:
        if (tuning.machine, tuning.stack) in measured:
            yield tuning
        else:
            problems.append(Problem(tuning.file, "has no usable result beside it", "measure too (make bench)"))


def _files(root: str, problems: list[Problem]) -> Iterator[str]:
    """Yield the names of the JSON files below ``root``, relative to it."""

    def unreadable(error: OSError) -> None:
        name = os.path.relpath(str(error.filename), root)
        problems.append(Problem(name, f"cannot be read ({error.strerror})", "make the folder readable"))

    for folder, names, files in os.walk(root, onerror=unreadable):
        below = os.path.relpath(folder, root)
        prefix = "" if below == "." else f"{below}/"
        names[:] = sorted(name for name in names if not name.startswith("."))
        for name in names:
            if os.path.islink(os.path.join(folder, name)):
                problems.append(Problem(prefix + name, "is a link to a folder", "copy the folder here instead"))
        for name in sorted(files):
            if name.endswith(".json") and not name.startswith(".") and name != CALIBRATION_FILE:
                yield prefix + name
