"""What a Slurm submission consists of, and how results come back without a shared disk."""

from __future__ import annotations

import base64
import io
import shlex
import shutil
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from fleet.config import Fleet
from fleet.folder import Attempt, Folder, attempts
from fleet.node import exits
from fleet.payload import code_archive, order_archive, start_script, submission_content
from fleet.plan import Cell
from fleet.schedulers import Key, Order, run
from fleet.schedulers.slurm_nodes import named, nodes_of
from images.files import sha256_of
from images.stack import ROOT, Problem

LARGEST_SCRIPT = 3_900_000  # Slurm's max_script_size is 4 MiB unless a site sets another
FOR_SRUN = ("--account", "--partition", "--qos", "--reservation")

SHARED = """cd -- {root} || exit {no_project}
exec python3 -m fleet.node {folder} {submission}
"""
LOCAL = """set -o pipefail
base={base} here={base}/{submission}
mkdir -p "$base" || exit {cannot_write}
if [ ! -d "$here" ]; then
  unpack() {{ sed "1,/^#$1\\$/d; /^#end\\$/,\\$d" "$0" | base64 -d | tar -xzf - -C "$partial"; }}
  partial=$(mktemp -d "$base/.unpacking-XXXXXX") && unpack code && unpack order &&
    {{ mv -T "$partial" "$here" 2>/dev/null || [ -d "$here" ]; }} || exit {cannot_write}
fi
cd "$here/project" || exit {no_project}
exec python3 -m fleet.node "$base" "$here"
exit
"""


def scratch_of(fleet: Fleet, folder: Folder) -> str:
    """Return where a node keeps the run's attempts on its own disk."""
    return f"{fleet.slurm.scratch.rstrip('/')}/erabench-{folder.run}"


def submission_files(fleet: Fleet, folder: Folder, order: Order) -> tuple[str, Path, dict[Path, str]]:
    """Return where Slurm puts the jobs' output, the script's path, and all files: submission.json and job.sh."""
    here = folder.submission(order.number)
    content = submission_content(fleet, order)
    script = here / "job.sh"
    text = f"#!/bin/bash\n# {order.name}: each array task measures one cell.\n"
    text += start_script(order.type.setup or fleet.slurm.setup)
    if fleet.slurm.shared:
        paths = {"root": ROOT, "folder": folder.path, "submission": here}
        text += SHARED.format(**{key: shlex.quote(str(path)) for key, path in paths.items()}, **exits.BY_NAME)
        return f"{here}/%a.log", script, {here / "submission.json": content, script: text}
    base = shlex.quote(scratch_of(fleet, folder))
    text += LOCAL.format(base=base, submission=f"submission-{order.number:04d}", **exits.BY_NAME)
    stacks = tuple(sorted({name for one in fleet.types for name in one.stacks}))
    parts = {"code": code_archive(ROOT, stacks), "order": order_archive(fleet, folder, order, 1_500_000)}
    text += "".join(f"#{name}\n{base64.encodebytes(part).decode()}#end\n" for name, part in parts.items())
    if len(text) > LARGEST_SCRIPT:
        raise Problem(f"{script}: {len(text)} bytes are more than Slurm takes; use a shared disk (shared = true)")
    output = f"{fleet.slurm.scratch.rstrip('/')}/erabench-{folder.run}-%A_%a.log"
    return output, script, {here / "submission.json": content, script: text}


def tail_script(fleet: Fleet, folder: Folder, cell: str) -> str:
    """Return a shell script that prints the end of the log of a cell's newest attempt on a node."""
    here = shlex.quote(f"{scratch_of(fleet, folder)}/cells/{cell}")
    return f'cd {here} && tail -c 16384 "$(ls -dv *.* | tail -n 1)/log"'


def bring(fleet: Fleet, folder: Folder, wanted: Mapping[Key, tuple[Cell, str]]) -> list[str]:
    """Fetch tasks' attempts from the nodes' own disks, one srun per node; returns what could not be fetched.

    A task whose node is unknown is looked for on every node of its type.
    """
    types = {one.name: one for one in fleet.types}
    places: dict[str, list[str]] = {}
    problems = []
    for (number, task), (cell, node) in wanted.items():
        try:
            names = [node or cell.node] if node or cell.node else nodes_of(fleet, types[cell.type])
        except (Problem, KeyError) as problem:
            problems.append(f"{cell.id}: it is not known where it ran: {problem}")
            continue
        for name in names:
            places.setdefault(name, []).append(f"{shlex.quote(f'cells/{cell.id}')}/{number:04d}-*_{task}.*")
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda pair: _bring_from(fleet, folder, *pair), places.items())
    return problems + [problem for some in answers for problem in some]


def _bring_from(fleet: Fleet, folder: Folder, node: str, wanted: Sequence[str]) -> list[str]:
    script = f"cd {shlex.quote(scratch_of(fleet, folder))} 2>/dev/null || exit 0\n"
    script += f'set -- $(ls -d {" ".join(wanted)} 2>/dev/null)\n[ $# = 0 ] || tar -czf - "$@"'
    options = [one for one in fleet.slurm.options if named(one)[0] in FOR_SRUN]
    command = [
        "srun", f"--nodelist={node}", "--nodes=1", "--ntasks=1", "--time=10", "--immediate=30", "--quiet",
        f"--job-name=erabench-{folder.run}-fetch", *options, "sh", "-c", script,
    ]  # fmt: skip
    try:
        packed = run(command, timeout=600)
        return unpack_attempts(packed, folder) if packed else []
    except (Problem, OSError, tarfile.TarError, EOFError) as problem:
        return [f"node {node}: its results stay there: {problem}"]


def unpack_attempts(packed: bytes, folder: Folder) -> list[str]:
    """Put attempts from a node into the run's folder, each complete or not at all; returns what was damaged."""
    problems = []
    folder.path.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".bringing-", dir=folder.path) as name:
        with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
            archive.extractall(name, filter="data")
        for attempt in (one for cell in Path(name).glob("cells/*/*") for one in attempts(cell)):
            place = attempt.path.relative_to(name)
            known = replace(attempt, path=folder.path / place)
            if problem := damage(attempt):
                problems.append(f"{place}: {problem}")
            elif not known.finished:
                shutil.rmtree(known.path, ignore_errors=True)
                known.path.parent.mkdir(parents=True, exist_ok=True)
                attempt.path.rename(known.path)
    return problems


def damage(attempt: Attempt) -> str:
    """Return what of an attempt's files is not as the node wrote it, "" if all is."""
    for name, expected in attempt.state.get("files", {}).items():
        try:
            if sha256_of(attempt.path / "results" / name) != expected:
                return f"{name} is not what the node wrote"
        except OSError:
            return f"{name} is missing"
    return ""
